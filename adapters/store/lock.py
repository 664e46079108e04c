"""One writing process a file.

SQLite allows several, but before 3.51.3 two of them can damage a write-ahead log while one resets
it, and our retries count on losing only to threads of ours. The lock is taken on a file beside the
database: closing any handle of the database file itself would drop the locks that SQLite holds on
it (POSIX advisory locks belong to the process).
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from attrs import frozen

from adapters.store.faults import StoreFault


@frozen
class WriterLock:
    """The right to write to a database file, held until it is released or the process ends."""

    descriptor: int

    def release(self) -> None:
        """Give the right back. The file stays: removing it would let two holders in."""
        os.close(self.descriptor)


@frozen
class LockPatience:
    """For how many seconds a lock is waited for, and who is told once that it is, and of whom."""

    seconds: float
    on_wait: Callable[[str], None]


_LOOK_EVERY: Final = 0.1
"""Seconds."""


def lock_path(path: Path) -> Path:
    """Return where the lock of a database file is."""
    return path.with_name(path.name + ".lock")


def take_lock(path: Path, patience: LockPatience | None = None) -> WriterLock:
    """Take the right to write to a database file, at once or as soon as its holder gives it back.

    Raises:
        StoreFault: if another process has it still, or the file system gives no locks.
    """
    file = lock_path(path)
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            _lock(descriptor, path, patience)
        except BaseException:
            os.close(descriptor)
            raise
    except OSError as error:
        raise StoreFault(f"{file}: cannot be locked: {error.strerror}") from error
    return WriterLock(descriptor)


def _lock(descriptor: int, path: Path, patience: LockPatience | None) -> None:
    if not _is_locked(descriptor):
        holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
        if patience is None or not _comes_free(descriptor, holder, patience):
            raise StoreFault(
                f"{path}: in use by another process that writes to it (pid {holder}); stop it first"
            )
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)


def _comes_free(descriptor: int, holder: str, patience: LockPatience) -> bool:
    end = time.monotonic() + patience.seconds
    patience.on_wait(holder)
    while time.monotonic() < end:
        time.sleep(_LOOK_EVERY)
        if _is_locked(descriptor):
            return True
    return False


def _is_locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
