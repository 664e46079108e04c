"""A file that is there whole or not at all, whatever happens while it is written."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Final, TypeAlias

from adapters.cli.dependencies import CommandError

Settle: TypeAlias = Callable[[Path, Path], object]
"""Gives a finished file its name."""

_NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_ENDS: Final = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


@contextmanager
def atomic_write(path: Path, settle: Settle) -> Iterator[IO[bytes]]:
    """Write a file under another name beside it, sync it, and then give it its name.

    Only its owner can read it. If anything fails, nothing is left.

    Raises:
        CommandError: if `settle` says that its name must not be taken.
        OSError: if it cannot be written.
    """
    with _ending_in_order(), _naming(path), _unnamed(path) as file:
        written = Path(file.name)
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
            settle(written, path)
        finally:
            written.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _unnamed(path: Path) -> IO[bytes]:
    """Make a file beside another; it is not named after it, whose name may be as long as any."""
    try:
        return NamedTemporaryFile(dir=path.parent, prefix=".taskflow-", delete=False)
    except OSError as error:
        error.filename = str(path)
        raise


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Let the error of a full disk, which has no name, say what could not be written."""
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM and error.filename is None:
            error.filename = str(path)
        raise


@contextmanager
def _ending_in_order() -> Iterator[None]:
    """Let a signal end the process as an exit does, so that what must be removed is removed.

    What ends it already is not cut short by another one. A signal that is ignored stays so, as
    SIGHUP under `nohup`.
    """
    handled = [number for number in _ENDS if signal.getsignal(number) is not signal.SIG_IGN]

    def end(number: int, _frame: object) -> None:
        for each in handled:
            signal.signal(each, signal.SIG_IGN)
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, end) for number in handled}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


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
