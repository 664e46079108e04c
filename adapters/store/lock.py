"""One writing process a file.

SQLite allows several, but before 3.51.3 two of them can damage a write-ahead log while one resets
it, and our retries count on losing only to threads of ours. The lock is taken on a file beside the
database, and on the database itself, which another process may reach by another path (a bind mount
of the one file) or after the file beside it was removed.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import stat
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

from attrs import frozen

from adapters.store.faults import StoreFault, undone_by
from adapters.store.sqlite_file import lock_path

_MOST: Final = 1024
"""Bytes of a lock file: the pid of its holder, and a line that the holder may add."""

_OURS: Final = re.compile(rb"[0-9]{0,20}(?:\n(?:[a-z]+ [0-9]+ [^\n\0]*\n?)?)?")
_FAR: Final = 1 << 62
"""The byte of the database that is locked: behind any page, and behind those that SQLite locks."""
_READERS: Final = ((1 << 30) + 2, 510)
"""The first byte, and how many, that SQLite locks: shared to read, alone to close as the last."""
_NO_SUCH_LOCKS: Final = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.ENOLCK)


@frozen
class WriterLock:
    """The right to write to a database file, held until it is released or the process ends."""

    path: Path
    descriptor: int
    database: int
    """Of the database file. NOTE: to close it drops the locks that SQLite holds on the file for
    this process (POSIX advisory locks belong to the process), so SQLite closes it first."""

    def freeze(self) -> None:
        """Keep SQLite from moving its log to the database, and from removing the log, at its end.

        NOTE: to close the last connection does both, in whatever lies at these names by now; it is
        left undone while somebody reads, and to SQLite a lock of another descriptor is somebody.
        """
        with suppress(OSError):  # as good as it gets: this is no reason not to go on
            _lock_bytes(self.database, fcntl.F_RDLCK, *_READERS)

    def note(self, status: str) -> None:
        """Write a line beside the pid, instead of the last one."""
        # NOTE: of one length always, so that a reader meanwhile finds two whole lines.
        line = f"{os.getpid()}\n{status}".encode()[: _MOST - 1].ljust(_MOST - 1) + b"\n"
        os.pwrite(self.descriptor, line, 0)

    def release(self) -> None:
        """Give the right back. The file stays: removing it would let two holders in."""
        os.close(self.database)
        os.close(self.descriptor)


@frozen
class LockPatience:
    """For how many seconds a lock is waited for, and what is called once with its holder."""

    seconds: float
    on_wait: Callable[[str], None]


_LOOK_EVERY: Final = 0.1
"""Seconds."""


def take_lock(path: Path, patience: LockPatience | None = None) -> WriterLock:
    """Take the right to write to a database file, which is there.

    It is taken at once, or as soon as its holder gives it back.

    Raises:
        StoreFault: if another process has it still, or the file system gives no locks.
    """
    file = lock_path(path)
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with undone_by(partial(os.close, descriptor)):
            _lock(descriptor, file, path, patience)
            return WriterLock(file, descriptor, _lock_database(path))
    except OSError as error:
        raise StoreFault(f"{file}: cannot be locked: {error.strerror}") from error


def _lock(descriptor: int, file: Path, path: Path, patience: LockPatience | None) -> None:
    found = read_lines(descriptor)
    if found is None:
        raise StoreFault(f"{file}: is not a lock of ours; move it away")
    if not _is_locked(descriptor):
        holder = found[0] or "unknown"
        if patience is None or not _comes_free(descriptor, holder, patience):
            raise _in_use(path, f"(pid {holder})")
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


def read_lines(descriptor: int) -> tuple[str, str] | None:
    """Return the pid and the status line in a lock file, "" for each that is missing.

    None stands for a file that is not a lock of ours.
    """
    regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
    found = os.pread(descriptor, _MOST + 1, 0) if regular else b"?"
    if len(found) > _MOST or not _OURS.fullmatch(found):
        return None
    pid, _, status = found.decode(errors="replace").partition("\n")
    return pid, status.rstrip()


def _is_locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _lock_database(path: Path) -> int:
    """Lock a byte of the database that SQLite does not use, and return the descriptor."""
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        _lock_bytes(descriptor, fcntl.F_WRLCK, _FAR, 1)
    except OSError as error:
        if error.errno in _NO_SUCH_LOCKS:
            return descriptor
        os.close(descriptor)
        if error.errno in (errno.EAGAIN, errno.EACCES):
            how = "(by another name of the file, or without its lock file)"
            raise _in_use(path, how) from error
        raise
    return descriptor


def _lock_bytes(descriptor: int, kind: int, start: int, length: int) -> None:
    """Lock bytes of a file.

    NOTE: such a lock belongs to the descriptor, where others belong to the process. Only Linux has
    them, and there only has one file several paths by mounts.
    """
    if hasattr(fcntl, "F_OFD_SETLK"):
        request = struct.pack("hhqqi4x", kind, os.SEEK_SET, start, length, 0)
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, request)


def _in_use(path: Path, how: str) -> StoreFault:
    return StoreFault(f"{path}: in use by another process that writes to it {how}; stop it first")
