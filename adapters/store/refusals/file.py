"""Where a refusal log is, and how its file is opened: by one to write, by any number to read."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Lock
from typing import Final

from adapters.store.faults import StoreFault
from adapters.store.location import file_name, make_file
from adapters.store.reading import reading
from adapters.store.refusals import schema
from adapters.store.sqlite import LOG_LIMIT

_LOCK_SECONDS: Final = 1.0
_SETTING_UP: Final = Lock()
"""Held while a new file is set up: refusals and configurations are written by two threads."""


def log_path(database: Path) -> Path:
    """Return where the refusal log of a database file is."""
    return database.with_name(database.name + ".refusals")


def open_to_write(path: Path) -> sqlite3.Connection:
    """Open a refusal log, made if it is missing, in its only process: the store's lock is held.

    Raises:
        StoreFault: if it cannot be made, or is not ours.
        sqlite3.Error: if SQLite cannot use it.
    """
    make_file(path)
    connection = sqlite3.connect(
        file_name(path, "rw"), uri=True, isolation_level=None, timeout=_LOCK_SECONDS
    )
    try:
        with _SETTING_UP:
            if _is_blank(connection):
                _set_up(connection)
        _check(connection, path)
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(f"PRAGMA journal_size_limit={LOG_LIMIT}")
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def opened_to_read(path: Path) -> Iterator[sqlite3.Connection | None]:
    """Open a refusal log only to read it; None if there is none, or nothing in it yet.

    Raises:
        StoreFault: if it is not ours.
        sqlite3.Error, OSError: if it cannot be read.
    """
    if not path.exists():
        yield None
        return
    with reading(path) as connection:
        if _is_blank(connection):
            yield None
            return
        _check(connection, path)
        connection.row_factory = sqlite3.Row
        yield connection


def _set_up(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        for table in schema.TABLES:
            connection.execute(table)
        connection.execute(f"PRAGMA application_id={schema.APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version={schema.SCHEMA_VERSION}")


def _check(connection: sqlite3.Connection, path: Path) -> None:
    if _identity(connection) != (schema.APPLICATION_ID, schema.SCHEMA_VERSION):
        raise StoreFault(f"{path}: is not a refusal log of version {schema.SCHEMA_VERSION}")


def _is_blank(connection: sqlite3.Connection) -> bool:
    with closing(connection.execute("SELECT count(*) FROM sqlite_master")) as found:
        tables: int = found.fetchone()[0]
    return tables == 0 and _identity(connection) == (0, 0)


def _identity(connection: sqlite3.Connection) -> tuple[int, int]:
    application: int = connection.execute("PRAGMA application_id").fetchone()[0]
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return application, version
