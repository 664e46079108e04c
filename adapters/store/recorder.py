"""The library's SQLite recorder, with the derived rows in the events' own transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import frozen
from eventsourcing.persistence import StoredEvent
from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteCursor, SQLiteDatastore

from adapters.store import schema
from adapters.store.group_commit import GroupCommit, WhileWaiting
from adapters.store.views import view_row
from domain.flow.state import Flow
from domain.history.audit_log import RequestKeyRow
from domain.replay.projections import index_row


@frozen
class Derived:
    """What follows from a commit's events, and is written with them or not at all."""

    flow: Flow
    snapshot: StoredEvent
    key: RequestKeyRow | None


class FlowRecorder(SQLiteApplicationRecorder):
    """Writes events, snapshot, index row, view and request key together."""

    def __init__(self, datastore: SQLiteDatastore, while_waiting: WhileWaiting) -> None:
        super().__init__(datastore)
        self.commits = GroupCommit(datastore, while_waiting)

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

    def insert_key(self, key: RequestKeyRow) -> None:
        """Write the request key of a command that was accepted and led to no events."""

        def insert(c: SQLiteCursor) -> None:
            c.execute(schema.INSERT_KEY, schema.key_columns(key))

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
    flow_id, row = derived.flow.flow_id, index_row(derived.flow, position)
    if created:
        c.execute(schema.INSERT_INDEX, (flow_id, *schema.index_columns(row)))
    else:  # the position stays that of the creation
        c.execute(schema.UPDATE_INDEX, (row.status, row.silent_since, flow_id))
        c.execute(schema.DELETE_SNAPSHOT, (flow_id,))
    c.execute(schema.INSERT_SNAPSHOT, schema.snapshot_columns(derived.snapshot))
    c.execute(schema.PUT_VIEW, (*view_row(derived.flow), flow_id))
    if derived.key is not None:
        c.execute(schema.INSERT_KEY, schema.key_columns(derived.key))
