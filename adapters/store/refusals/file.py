"""How the file of a refusal log is opened: by one to write, by any number to read."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Final

from adapters.store.faults import StoreFault
from adapters.store.location import make_file
from adapters.store.reading import LOCK_SECONDS, reading
from adapters.store.refusals import schema
from adapters.store.sqlite import LOG_LIMIT
from adapters.store.sqlite_file import (
    connect,
    file_name,
    holds_nothing,
    read_identity,
    write_identity,
)
from domain.application.ports import StoreUnavailable

_IDENTITY: Final = (schema.APPLICATION_ID, schema.SCHEMA_VERSION)
_EXISTS: Final = "SELECT 1 FROM sqlite_master WHERE name = ?"
_SETTING_UP: Final = Lock()
"""Held while a new file is set up: refusals and configurations are written by two threads."""


def open_to_write(path: Path) -> sqlite3.Connection:
    """Open a refusal log, made if it is missing, in its only process: the store's lock is held.

    Raises:
        StoreFault: if it cannot be made, or is not ours.
        sqlite3.Error: if SQLite cannot use it.
    """
    make_file(path)
    connection = connect(file_name(path, "rw"), LOCK_SECONDS)
    try:
        with _SETTING_UP:
            if holds_nothing(connection):
                _set_up(connection)
        _check(connection, path)
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(f"PRAGMA journal_size_limit={LOG_LIMIT}")
    except BaseException:
        connection.close()
        raise
    return connection


def select(path: Path, table: str, query: str, *params: object) -> Sequence[sqlite3.Row]:
    """Return rows of a table, read beside its writer; none if there is no log or table yet.

    PERF: this costs 0.2 ms, and lets any thread ask, of a log that its gateway may not have begun.

    Raises:
        StoreUnavailable: if it is not ours, or cannot be read.
    """
    if not path.exists():
        return []
    try:
        with reading(path) as connection:
            if holds_nothing(connection):
                return []
            _check(connection, path)
            if connection.execute(_EXISTS, (table,)).fetchone() is None:
                return []
            connection.row_factory = sqlite3.Row
            return connection.execute(query, params).fetchall()
    except StoreFault as fault:
        raise StoreUnavailable(str(fault)) from fault
    except (OSError, sqlite3.Error, UnicodeDecodeError) as error:
        raise StoreUnavailable(f"{path}: cannot be read: {error}") from error


def page_of(rows: Sequence[sqlite3.Row], limit: int) -> tuple[Sequence[sqlite3.Row], int | None]:
    """Return the rows of a page, of which one more was asked for, and the cursor of the rest."""
    shown = rows[:limit]
    return shown, shown[-1]["number"] if len(rows) > limit else None


def _set_up(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        for table in schema.TABLES:
            connection.execute(table)
        write_identity(connection, _IDENTITY)


def _check(connection: sqlite3.Connection, path: Path) -> None:
    if read_identity(connection) != _IDENTITY:
        raise StoreFault(f"{path}: is not a refusal log of version {schema.SCHEMA_VERSION}")
