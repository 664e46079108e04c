"""One writing process a file.

SQLite allows several, but before 3.51.3 two of them can damage a write-ahead log while one resets
it, and our retries count on losing only to threads of ours. The lock is taken on a file beside the
database: closing any handle of the database file itself would drop the locks that SQLite holds on
it (POSIX advisory locks belong to the process).
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from attrs import frozen

from adapters.store.faults import StoreFault


@frozen
class WriterLock:
    """The right to write to a database file, held until it is released or the process ends."""

    descriptor: int

    def release(self) -> None:
        """Give the right back. The file stays: removing it would let two holders in."""
        os.close(self.descriptor)


def lock_path(path: Path) -> Path:
    """Return where the lock of a database file is."""
    return path.with_name(path.name + ".lock")


def take_lock(path: Path) -> WriterLock:
    """Take the right to write to a database file.

    Raises:
        StoreFault: if another process has it, or the file system gives no locks.
    """
    file = lock_path(path)
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        _lock(descriptor, path)
    except OSError as error:
        raise StoreFault(f"{file}: cannot be locked: {error.strerror}") from error
    return WriterLock(descriptor)


def _lock(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
    except BlockingIOError as error:
        holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
        os.close(descriptor)
        raise StoreFault(
            f"{path}: in use by another process that writes to it (pid {holder or 'unknown'});"
            " stop it first"
        ) from error
    except OSError:
        os.close(descriptor)
        raise
