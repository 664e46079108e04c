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
VIEWS: Final = "flow_views"
TASKS: Final = "flow_tasks"
VALUES: Final = "flow_values"
NAMES: Final = "flow_names"
FILTERS: Final = "flow_filters"
WAITS: Final = "flow_waits"
LINKS: Final = "resume_links"
PAST: Final = "past_flows"
DERIVED: Final = (
    *(NAMES, FILTERS, WAITS, LINKS, TASKS, VALUES),
    *(SNAPSHOTS, INDEX, VIEWS, PAST, KEYS),
)
HEALTHY: Final[Mapping[str, int]] = dict.fromkeys(DERIVED, 0)
"""What a rebuild changes in a store that needs none."""


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


def delete_caches(store: EventSourcedStore) -> None:
    """Empty the caches: of folded flows, and of what callers are shown."""
    execute(store, "DELETE FROM stored_snapshots")
    execute(store, "DELETE FROM flow_tasks")
    execute(store, "DELETE FROM flow_views")
    execute(store, "DELETE FROM flow_values")
    execute(store, "DELETE FROM past_flows")
