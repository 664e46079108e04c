"""The library's SQLite recorder, with the derived rows in the events' own transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import astuple, frozen
from eventsourcing.persistence import StoredEvent
from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteCursor, SQLiteDatastore

from adapters.store import schema
from adapters.store.group_commit import GroupCommit
from adapters.store.schema import KeyRow
from domain.flow.state import Flow, flow_stale_since


@frozen
class Derived:
    """What follows from a commit's events, and is written with them or not at all."""

    flow: Flow
    snapshot: StoredEvent
    key: KeyRow | None


class FlowRecorder(SQLiteApplicationRecorder):
    """Writes events, snapshot, index row and request key together."""

    def __init__(
        self, datastore: SQLiteDatastore, events_table_name: str = "stored_events"
    ) -> None:
        super().__init__(datastore, events_table_name)
        self.commits = GroupCommit(datastore)

    def construct_create_table_statements(self) -> list[str]:
        """Return the library's statements and ours."""
        return [*super().construct_create_table_statements(), *schema.TABLES]

    def insert_events(
        self,
        stored_events: Sequence[StoredEvent],
        **kwargs: Any,  # noqa: ANN401 - the library's signature
    ) -> Sequence[int] | None:
        """Write stored events and what follows from them, in a commit shared with other writers."""
        return self.commits.commit(lambda c: self._insert_events(c, stored_events, **kwargs))

    def insert_key(self, key: KeyRow) -> None:
        """Write the request key of a command that was accepted and led to no events."""

        def insert(c: SQLiteCursor) -> None:
            c.execute(schema.INSERT_KEY, astuple(key))

        self.commits.commit(insert)

    def _insert_events(
        self,
        c: SQLiteCursor,
        stored_events: Sequence[StoredEvent],
        *,
        derived: Derived | None = None,
        **kwargs: Any,  # noqa: ANN401 - the library's signature
    ) -> Sequence[int] | None:
        ids = super()._insert_events(c, stored_events, **kwargs)
        if derived is None or not ids:
            # NOTE: recorders ignore keywords that they do not know; ours must not be forgotten.
            raise AssertionError("events are saved with what follows from them")
        _insert_derived(
            c, derived, created=stored_events[0].originator_version == 1, position=ids[0]
        )
        return ids


def _insert_derived(c: SQLiteCursor, derived: Derived, *, created: bool, position: int) -> None:
    flow, snapshot = derived.flow, derived.snapshot
    if created:
        c.execute(schema.INSERT_INDEX, schema.index_row(flow, position))
    else:
        c.execute(schema.UPDATE_INDEX, (flow.status.value, flow_stale_since(flow), flow.flow_id))
        c.execute(schema.DELETE_SNAPSHOT, (flow.flow_id,))
    place = (flow.flow_id, snapshot.originator_version)
    c.execute(schema.INSERT_SNAPSHOT, (*place, snapshot.topic, snapshot.state))
    if derived.key is not None:
        c.execute(schema.INSERT_KEY, astuple(derived.key))
