"""How the file of a refusal log is opened: by one to write, by any number to read."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any, Final

from attrs import frozen

from adapters.store.faults import StoreFault, undone_by
from adapters.store.location import make_file
from adapters.store.reading import LOCK_SECONDS, reading
from adapters.store.refusals import schema
from adapters.store.sqlite_file import (
    connect,
    file_name,
    holds_nothing,
    read_identity,
    write_identity,
)
from adapters.store.sqlite_pool import LOG_LIMIT
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
    with undone_by(connection.close):
        with _SETTING_UP:
            if holds_nothing(connection):
                _set_up(connection)
        _check(connection, path)
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(f"PRAGMA journal_size_limit={LOG_LIMIT}")
    return connection


@frozen
class _FileTables:
    connection: sqlite3.Connection

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Cursor]:
        with self.connection:
            cursor = self.connection.execute("BEGIN IMMEDIATE")
            yield cursor

    def make(self, tables: Sequence[str]) -> None:
        with self.transaction() as cursor:
            for table in tables:
                cursor.execute(table)

    def close(self) -> None:
        self.connection.close()


@frozen
class SideFile:
    """A refusal log in a file, which may not be there yet."""

    name: Path

    def open(self) -> _FileTables:
        """Open it to write, made if it is missing; raises what `open_to_write` does."""
        return _FileTables(open_to_write(self.name))

    def select(self, table: str, query: str, *params: object) -> Sequence[Any]:
        """Return rows of a table, read beside its writer; none if there is no log or table yet.

        PERF: this costs 0.2 ms, and lets any thread ask, of a log that its gateway may not have
        begun.

        Raises:
            StoreUnavailable: if it is not ours, or cannot be read.
        """
        if not self.name.exists():
            return []
        try:
            with reading(self.name) as connection:
                if holds_nothing(connection):
                    return []
                _check(connection, self.name)
                if connection.execute(_EXISTS, (table,)).fetchone() is None:
                    return []
                connection.row_factory = sqlite3.Row
                return connection.execute(query, params).fetchall()
        except StoreFault as fault:
            raise StoreUnavailable(str(fault)) from fault
        except (OSError, sqlite3.Error, UnicodeDecodeError) as error:
            raise StoreUnavailable(f"{self.name}: cannot be read: {error}") from error


def page_of(rows: Sequence[Any], limit: int) -> tuple[Sequence[Any], int | None]:
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
