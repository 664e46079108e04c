"""Reading what somebody names: a regular file, or the pipe of a shell, but never a device."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from domain.tlog.checkpoints import Unprovable

_CHUNK: Final = 1 << 16


@contextmanager
def open_plain_file(path: Path) -> Iterator[IO[bytes]]:
    """Open a file or a pipe to read it.

    Raises:
        Unprovable: if it cannot be read, or is something else.
    """
    try:
        # NOTE: without O_NONBLOCK, opening a pipe would wait for its writer.
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
        with os.fdopen(os.open(path, flags), "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode)):
                raise Unprovable(f"{path}: is {kind_of(mode)}, and not a file")
            os.set_blocking(file.fileno(), True)
            yield file
    except OSError as error:
        raise Unprovable(f"{path}: {error.strerror}") from error


def read_text(file: IO[bytes], most: int) -> bytes | None:
    """Return the rest of a file, but little behind a NUL; None if it is longer than `most` bytes.

    A file may be a hole of any size, and a pipe may have no end. No text of ours has a NUL.
    """
    octets = bytearray()
    while chunk := file.read(_CHUNK):
        octets += chunk
        if len(octets) > most:
            return None
        if 0 in chunk:
            break
    return bytes(octets)


def kind_of(mode: int) -> str:
    """Return what kind of file a mode is of, as a sentence says it."""
    kinds = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
    return kinds.get(stat.S_IFMT(mode), "a device")
