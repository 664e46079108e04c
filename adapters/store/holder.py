"""Who writes to a store: the process that holds its lock, found so that no other one is signalled.

The pid in a lock file outlives its process, and the system gives the number to another one. So it
counts only while that very process has the file open and the lock is held.
"""

from __future__ import annotations

import fcntl
import os
import select
import signal
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Final

from attrs import field, frozen

from adapters.store.faults import StoreFault
from adapters.store.location import file_of
from adapters.store.lock import read_lines
from adapters.store.sqlite_file import lock_path

_PROC: Final = Path("/proc")


@frozen
class LockHolder:
    """The process that holds the lock of a store."""

    pid: int
    _lock: int = field(repr=False)
    _process: int | None = field(repr=False)
    """A descriptor of the process, where the system has such: no other one gets its signals."""

    def status(self) -> str:
        """Return the line that it has noted last, "" if there is none."""
        lines = read_lines(self._lock)
        return "" if lines is None or lines[0] != str(self.pid) else lines[1]

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal; raises ProcessLookupError if it has ended, PermissionError."""
        if self._process is not None:
            signal.pidfd_send_signal(self._process, number)
        else:
            os.kill(self.pid, number)

    def is_running(self) -> bool:
        """Say whether it still runs."""
        if self._process is not None:
            return not select.select([self._process], [], [], 0)[0]
        return _is_locked(self._lock)


@contextmanager
def lock_holder(url: str) -> Iterator[LockHolder | None]:
    """Give the process that holds the lock of a store, None if there is none that can be seen.

    Raises:
        StoreFault: if the store is in memory, or the process may not be looked at.
    """
    path = file_of(
        url,
        "a store in memory has no lock: send the gateway SIGHUP",
        "gateways on PostgreSQL hold no lock: send each of them SIGHUP",
    )
    with ExitStack() as opened:
        try:
            lock = os.open(lock_path(path), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            yield None
            return
        opened.callback(os.close, lock)
        lines, process = read_lines(lock), None
        pid = int(lines[0] or 0) if lines else 0
        # NOTE: it may have ended, or the system may have no such descriptors.
        with suppress(OSError, OverflowError, AttributeError):
            process = os.pidfd_open(pid)
            opened.callback(os.close, process)
        # NOTE: in this order: what is looked at is the process that is held on to.
        holds = pid > 0 and _has_open(pid, lock) and _is_locked(lock)
        yield LockHolder(pid, lock, process) if holds else None


def _has_open(pid: int, lock: int) -> bool:
    """Say whether a process has a file open; where the system does not say, that it has."""
    if not (_PROC / "self" / "fd").is_dir():
        return True
    wanted = os.fstat(lock)
    try:
        with closing(os.scandir(_PROC / str(pid) / "fd")) as entries:
            return any(_is_same(entry, wanted) for entry in entries)
    except FileNotFoundError:
        return False
    except PermissionError as error:
        raise StoreFault(f"pid {pid} is of another user: run this as the gateway's") from error


def _is_same(entry: os.DirEntry[str], wanted: os.stat_result) -> bool:
    try:
        return os.path.samestat(entry.stat(), wanted)
    except OSError:  # closed meanwhile
        return False


def _is_locked(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    fcntl.flock(lock, fcntl.LOCK_UN)
    return False
