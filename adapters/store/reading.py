"""How a database file is read: beside its writer, or where nobody else can be; nothing is left.

`mode=ro` reads beside a writer, but makes the `-wal` and `-shm` of a database that writes ahead and
leaves them behind; where they cannot be made it cannot read at all, nor can it play back a log that
a copy brought along. So how a file is opened follows from what stands beside it (ADR 0033).
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Final, Protocol, TypeAlias

from attrs import frozen

from adapters.store.faults import StoreFault
from adapters.store.sqlite_file import companion, connect, file_name, has_tables

_COMPANIONS: Final = ("-wal", "-journal")
_ATTEMPTS: Final = 5
LOCK_SECONDS: Final = 1.0
_LAST: Final = (
    "SELECT rowid, originator_id, originator_version FROM stored_events ORDER BY rowid DESC LIMIT 1"
)
_SAME: Final = "SELECT rowid, originator_id, originator_version FROM stored_events WHERE rowid = ?"

FileState: TypeAlias = tuple[int, ...] | None
"""What a file was at some time; None if it is missing or empty."""


class ReadableFile(Protocol):
    """A database file that can be read by a name, until it is released."""

    @property
    def name(self) -> str:
        """Return SQLite's name of what is read."""
        ...

    def check(self) -> None:
        """Raise `sqlite3.OperationalError` if what was just read cannot be relied upon."""
        ...

    def release(self) -> None:
        """Leave nothing behind; every connection is closed before."""
        ...


@frozen
class ReadBeside:
    """A file that is read by SQLite's own rules, beside whoever writes to it."""

    path: Path
    wal_before: FileState

    @property
    def name(self) -> str:
        """Return SQLite's name of the file."""
        return file_name(self.path, "ro")

    def check(self) -> None:
        """Accept whatever was read: SQLite's locks see to it."""

    def release(self) -> None:
        """Let SQLite remove its companions, if they are not those that were found.

        NOTE: a connection that may write removes them when it is the last one to close, and then
        only. The log of a writer that was killed is evidence, and stays as it was found.
        """
        wal = _state(companion(self.path, "-wal"))
        if wal is not None and wal == self.wal_before:
            return
        if any(companion(self.path, suffix).exists() for suffix in ("-wal", "-shm")):
            _remove_companions(self.path)


@frozen
class ReadAlone:
    """A file in a place where its companions cannot be made, so that nobody writes to it here.

    NOTE: another user may, and SQLite would not notice: what changed while it was read is refused.
    """

    path: Path
    before: tuple[FileState, ...]

    @property
    def name(self) -> str:
        """Return SQLite's name of the file."""
        return file_name(self.path, "immutable")

    def check(self) -> None:
        """Raise if the file has changed since it was opened."""
        if _states(self.path) != self.before:
            sentence = "somebody began to write to it while it was read; try again"
            raise sqlite3.OperationalError(sentence)

    def release(self) -> None:
        """Leave nothing behind: nothing was made."""


@frozen
class ReadCopy:
    """A file that was copied with the log beside it, for SQLite to play that back in the copy."""

    folder: Path
    path: Path

    @property
    def name(self) -> str:
        """Return SQLite's name of the copy."""
        return file_name(self.path, "ro")

    def check(self) -> None:
        """Accept whatever was read: nobody knows of the copy."""

    def release(self) -> None:
        """Remove the copy."""
        shutil.rmtree(self.folder, ignore_errors=True)


def open_to_read(path: Path) -> ReadableFile:
    """Open a database file to be read, whatever copy of a database it is.

    Raises:
        StoreFault: if the log beside it is of another database.
        sqlite3.Error, UnicodeDecodeError, OSError: if it cannot be read.
    """
    opened = _opened(path)
    try:
        check_log(path, opened.name)
    except BaseException:
        opened.release()
        raise
    return opened


@contextmanager
def left_alone(path: Path) -> Iterator[None]:
    """Remove what looking at a file has made beside it, if it is refused."""
    beside = ReadBeside(path, _state(companion(path, "-wal")))
    try:
        yield
    except StoreFault:
        beside.release()
        raise


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Give a connection that reads a database file, and leaves nothing behind.

    Raises:
        StoreFault: if the log beside it is of another database.
        sqlite3.Error, UnicodeDecodeError, OSError: if it cannot be read.
    """
    opened = open_to_read(path)
    try:
        with closing(connect(opened.name, LOCK_SECONDS)) as connection:
            yield connection
            opened.check()
    finally:
        opened.release()


def _opened(path: Path) -> ReadableFile:
    wal, journal = (_state(companion(path, suffix)) for suffix in _COMPANIONS)
    if journal is not None or (wal is not None and not companion(path, "-shm").exists()):
        return _copied(path)
    beside, before = ReadBeside(path, wal), _states(path)
    try:
        _look(beside.name)
    except (sqlite3.Error, UnicodeDecodeError) as error:
        beside.release()
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code not in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY):
            raise
        return ReadAlone(path, before) if wal is None else _copied(path)
    return beside


def _copied(path: Path) -> ReadableFile:
    folder = Path(tempfile.mkdtemp(prefix="taskflow-"))
    try:
        copy = _copy_at_rest(path, folder)
        # NOTE: what was begun is rolled back, and the log is played back, by who may write.
        _look(file_name(copy, "rw"))
        return ReadCopy(folder, copy)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _copy_at_rest(path: Path, folder: Path) -> Path:
    """Copy a file and its logs as of a moment in which none of them changed."""
    for _ in range(_ATTEMPTS):
        before = _states(path)
        for source in (path, *(companion(path, suffix) for suffix in _COMPANIONS)):
            (folder / source.name).unlink(missing_ok=True)
            with suppress(FileNotFoundError):
                shutil.copyfile(source, folder / source.name)
        if _states(path) == before:
            return folder / path.name
    raise StoreFault(f"{path}: it changes while it is copied to be read; try again")


def check_log(path: Path, name: str) -> None:
    """Refuse a log of another database: what it holds would stand in place of the file's own.

    A log adds to its file. So the last event that the file has by itself must be there with the
    log too; a file that cannot be read by itself, as while it is written to, says nothing.

    Raises:
        StoreFault: if the log that is played back with `name` is of another database.
        sqlite3.Error, UnicodeDecodeError: if the file cannot be read with it.
    """
    if _state(companion(path, "-wal")) is None:
        return
    try:
        with closing(connect(file_name(path, "immutable"))) as alone:
            last = alone.execute(_LAST).fetchone()
    except (sqlite3.Error, UnicodeDecodeError):
        return
    if last is None:
        return
    with closing(connect(name, LOCK_SECONDS)) as connection:
        found = connection.execute(_SAME, (last[0],)).fetchone()
    if found != last:
        wal = companion(path, "-wal")
        raise StoreFault(
            f"{wal}: does not belong to the file that it stands beside, and would undo its"
            f" {last[0]} events; move it away"
        )


def _look(name: str) -> None:
    with closing(connect(name, LOCK_SECONDS)) as connection:
        has_tables(connection)


def _remove_companions(path: Path) -> None:
    try:
        _look(file_name(path, "rw"))
    except (sqlite3.Error, UnicodeDecodeError):
        return  # whoever may only read cannot remove them


def _states(path: Path) -> tuple[FileState, ...]:
    return tuple(_state(companion(path, suffix)) for suffix in ("", *_COMPANIONS))


def _state(path: Path) -> FileState:
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns) if found.st_size else None
