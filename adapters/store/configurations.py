"""The log of configurations: tables beside the refusals, written when a configuration changes."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Final

from attrs import astuple, frozen

from adapters.store.faults import StoreFault
from adapters.store.refusals.file import page_of
from adapters.store.refusals.place import SidePlace, SideTables, existing_side_place, side_place
from domain.application.ports import StoreUnavailable
from domain.flow.values import Timestamp
from domain.history.configuration import (
    Cause,
    ConfigurationChange,
    ConfigurationPage,
    ConfigurationState,
    FieldChange,
    changed_fields,
)

MOST_CHANGES: Final = 10_000
"""How many changes are kept, the newest; a start without any is none."""

_SALT_BYTES: Final = 16
TABLES: Final = (
    """CREATE TABLE IF NOT EXISTS configuration_changes (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        at INTEGER NOT NULL,
        cause TEXT NOT NULL,
        pid INTEGER NOT NULL,
        changes TEXT NOT NULL
    )""",
    "CREATE TABLE IF NOT EXISTS configuration_state (state TEXT NOT NULL, salt BLOB NOT NULL)",
)
_INSERT: Final = "INSERT INTO configuration_changes (at, cause, pid, changes) VALUES (?,?,?,?)"
_DROP: Final = (
    "DELETE FROM configuration_changes WHERE number <="
    " (SELECT max(number) FROM configuration_changes) - ?"
)
_SELECT: Final = (
    "SELECT number, at, cause, pid, changes FROM configuration_changes"
    " WHERE number < ? ORDER BY number DESC LIMIT ?"
)
_BEYOND: Final = 1 << 62


def record_configuration(
    url: str, describe: Callable[[bytes], ConfigurationState], *, at: Timestamp, cause: Cause
) -> None:
    """Write what differs from the configuration that was recorded last, if anything does.

    `describe` returns the configuration, its secrets digested with the salt that it is given, which
    this store alone has. A store in memory keeps nothing: nobody else could read it.

    Raises:
        StoreUnavailable: if it cannot be written; then nothing is.
    """
    place = side_place(url)
    if place is None:
        return
    with _translated(place), closing(place.open()) as log:
        before, salt = _last(log)
        after = describe(salt)
        if changes := changed_fields(before, after):
            text = json.dumps([astuple(change) for change in changes])
            with log.transaction() as cursor:
                cursor.execute(_INSERT, (at, cause.value, os.getpid(), text))
                cursor.execute(_DROP, (MOST_CHANGES,))
                cursor.execute("UPDATE configuration_state SET state = ?", (json.dumps(after),))


def _last(log: SideTables) -> tuple[ConfigurationState, bytes]:
    log.make(TABLES)
    with log.transaction() as cursor:
        cursor.execute("SELECT state, salt FROM configuration_state")
        found = cursor.fetchone()
        if found is None:
            found = "{}", os.urandom(_SALT_BYTES)
            cursor.execute("INSERT INTO configuration_state VALUES (?,?)", found)
    return json.loads(found[0]), found[1]


def read_configurations(url: str) -> StoredConfigurations:
    """Return the changes of the configuration of a store's gateway; none if nothing was written.

    Raises:
        StoreFault: if the store is in memory, where nobody else can read it.
    """
    return StoredConfigurations(
        existing_side_place(url, "a store in memory keeps no log of configurations")
    )


@frozen
class StoredConfigurations:
    """A log of configurations: a `domain.history.configuration.ConfigurationLog`."""

    place: SidePlace

    def page(self, *, limit: int, before: int | None = None) -> ConfigurationPage:
        """Return at most `limit` changes, newest first, those numbered before a cursor."""
        with _translated(self.place):
            first = _BEYOND if before is None else before
            rows = self.place.select("configuration_changes", _SELECT, first, limit + 1)
            shown, cursor = page_of(rows, limit)
            return ConfigurationPage(changes=[_change(row) for row in shown], next_cursor=cursor)


def _change(row: sqlite3.Row) -> ConfigurationChange:
    changes = [FieldChange(*change) for change in json.loads(row["changes"])]
    return ConfigurationChange(
        number=row["number"],
        at=row["at"],
        cause=Cause(row["cause"]),
        pid=row["pid"],
        changes=changes,
    )


@contextmanager
def _translated(place: SidePlace) -> Iterator[None]:
    try:
        yield
    except (StoreFault, sqlite3.Error, ValueError, TypeError) as error:
        raise StoreUnavailable(f"{place.name}: the log of configurations: {error}") from error
