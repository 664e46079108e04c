"""Where a store is: a database URL, and the files that it means.

`sqlite:///relative.db` and `sqlite:////absolute.db` are files, by their names as they are (nothing
is percent-encoded); `sqlite://:memory:` lives as long as the store is open. `postgresql://...` is
a database on a server, as libpq reads it.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from glob import escape
from pathlib import Path
from typing import Final, TypeAlias, assert_never

from attrs import frozen

from adapters.store.faults import StoreFault, usable
from adapters.store.schema import APPLICATION_ID, READABLE, SCHEMA_VERSION
from adapters.store.sqlite_file import (
    COMPANIONS,
    companion,
    connect,
    file_name,
    has_tables,
    holds_nothing,
    lock_path,
    log_path,
    read_identity,
    write_identity,
)

_PREFIX: Final = "sqlite:///"
_MEMORY: Final = "sqlite://:memory:"
_DATABASE: Final = "postgresql://"


@frozen
class Memory:
    """A database in this process's memory."""


@frozen
class File:
    """A database file, by its absolute path without links."""

    path: Path


@frozen
class Database:
    """A database of PostgreSQL, by its URL."""

    url: str


StoreLocation: TypeAlias = Memory | File | Database


def parse_url(url: str) -> StoreLocation:
    """Return the location that a database URL means; a relative one is relative to here.

    Raises:
        StoreFault: if the URL is not one that we serve.
    """
    if url == _MEMORY:
        return Memory()
    if url.startswith(_DATABASE):
        return Database(url)
    path = url.removeprefix(_PREFIX)
    if not url.startswith(_PREFIX) or not path or "\0" in path:
        # APPSEC: the URL is not shown, as that of another database may hold a password.
        raise StoreFault(
            "the database URL is not one of a file: expected sqlite:///PATH, or postgresql://..."
        )
    # NOTE: realpath, as Path.resolve raises on a loop of links before Python 3.13.
    return File(Path(os.path.realpath(path)))


def file_of(url: str, in_memory: str, on_server: str) -> Path:
    """Return the file that a database URL means.

    Raises:
        StoreFault: if the URL is not one that we serve; with a sentence of the caller's if it is
            of a store in memory, which no other process can open, or on a server.
    """
    location = parse_url(url)
    match location:
        case Memory():
            raise StoreFault(in_memory)
        case Database():
            raise StoreFault(on_server)
        case File(path):
            return path
        case _:
            assert_never(location)


def store_files(url: str) -> Mapping[Path, str]:
    """Return the files of a store, whether they are there or not, and what each of them is.

    Raises:
        StoreFault: if the URL is not one that we serve.
    """
    location = parse_url(url)
    if not isinstance(location, File) or not location.path.name:
        return {}
    store, refusals = location.path, log_path(location.path)
    return {
        store: "the store",
        **{companion(store, suffix): "a file of the store" for suffix in COMPANIONS},
        lock_path(store): "the lock of the store",
        refusals: "the refusals of the store",
        **{companion(refusals, suffix): "a file of the refusals" for suffix in COMPANIONS},
    }


def make_file(path: Path) -> None:
    """Make an empty file, with its folder, unless there is one.

    NOTE: a file that is there is not opened: to close it again would drop the locks that SQLite
    holds on it for this process.

    Raises:
        StoreFault: if it cannot be made, or cannot be read and written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise StoreFault(f"{path}: cannot be made: {error.strerror}") from error
    if not path.is_file() or not os.access(path, os.R_OK | os.W_OK):
        raise StoreFault(f"{path}: is not a file that can be read and written")


def kept_name(path: Path, number: int | str) -> str:
    """Return the name by which a restore keeps what it replaces."""
    return f"{path.name}.replaced-{number}"


def drop_kept_name(path: Path) -> None:
    """Remove the second name that a restore gave to a store and, being killed, did not use."""
    if path.stat().st_nlink > 1:
        for kept in path.parent.glob(kept_name(Path(escape(path.name)), "*")):
            if kept.samefile(path) and not kept.is_symlink():
                kept.unlink()


def recover_journal(path: Path) -> None:
    """Let SQLite roll back what a first start had begun when the power went, if it had.

    NOTE: a journal that was left behind is played back by a process that may write; until then
    nobody else can read the file. Only a file that does not write ahead yet can have one.

    Raises:
        StoreFault: if it cannot be rolled back.
    """
    if companion(path, "-journal").exists():
        with _connected(path, file_name(path, "rw")) as connection:
            has_tables(connection)


def refuse_stray(path: Path) -> None:
    """Refuse to make a file beside what SQLite would play back into it.

    NOTE: a log does not say of which database it is; it would replace what was just written.

    Raises:
        StoreFault: if something is there.
    """
    for suffix in COMPANIONS:
        stray = companion(path.resolve(), suffix)
        if os.path.lexists(stray):
            raise StoreFault(f"{stray}: belongs to a file that is not there: move it away")


def check_identity(path: Path, name: str | None = None) -> None:
    """Check that a file is a store of ours, of a version that we read.

    It is opened by the name that SQLite has for it, if that is not the plain one.

    Raises:
        StoreFault: if it is not.
    """
    with _connected(path, name or file_name(path, "ro")) as connection:
        application, version = read_identity(connection)
    if application != APPLICATION_ID:
        raise StoreFault(f"{path}: is not a TaskFlow store")
    if version not in READABLE:
        found = f"is a store of version {version}, this program reads version {SCHEMA_VERSION}"
        raise StoreFault(f"{path}: {found}")


def is_blank(path: Path) -> bool:
    """Say whether a file holds no database yet."""
    with _connected(path, file_name(path, "ro")) as connection:
        return holds_nothing(connection)


def stamp(path: Path) -> None:
    """Mark a blank file as a store of ours."""
    with _connected(path, file_name(path, "rw")) as connection:
        connection.execute("BEGIN IMMEDIATE")
        write_identity(connection, (APPLICATION_ID, SCHEMA_VERSION))
        connection.execute("COMMIT")


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _connected(path: Path, name: str) -> Iterator[sqlite3.Connection]:
    with usable(path), closing(connect(name)) as connection:
        yield connection
