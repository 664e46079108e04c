"""The library's SQLite recorder, with the derived rows in the events' own transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import frozen
from eventsourcing.persistence import StoredEvent
from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteCursor, SQLiteDatastore

from adapters.store import schema
from adapters.store.group_commit import GroupCommit, WhileWaiting
from adapters.store.tasks import write_all, write_changed
from adapters.store.values import write_values
from adapters.store.views import view_row
from domain.flow.events import Event, TaskEvent, TaskLinked
from domain.flow.state import Flow, cancel_requested, is_whole
from domain.history.audit_log import RequestKeyRow
from domain.replay.projections import index_row


@frozen
class Derived:
    """What follows from a commit's events, and is written with them or not at all."""

    flow: Flow
    snapshot: StoredEvent
    key: RequestKeyRow | None
    events: Sequence[Event]

    def write_tasks(self, c: SQLiteCursor, *, as_before: bool) -> bool:
        """Write the rows of the tasks that changed, and say whether all are there now.

        They are if all were `as_before` the events, or are written again.
        """
        if as_before:
            changed = [event.task_id for event in self.events if isinstance(event, TaskEvent)]
            linked = sum(isinstance(event, TaskLinked) for event in self.events)
            write_changed(c, self.flow, changed, linked)
        elif is_whole(self.flow):
            write_all(c, self.flow)
        return as_before or is_whole(self.flow)


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
    flow, flow_id = derived.flow, derived.flow.flow_id
    if not created:
        c.execute(schema.DELETE_SNAPSHOT, (flow_id,))
    has_tasks = derived.write_tasks(c, as_before=created or bool(c.fetchall()))
    if created:
        row = index_row(flow, position)
        c.execute(schema.INSERT_INDEX, (flow_id, *schema.index_columns(row)))
    else:  # the position stays that of the creation
        c.execute(schema.UPDATE_INDEX, (flow.status.value, cancel_requested(flow), flow_id))
    if has_tasks:
        c.execute(schema.INSERT_SNAPSHOT, schema.snapshot_columns(derived.snapshot))
    write_values(c, flow)
    c.execute(schema.PUT_VIEW, (*view_row(flow), flow_id))
    if derived.key is not None:
        c.execute(schema.INSERT_KEY, schema.key_columns(derived.key))
