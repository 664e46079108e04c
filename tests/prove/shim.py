"""The shim (`shim.c`): compiled, preloaded, and read. Linux, with a C compiler."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
from collections.abc import Iterator, Mapping
from enum import Enum, IntEnum
from pathlib import Path
from typing import Final

from attrs import frozen

_SOURCE: Final = Path(__file__).with_name("shim.c")
_FLAGS: Final = ("-std=gnu11", "-Wall", "-Wextra", "-Werror", "-O2", "-shared", "-fPIC")
_HEAD: Final = struct.Struct("=cb2xIq")


class Kind(Enum):
    """What a process did."""

    CREATE = b"C"
    WRITE = b"W"
    TRUNCATE = b"T"
    SYNC_BEGINS = b"B"
    SYNC_ENDED = b"E"
    UNLINK = b"U"
    SEND = b"S"


class File(IntEnum):
    """To which file; a send is to a caller."""

    NONE = 0
    DATABASE = 1
    WAL = 2
    JOURNAL = 3
    FOLDER = 4


@frozen
class Call:
    """One call: `place` is an offset, a length, or the number of a sync; `data` was written."""

    kind: Kind
    file: File
    place: int = 0
    data: bytes = b""


def compiled(folder: Path) -> Path:
    """Compile the shim into a folder, and return where it is.

    Raises:
        FileNotFoundError: if there is no C compiler.
    """
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None:
        raise FileNotFoundError("the shim needs a C compiler (cc), and there is none")
    shim = folder / "shim.so"
    libraries = ("-ldl", "-pthread")
    command = [compiler, *_FLAGS, "-o", str(shim), str(_SOURCE), *libraries]
    subprocess.run(command, check=True)  # noqa: S603 - our own source
    return shim


def recording(shim: Path, database: Path, log: Path) -> Mapping[str, str]:
    """Return the environment in which a process records what it does to a database."""
    return {**preloaded(shim, database), "TASKFLOW_SHIM_LOG": str(log)}


def preloaded(shim: Path, database: Path) -> Mapping[str, str]:
    """Return the environment in which the shim watches a database."""
    return {"LD_PRELOAD": str(shim), "TASKFLOW_SHIM_DATABASE": str(database)}


def read_log(log: Path) -> Iterator[Call]:
    """Yield the calls of a log, in order; one that was cut short by a kill is left out."""
    data = log.read_bytes()
    start = 0
    while start + _HEAD.size <= len(data):
        kind, file, size, place = _HEAD.unpack_from(data, start)
        start += _HEAD.size
        if start + size > len(data):
            return
        yield Call(Kind(kind), File(file), place, data[start : start + size])
        start += size
