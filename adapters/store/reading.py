"""How a database file is read: beside its writer, or where nobody else can be; nothing is left.

`mode=ro` reads beside a writer, but makes the `-wal` and `-shm` of a database that writes ahead and
leaves them behind; where they cannot be made it cannot read at all, nor can it play back a log that
a copy brought along. So how a file is opened follows from what stands beside it (ADR 0033).
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Final, TypeAlias

import orjson
from attrs import frozen

from adapters.store.faults import StoreFault, undone_by
from adapters.store.sqlite_file import companion, connect, file_name, has_tables

_COMPANIONS: Final = ("-wal", "-journal")
_ATTEMPTS: Final = 5
LOCK_SECONDS: Final = 1.0
_LAST: Final = (
    "SELECT rowid, originator_id, originator_version, state FROM stored_events"
    " ORDER BY rowid DESC LIMIT 1"
)
_SAME: Final = "SELECT rowid, originator_id, originator_version FROM stored_events WHERE rowid = ?"

FileState: TypeAlias = tuple[int, ...] | None
"""What a file was at some time; None if it is missing or empty."""


def _nothing() -> None:
    """Do nothing."""


@frozen
class ReadableFile:
    """A database file that can be read by SQLite's name of it, until it is released.

    `check` raises `sqlite3.OperationalError` if what was just read cannot be relied upon. `release`
    leaves nothing behind; every connection is closed before.
    """

    name: str
    check: Callable[[], None] = _nothing
    release: Callable[[], None] = _nothing


def open_to_read(path: Path) -> ReadableFile:
    """Open a database file to be read, whatever copy of a database it is.

    Raises:
        StoreFault: if the log beside it is of another database.
        sqlite3.Error, UnicodeDecodeError, OSError: if it cannot be read.
    """
    opened = _opened(path)
    with undone_by(opened.release):
        check_log(path, opened.name)
    return opened


@contextmanager
def left_alone(path: Path) -> Iterator[None]:
    """Remove what looking at a file has made beside it, if it is refused."""
    wal = _state(companion(path, "-wal"))
    try:
        yield
    except StoreFault:
        _leave_as_found(path, wal)
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
    before, name = _states(path), file_name(path, "ro")
    try:
        _look(name)
    except (sqlite3.Error, UnicodeDecodeError) as error:
        _leave_as_found(path, wal)
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code not in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY):
            raise
        return _alone(path, before) if wal is None else _copied(path)
    return ReadableFile(name, release=partial(_leave_as_found, path, wal))


def _leave_as_found(path: Path, wal_before: FileState) -> None:
    """Let SQLite remove a file's companions, if they are not those that were found.

    NOTE: a connection that may write removes them when it is the last one to close, and then only.
    The log of a writer that was killed is evidence, and stays as it was found.
    """
    wal = _state(companion(path, "-wal"))
    if wal is not None and wal == wal_before:
        return
    if any(companion(path, suffix).exists() for suffix in ("-wal", "-shm")):
        with suppress(sqlite3.Error, UnicodeDecodeError):  # who may only read cannot remove them
            _look(file_name(path, "rw"))


def _alone(path: Path, before: tuple[FileState, ...]) -> ReadableFile:
    """Read a file where its companions cannot be made, so that nobody writes to it from here.

    NOTE: another user may, and SQLite would not notice: what changed while it was read is refused.
    """

    def check() -> None:
        if _states(path) != before:
            sentence = "somebody began to write to it while it was read; try again"
            raise sqlite3.OperationalError(sentence)

    return ReadableFile(file_name(path, "immutable"), check)


def _copied(path: Path) -> ReadableFile:
    """Copy a file with the log beside it, for SQLite to play that back in the copy."""
    folder = Path(tempfile.mkdtemp(prefix="taskflow-"))
    try:
        copy = _copy_at_rest(path, folder)
        # NOTE: what was begun is rolled back, and the log is played back, by who may write.
        _look(file_name(copy, "rw"))
        remove = partial(shutil.rmtree, folder, ignore_errors=True)
        return ReadableFile(file_name(copy, "ro"), release=remove)
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
    log too; a file that cannot be read by itself, as while it is written to, says nothing, nor does
    one of whose last event a power cut in the middle of a checkpoint left a part.

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
    if last is None or not _is_event(last[3]):
        return
    with closing(connect(name, LOCK_SECONDS)) as connection:
        found = connection.execute(_SAME, (last[0],)).fetchone()
    if found != last[:3]:
        wal = companion(path, "-wal")
        raise StoreFault(
            f"{wal}: does not belong to the file that it stands beside, and would undo its"
            f" {last[0]} events; move it away"
        )


def _is_event(state: object) -> bool:
    try:
        fields = orjson.loads(state) if isinstance(state, bytes) else None
    except ValueError:
        return False
    return isinstance(fields, dict) and "event" in fields


def _look(name: str) -> None:
    with closing(connect(name, LOCK_SECONDS)) as connection:
        has_tables(connection)


def _states(path: Path) -> tuple[FileState, ...]:
    return tuple(_state(companion(path, suffix)) for suffix in ("", *_COMPANIONS))


def _state(path: Path) -> FileState:
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns) if found.st_size else None
