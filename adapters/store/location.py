"""Where a store is: a database URL, and the file that it means.

`sqlite:///relative.db` and `sqlite:////absolute.db` are files, by their names as they are (nothing
is percent-encoded); `sqlite://:memory:` lives as long as the store is open.
"""

from __future__ import annotations

import itertools
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from glob import escape
from pathlib import Path
from typing import Final, Literal, TypeAlias
from urllib.parse import quote

from attrs import frozen

from adapters.store.faults import StoreFault, usable
from adapters.store.schema import APPLICATION_ID, SCHEMA_VERSION

_PREFIX: Final = "sqlite:///"
_MEMORY: Final = "sqlite://:memory:"
_COUNTER: Final = itertools.count()


@frozen
class Memory:
    """A database in this process's memory."""


@frozen
class File:
    """A database file, by its absolute path without links."""

    path: Path


StoreLocation: TypeAlias = Memory | File


def parse_url(url: str) -> StoreLocation:
    """Return the location that a database URL means; a relative one is relative to here.

    Raises:
        StoreFault: if the URL is not one that we serve.
    """
    if url == _MEMORY:
        return Memory()
    if url.startswith(("postgresql:", "postgres:")):
        raise StoreFault("PostgreSQL is not supported yet; use sqlite:///PATH")
    path = url.removeprefix(_PREFIX)
    if not url.startswith(_PREFIX) or not path or "\0" in path:
        # APPSEC: the URL is not shown, as that of another database may hold a password.
        raise StoreFault("the database URL is not one of a file: expected sqlite:///PATH")
    # NOTE: realpath, as Path.resolve raises on a loop of links before Python 3.13.
    return File(Path(os.path.realpath(path)))


def memory_name() -> str:
    """Return a name for a new database in memory, which all connections of one store share."""
    return f"file:taskflow-{os.getpid()}-{next(_COUNTER)}?mode=memory&cache=shared"


def file_name(path: Path, mode: Literal["ro", "rw", "immutable"]) -> str:
    """Return SQLite's name of a file: to be read, to be written too, or where it cannot change."""
    options = "immutable=1&mode=ro" if mode == "immutable" else f"mode={mode}"
    return f"file:{quote(str(path))}?{options}"


def is_read_only(name: str) -> bool:
    """Say whether SQLite's name of a file lets it only be read."""
    return name.endswith("mode=ro")


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

    NOTE: a journal that was left behind is played back by whoever may write; until then nobody
    else can read the file. Only a file that does not write ahead yet can have one.

    Raises:
        StoreFault: if it cannot be rolled back.
    """
    if path.with_name(path.name + "-journal").exists():
        with _connected(path, file_name(path, "rw")) as connection:
            connection.execute("SELECT count(*) FROM sqlite_master")


def check_identity(path: Path, name: str | None = None) -> None:
    """Check that a file is a store of ours, of the version that we read.

    It is opened by the name that SQLite has for it, if that is not the plain one.

    Raises:
        StoreFault: if it is not.
    """
    with _connected(path, name or file_name(path, "ro")) as connection:
        application, version = _identity(connection)
    if application != APPLICATION_ID:
        raise StoreFault(f"{path}: is not a TaskFlow store")
    if version != SCHEMA_VERSION:
        found = f"is a store of version {version}, this program reads version {SCHEMA_VERSION}"
        raise StoreFault(f"{path}: {found}")


def is_blank(path: Path) -> bool:
    """Say whether a file holds no database yet."""
    with _connected(path, file_name(path, "ro")) as connection:
        tables: int = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        return tables == 0 and _identity(connection) == (0, 0)


def stamp(path: Path) -> None:
    """Mark a blank file as a store of ours."""
    with _connected(path, file_name(path, "rw")) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
        connection.execute("COMMIT")


@contextmanager
def _connected(path: Path, name: str) -> Iterator[sqlite3.Connection]:
    with (
        usable(path),
        closing(sqlite3.connect(name, uri=True, isolation_level=None)) as connection,
    ):
        yield connection


def _identity(connection: sqlite3.Connection) -> tuple[int, int]:
    application: int = connection.execute("PRAGMA application_id").fetchone()[0]
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return application, version
