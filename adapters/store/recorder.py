"""The library's SQLite recorder: a batch of commits and what follows, in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

import eventsourcing.sqlite as es
from attrs import define, field, frozen
from eventsourcing.persistence import StoredEvent
from eventsourcing.utils import Environment

from adapters.store import schema
from adapters.store.lists import write_filters, write_name
from adapters.store.past_flows import INSERT as INSERT_PAST
from adapters.store.past_flows import PastRow
from adapters.store.sqlite import Datastore
from adapters.store.tasks import write_all, write_changed
from adapters.store.values import write_values
from adapters.store.views import view_row
from domain.flow.events import Event, TaskEvent, TaskLinked
from domain.flow.ids import FlowId, TaskId
from domain.flow.state import Flow, cancel_requested, is_whole
from domain.history.audit_log import LinkRow, RequestKeyRow
from domain.replay.projections import index_row


@frozen
class StoredCommit:
    """A commit as it is stored, its changes as the domain knows them, and the rows of its own."""

    events: Sequence[StoredEvent]
    changes: Sequence[Event]
    flow: Flow
    key: RequestKeyRow | None
    past: PastRow | None = None
    """The flow that the key stands for, as a repeat is shown it."""
    links: Sequence[LinkRow] = ()


class FlowRecorder(es.SQLiteApplicationRecorder):
    """Writes events, snapshots, index rows and request keys together."""

    datastore: Datastore

    def construct_create_table_statements(self) -> list[str]:
        """Return the library's statements and ours."""
        return [*super().construct_create_table_statements(), *schema.TABLES]

    def insert_events(self, *_: Any, **__: Any) -> Sequence[int] | None:  # noqa: ANN401 - whatever
        """Refuse: what follows from events is written with them."""
        raise AssertionError("events are appended with what follows from them")

    def append(
        self, commits: Sequence[StoredCommit], to_snapshot: Callable[[Flow], StoredEvent]
    ) -> Sequence[bool]:
        """Write commits in one transaction, and what follows from the last state of each flow.

        A commit that conflicts with what is stored is not written, nor are those on its flow that
        come after it; all others are. Returns of each whether it was written.
        """
        with self.datastore.writing() as cursor:
            batch = _BatchWrite(self, cursor)
            written = [batch.write(commit) for commit in commits]
            batch.derive(to_snapshot)
        return written


@define
class _Written:
    """What has been written of one flow: all its changes, and where it was created if it is new."""

    flow: Flow
    changes: list[Event] = field(factory=list)
    created_at: int | None = None


class _BatchWrite:
    """What has been written of a batch."""

    def __init__(self, recorder: FlowRecorder, cursor: es.SQLiteCursor) -> None:
        self._recorder = recorder
        self._cursor = cursor
        self._flows: dict[FlowId, _Written] = {}
        self._overtaken: set[FlowId] = set()

    def write(self, commit: StoredCommit) -> bool:
        """Write a commit or nothing of it, and say which."""
        flow_id = commit.flow.flow_id
        if flow_id in self._overtaken:
            return False
        self._cursor.execute("SAVEPOINT one")
        try:
            ids = self._insert(commit)
        except sqlite3.IntegrityError:
            self._cursor.execute("ROLLBACK TO one")
            self._overtaken.add(flow_id)
            return False
        self._cursor.execute("RELEASE one")
        if ids:
            written = self._flows.setdefault(flow_id, _Written(commit.flow))
            written.flow = commit.flow
            written.changes += commit.changes
            if commit.events[0].originator_version == 1:
                written.created_at = ids[0]
        return True

    def derive(self, to_snapshot: Callable[[Flow], StoredEvent]) -> None:
        """Write what follows from the flows as they are now."""
        for written in self._flows.values():
            _insert_derived(self._cursor, written, to_snapshot(written.flow))

    def _insert(self, commit: StoredCommit) -> Sequence[int]:
        ids = self._recorder._insert_events(self._cursor, commit.events)  # noqa: SLF001 - the library's hook
        if commit.key is not None:
            self._cursor.execute(schema.INSERT_KEY, schema.key_columns(commit.key))
        if commit.events:
            is_new = commit.events[0].originator_version == 1
            write_name(self._cursor, commit.flow, is_new=is_new)
        for link in commit.links:
            self._cursor.execute(schema.PUT_LINK, schema.link_columns(link))
        if commit.past is not None:
            self._cursor.execute(INSERT_PAST, commit.past)
        return ids or ()


def _insert_derived(c: es.SQLiteCursor, written: _Written, snapshot: StoredEvent) -> None:
    flow, flow_id, created_at = written.flow, written.flow.flow_id, written.created_at
    if created_at is None:
        c.execute(schema.DELETE_SNAPSHOT, (flow_id,))
    has_tasks = _write_tasks(c, written, as_before=created_at is not None or bool(c.fetchall()))
    if created_at is not None:
        row = index_row(flow, created_at)
        c.execute(schema.INSERT_INDEX, (flow_id, *schema.index_columns(row)))
    else:  # the position stays that of the creation
        c.execute(schema.UPDATE_INDEX, (flow.status.value, cancel_requested(flow), flow_id))
    if has_tasks:
        c.execute(schema.INSERT_SNAPSHOT, schema.snapshot_columns(snapshot))
    if flow.until is not None:
        c.execute(schema.PUT_WAIT, (flow_id, flow.until))
    elif created_at is None:
        c.execute(schema.DELETE_WAIT, (flow_id,))
    write_values(c, flow)
    write_filters(c, flow, created_at)
    c.execute(schema.PUT_VIEW, (*view_row(flow), flow_id))


def _write_tasks(c: es.SQLiteCursor, written: _Written, *, as_before: bool) -> bool:
    """Write the rows of the tasks that changed, and say whether all are there now.

    They are if all were `as_before` the changes, or are written again.
    """
    if as_before:
        write_changed(c, written.flow, *tasks_in(written.changes))
    elif is_whole(written.flow):
        write_all(c, written.flow)
    return as_before or is_whole(written.flow)


def tasks_in(changes: Sequence[Event]) -> tuple[list[TaskId], int]:
    """Return the tasks that some changes are about, and how many of them are new."""
    changed = [change.task_id for change in changes if isinstance(change, TaskEvent)]
    return changed, sum(isinstance(change, TaskLinked) for change in changes)


class FlowFactory(es.SQLiteFactory):
    """The library's factory, with our recorder on our datastore."""

    def __init__(self, env: Environment) -> None:
        super().__init__(env)
        self.datastore.close()
        timeout = int(self.env.get(self.SQLITE_LOCK_TIMEOUT) or es.SQLITE3_DEFAULT_LOCK_TIMEOUT)
        self.datastore: Datastore = Datastore(self.datastore.pool.db_name, timeout)

    def application_recorder(self) -> FlowRecorder:
        """Return the recorder, its tables made unless they are only read."""
        recorder = FlowRecorder(self.datastore)
        if self.env_create_table():
            recorder.create_table()
        return recorder
