"""The tables below a store, read and written behind its back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

from adapters.store import EventSourcedStore

Row: TypeAlias = tuple[object, ...]

EVENTS: Final = "stored_events"
SNAPSHOTS: Final = "stored_snapshots"
INDEX: Final = "flow_index"
KEYS: Final = "request_keys"
DERIVED: Final = (SNAPSHOTS, INDEX, KEYS)


def execute(store: EventSourcedStore, statement: str, *params: object) -> None:
    """Run a statement on a store's database, in a transaction of its own."""
    with store.application.datastore.transaction(commit=True) as cursor:
        cursor.execute(statement, params)


def rows(store: EventSourcedStore, table: str) -> list[Row]:
    """Return the rows of a table."""
    with store.application.datastore.transaction(commit=False) as cursor:
        cursor.execute(f"SELECT * FROM {table}")  # noqa: S608 - one of the names above
        return sorted((tuple(row) for row in cursor.fetchall()), key=repr)


def contents(store: EventSourcedStore) -> Mapping[str, list[Row]]:
    """Return the rows of all tables."""
    return {table: rows(store, table) for table in (EVENTS, *DERIVED)}


def delete_snapshots(store: EventSourcedStore) -> None:
    """Empty the cache of folded flows."""
    execute(store, "DELETE FROM stored_snapshots")
