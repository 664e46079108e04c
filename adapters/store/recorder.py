"""The library's SQLite recorder: a batch of commits and what follows, in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

import eventsourcing.sqlite as es
from attrs import frozen
from eventsourcing.persistence import StoredEvent
from eventsourcing.utils import Environment

from adapters.store import schema
from adapters.store.sqlite import Datastore
from domain.flow.ids import FlowId
from domain.flow.state import Flow
from domain.history.audit_log import RequestKeyRow
from domain.replay.projections import index_row


@frozen
class StoredCommit:
    """A commit as it is stored: its events, the flow after them, and the row of its request key."""

    events: Sequence[StoredEvent]
    flow: Flow
    key: RequestKeyRow | None


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


class _BatchWrite:
    """What has been written of a batch."""

    def __init__(self, recorder: FlowRecorder, cursor: es.SQLiteCursor) -> None:
        self._recorder = recorder
        self._cursor = cursor
        self._positions: dict[FlowId, int] = {}
        self._flows: dict[FlowId, Flow] = {}
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
            self._flows[flow_id] = commit.flow
        if ids and commit.events[0].originator_version == 1:
            self._positions[flow_id] = ids[0]
        return True

    def derive(self, to_snapshot: Callable[[Flow], StoredEvent]) -> None:
        """Write what follows from the flows as they are now."""
        for flow_id, flow in self._flows.items():
            position = self._positions.get(flow_id)
            _insert_derived(self._cursor, flow, to_snapshot(flow), created_at=position)

    def _insert(self, commit: StoredCommit) -> Sequence[int]:
        ids = self._recorder._insert_events(self._cursor, commit.events)  # noqa: SLF001 - the library's hook
        if commit.key is not None:
            self._cursor.execute(schema.INSERT_KEY, schema.key_columns(commit.key))
        return ids or ()


def _insert_derived(
    c: es.SQLiteCursor, flow: Flow, snapshot: StoredEvent, *, created_at: int | None
) -> None:
    """Write the rows of a flow; it was created at a position of the log, or is not new."""
    row = index_row(flow, created_at or 0)
    if created_at is not None:
        c.execute(schema.INSERT_INDEX, (flow.flow_id, *schema.index_columns(row)))
    else:  # the position stays that of the creation
        c.execute(schema.UPDATE_INDEX, (row.status, row.silent_since, flow.flow_id))
        c.execute(schema.DELETE_SNAPSHOT, (flow.flow_id,))
    c.execute(schema.INSERT_SNAPSHOT, schema.snapshot_columns(snapshot))


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
