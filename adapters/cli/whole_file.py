"""A file that is there whole or not at all, whatever happens while it is written."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, TypeAlias

from adapters.cli.tools import CommandError

Settle: TypeAlias = Callable[[Path, Path], object]
"""Gives a finished file its name."""


@contextmanager
def whole_file(path: Path, settle: Settle) -> Iterator[IO[bytes]]:
    """Write a file under another name beside it, sync it, and then give it its name.

    Only its owner can read it. If anything fails, nothing is left.

    Raises:
        CommandError: if `settle` says that its name must not be taken.
        OSError: if it cannot be written.
    """
    name = f".{path.name}."
    with _ending_in_order(), NamedTemporaryFile(dir=path.parent, prefix=name, delete=False) as file:
        written = Path(file.name)
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
            settle(written, path)
        finally:
            written.unlink(missing_ok=True)
    _sync_folder(path.parent)


@contextmanager
def _ending_in_order() -> Iterator[None]:
    """Let SIGTERM end the process as an exit does, so that what must be removed is removed."""

    def end(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def keep(written: Path, path: Path) -> None:
    """Give a file its name, unless there is one of that name.

    Raises:
        CommandError: if there is.
    """
    try:
        path.hardlink_to(written)
    except FileExistsError:
        raise CommandError(f"{path} exists already; --force replaces it") from None


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
