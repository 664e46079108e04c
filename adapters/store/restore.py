"""A store put back from a copy: checked before anything is touched, and what was there is kept.

At every moment a kill leaves the old store or the new one, whole and with its own companions.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Final

from attrs import define

from adapters.store.backup import copy_checked
from adapters.store.faults import StoreFault, usable
from adapters.store.location import file_of, kept_name, make_file, sync_folder
from adapters.store.lock import take_lock
from adapters.store.opening import open_for_reading
from adapters.store.reading import reading
from adapters.store.schema import APPLICATION_ID
from adapters.store.sqlite_file import (
    COMPANIONS,
    companion,
    connect,
    file_name,
    has_tables,
    read_identity,
)
from adapters.store.store import EventSourcedStore
from domain.application.ports import Progress

_LOGS: Final = ("-wal", "-journal")


def check_source(url: str, source: Path) -> Path:
    """Check that a file may be what a store is restored from, and return where the store is.

    Raises:
        StoreFault: if it may not.
    """
    path = file_of(
        url,
        "a store in memory cannot be restored",
        "a database of PostgreSQL is restored by pg_restore",
    )
    if not source.is_file():
        what = "is not a regular file" if source.exists() else "no such file"
        raise StoreFault(f"{source}: {what}")
    if path.exists() and source.samefile(path):
        raise StoreFault(f"{source}: is the store itself")
    if path.exists() and not path.is_file():
        raise StoreFault(f"{path}: is not a file")
    for log in (companion(source, suffix) for suffix in _LOGS):
        if log.exists() and log.stat().st_size:
            raise StoreFault(
                f"{log}: stands beside the copy, and may belong to another; move it away, or make"
                f" one file of both: taskflow store backup NEW --database sqlite:///{source}"
            )
    return path


@define
class Restore:
    """A store that is about to be replaced by a copy, while nobody may write to it."""

    path: Path
    written: Path
    is_whole: bool = False
    """Whether the store that is there was read, so that its log is its own."""

    kept: Path | None = None
    """What has become of the store that was there, once it is replaced."""

    @contextmanager
    def candidate(self) -> Iterator[EventSourcedStore]:
        """Open the copy to look at it."""
        with closing(open_for_reading(f"sqlite:///{self.written}")) as store:
            yield store

    @contextmanager
    def present(self) -> Iterator[EventSourcedStore | None]:
        """Open the store that is there to look at it; None if there is none.

        Raises:
            StoreFault: if it cannot be read.
        """
        if not _has_content(self.path) or _is_blank(self.path):
            yield None
            return
        with closing(open_for_reading(f"sqlite:///{self.path}")) as store:
            yield store
        self.is_whole = True

    def replace(self) -> None:
        """Put the copy in the place of what is there, which is kept under another name.

        Raises:
            StoreFault: if somebody reads it, who needs its log, or it belongs to another user.
            OSError: if the disk does not take it.
        """
        if self.path.exists():
            _belong_alike(self.written, self.path)
        if self.is_whole:
            _fold_log(self.path)
        logs = [suffix for suffix in _LOGS if _has_content(companion(self.path, suffix))]
        if _has_content(self.path) or logs:
            self.kept = _free_name(self.path)
            # NOTE: a log that is not folded belongs to a damaged store, and is kept beside it.
            for suffix in logs:
                _copy_synced(companion(self.path, suffix), companion(self.kept, suffix))
            if self.path.exists():
                self.kept.hardlink_to(self.path)
        for suffix in COMPANIONS:
            companion(self.path, suffix).unlink(missing_ok=True)
        sync_folder(self.path.parent)
        self.written.replace(self.path)


@contextmanager
def restoring(path: Path, source: Path, *, written: Path, progress: Progress) -> Iterator[Restore]:
    """Make a checked copy of a file to restore a store from; nobody may write to that meanwhile.

    Raises:
        StoreFault: if the file is no whole store of ours, if what is there is not ours, or in use.
    """
    copy_checked(source, written, progress)
    is_new = not path.exists()
    make_file(path)  # a lock needs it
    lock = take_lock(path)
    try:
        _spare_others(path)
        yield Restore(path, written)
    finally:
        if is_new and not _has_content(path):
            path.unlink(missing_ok=True)
        lock.release()


def _is_blank(path: Path) -> bool:
    with usable(path), reading(path) as connection:
        return not has_tables(connection)


def _spare_others(path: Path) -> None:
    """Refuse to replace the database of another application, which can be read as one."""
    if not _has_content(path):
        return
    with (
        suppress(sqlite3.Error, UnicodeDecodeError),
        closing(connect(file_name(path, "immutable"))) as connection,
    ):
        if read_identity(connection)[0] != APPLICATION_ID and has_tables(connection):
            raise StoreFault(f"{path}: is a database of another application, and is not replaced")


def _fold_log(path: Path) -> None:
    """Let SQLite put the log of a store into its file, so that the file is all there is."""
    with usable(path), closing(connect(file_name(path, "rw"))) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    if any(_has_content(companion(path, suffix)) for suffix in _LOGS):
        raise StoreFault(f"{path}: is being read by another process; stop it first")


def _belong_alike(written: Path, path: Path) -> None:
    """Give a file the owner and mode of another, whose users must be able to use it too."""
    status, own = path.stat(), written.stat()
    try:
        if (own.st_uid, own.st_gid) != (status.st_uid, status.st_gid):
            os.chown(written, status.st_uid, status.st_gid)
    except PermissionError as error:
        raise StoreFault(
            f"{path}: belongs to user {status.st_uid} and group {status.st_gid}: restore it as"
            " that user, or as root"
        ) from error
    written.chmod(status.st_mode & 0o777)


def _copy_synced(source: Path, target: Path) -> None:
    with source.open("rb") as old, target.open("xb") as new:
        shutil.copyfileobj(old, new)
        new.flush()
        os.fsync(new.fileno())


def _free_name(path: Path) -> Path:
    names = (path.with_name(kept_name(path, number)) for number in count(1))
    return next(name for name in names if not name.exists())


def _has_content(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0
