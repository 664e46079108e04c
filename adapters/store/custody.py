"""Custody of a store's files: whether they are, at their names, what this process opened.

SQLite goes on writing to a file that was removed, replaced, copied over or opened by another name,
and acknowledges what nobody will ever read. So the files are verified before and after each commit,
and every second beside. What is found is never taken back: a breach lasts until the next start,
and until then nothing is read or written.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Final, NamedTuple, TypeAlias

from attrs import define, field

from adapters.store.faults import CustodyLost, root_cause, sqlite_code
from adapters.store.lock import WriterLock
from adapters.store.wal_index import WalIndex, checkpoints
from domain.application.ports import StoreUnavailable

OnBreach: TypeAlias = Callable[[str], None]
"""Is called once with the sentence that says what happened."""

_READS: Final = 3
"""How often a log that looks wrong is read: another program may begin it anew rightly."""

_MOST_READ: Final = 64 << 20
"""Bytes of a file that are read to see whether the disk fails; more would hold up a request."""

_DAMAGE: Final = {
    sqlite3.SQLITE_CORRUPT: "is damaged",
    sqlite3.SQLITE_NOTADB: "is damaged",
    sqlite3.SQLITE_READONLY_DBMOVED: "was moved or removed",
}

_Identity: TypeAlias = tuple[int, int]


class _Content(NamedTuple):
    """What the database file was when last seen, and the checkpoints until then."""

    size: int
    modified: int
    checkpoints: bytes


@define(eq=False)
class Custody:
    """Watches the files of a store that this process writes to; the lock is held already."""

    path: Path
    lock: WriterLock
    on_breach: OnBreach
    breach: str | None = field(default=None, init=False)
    _identities: dict[str, _Identity] = field(factory=dict, init=False)
    _index: WalIndex | None = field(default=None, init=False)
    _index_size: int = field(default=0, init=False)
    _content: _Content | None = field(default=None, init=False)
    _verifying: Lock = field(factory=Lock, init=False)

    def begin(self) -> None:
        """Take down what SQLite has opened; it must have read from the file once.

        Raises:
            StoreUnavailable: if the file is no longer the one that is locked, or cannot be seen.
        """
        index = self._index_path
        try:
            opened = os.stat(index)  # noqa: PTH116 - as below
            self._identities = {
                str(self.path): _identity(os.fstat(self.lock.database)),
                self._log: _identity(os.stat(self._log)),  # noqa: PTH116 - as below
                index: _identity(opened),
                str(self.lock.path): _identity(os.fstat(self.lock.descriptor)),
            }
            self._index_size = opened.st_size
            self._index = WalIndex(_opened(index), _opened(self._log))
        except OSError as error:
            raise StoreUnavailable(f"{self.path}: cannot be watched: {error}") from error
        self.verify()

    @property
    def _log(self) -> str:
        return f"{self.path}-wal"

    @property
    def _index_path(self) -> str:
        return f"{self.path}-shm"

    def prepare_end(self) -> None:
        """Look at the files once more: SQLite writes to them when it closes them."""
        with suppress(StoreUnavailable):
            self.verify()

    def is_log_adrift(self) -> bool:
        """Say whether the log is gone from its name, whole, and the database is as it was.

        Then nobody will find what is in the log, unless it is moved to the database.
        """
        if self.breach is None or self._index is None:
            return False
        database, seen = _found(self.path), checkpoints(self._index.read())
        return (
            database is not None
            and self._is_the_one(self.path, database)
            and not self._is_overwritten(database, seen, seen)
            and self._is_the_one(self._index_path, _found(self._index_path))
            and not self._is_the_one(self._log, _found(self._log))
            and self._index.agrees(self._index.read())
        )

    def _is_the_one(self, path: Path | str, found: os.stat_result | None) -> bool:
        return found is not None and _identity(found) == self._identities[str(path)]

    def release(self) -> None:
        """Give up the files. NOTE: only when SQLite has closed them: this drops its locks too."""
        if self._index is not None:
            self._index.close()
            self._index = None
        self.lock.release()

    def require(self) -> None:
        """Raise CustodyLost if there was a breach."""
        if self.breach is not None:
            raise CustodyLost(self.breach)

    def verify(self) -> None:
        """Compare the files with what was opened. PERF: 20 us; a synced commit takes 300 to 3,000.

        Raises:
            CustodyLost: if something has happened to them, now or before.
            StoreUnavailable: if that cannot be found out now.
        """
        with self._verifying:
            self.require()
            try:
                found = next(self._findings(), None)
            except OSError as error:
                raise StoreUnavailable(f"{self.path}: cannot be verified: {error}") from error
            if found is not None:
                self._declare(found)

    def log_size(self) -> int:
        """Return the bytes of the write-ahead log, 0 if it cannot be found."""
        try:
            return os.stat(self._log).st_size  # noqa: PTH116 - as below
        except OSError:
            return 0

    def judge(self, error: BaseException) -> None:
        """Raise CustodyLost if a fault of SQLite, maybe wrapped, comes of damage or lost files."""
        cause = root_cause(error)
        if (found := _damage(cause)) is not None and self._is_legible():
            with self._verifying:
                self._declare(f"{self.path}: {found}: {cause}")
        try:
            self.verify()
        except CustodyLost:
            raise
        except StoreUnavailable:
            return  # the fault itself says more

    def _is_legible(self) -> bool:
        """Say whether the disk gives what is in the files, be it damaged.

        NOTE: SQLite calls a read that fails with EIO corruption; but a disk may only be away.
        """
        try:
            log = _opened(self._log)
            try:
                _read(self.lock.database)
                _read(log)
            finally:
                os.close(log)
        except OSError:
            return False
        return True

    def _declare(self, found: str) -> None:
        if self.breach is None:
            self.breach = found
            self.lock.freeze()
            self.on_breach(found)
        raise CustodyLost(self.breach)

    def _findings(self) -> Iterator[str]:
        index = self._index
        began = None if index is None else checkpoints(index.read())
        seen: list[os.stat_result] = []
        for name, identity in self._identities.items():
            try:
                found = os.stat(name)  # noqa: PTH116 - PERF: Path.stat takes twice as long
            except (FileNotFoundError, NotADirectoryError):
                yield f"{name}: is not there any more"
                return
            if (found.st_dev, found.st_ino) != identity:
                yield f"{name}: was replaced by another file"
            seen.append(found)
        database, _, opened, _ = seen
        if database.st_nlink > 1:
            yield several_names(self.path, database.st_nlink)
        if index is None:
            return
        head = index.read()
        if self._is_overwritten(database, began, checkpoints(head)):
            yield f"{self.path}: was written to, but not by SQLite"
        if opened.st_size < self._index_size:
            yield f"{self._index_path}: was shortened, but not by SQLite"
        again = range(_READS - 1)
        if not (index.agrees(head) or any(index.agrees(index.read()) for _ in again)):
            yield f"{self._log}: is not what was written to it"

    def _is_overwritten(
        self, seen: os.stat_result, began: bytes | None, ended: bytes | None
    ) -> bool:
        """Say whether the database changed, looked at meanwhile, while no checkpoint did it."""
        if began is None or ended != began:
            return False  # one goes on: the next time will tell
        before, self._content = self._content, _Content(seen.st_size, seen.st_mtime_ns, began)
        return before is not None and before.checkpoints == began and before != self._content


def _found(path: Path | str) -> os.stat_result | None:
    try:
        return os.stat(path)  # noqa: PTH116 - as above
    except OSError:
        return None


def _opened(path: str) -> int:
    return os.open(path, os.O_RDONLY | os.O_CLOEXEC)


def _read(descriptor: int) -> None:
    at = 0
    while at < _MOST_READ and (part := os.pread(descriptor, 1 << 20, at)):
        at += len(part)


def several_names(path: Path, names: int) -> str:
    """Return what is wrong with a file of several names."""
    # NOTE: the log beside each name is another one, and each of them misses what is in the other.
    return f"{path}: has {names} names (hard links), and a log beside each would lose writes"


def _identity(found: os.stat_result) -> _Identity:
    return found.st_dev, found.st_ino


def _damage(error: BaseException) -> str | None:
    if isinstance(error, UnicodeDecodeError):
        return "is damaged"  # NOTE: what SQLite complains of is then no text
    code = sqlite_code(error)
    return _DAMAGE.get(code) or _DAMAGE.get(code & 0xFF)
