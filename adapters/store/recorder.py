"""The library's SQLite recorder: a batch of commits and what follows, in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Sequence
from functools import cached_property
from typing import Any, Final

import eventsourcing.sqlite as es
from attrs import define, field, frozen
from eventsourcing.persistence import StoredEvent
from eventsourcing.utils import Environment

from adapters.store import schema
from adapters.store.lists import changed_filters, filter_row, write_name
from adapters.store.many_rows import execute_rows
from adapters.store.past_flows import INSERT as INSERT_PAST
from adapters.store.past_flows import PastRow
from adapters.store.sqlite import Datastore
from adapters.store.tasks import changed_rows, write_all, write_changed
from adapters.store.values import ValueRow, large_names, parted, write_values
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
    before: Flow | None
    flow: Flow
    key: RequestKeyRow | None
    past: PastRow | None = None
    """The flow that the key stands for, as a repeat is shown it."""
    links: Sequence[LinkRow] = ()


def refuse_inserts(*_: Any, **__: Any) -> Sequence[int] | None:  # noqa: ANN401 - whatever
    """Stand for `insert_events`, which would write events without what follows from them."""
    raise AssertionError("events are appended with what follows from them")


class FlowRecorder(es.SQLiteApplicationRecorder):
    """Writes events, snapshots, index rows and request keys together."""

    datastore: Datastore

    def construct_create_table_statements(self) -> list[str]:
        """Return the library's statements and ours."""
        return [*super().construct_create_table_statements(), *schema.TABLES]

    insert_events = refuse_inserts

    def append(
        self, commits: Sequence[StoredCommit], to_snapshot: Callable[[Flow], StoredEvent]
    ) -> Sequence[bool]:
        """Write commits in one transaction, and what follows from the last state of each flow.

        A commit that conflicts with what is stored is not written, nor are those on its flow that
        come after it; all others are. Returns of each whether it was written.
        """
        with self.datastore.writing() as cursor:
            batch = _BatchWrite(cursor)
            try:
                batch.insert(commits)
                written = [True] * len(commits)
            except sqlite3.IntegrityError:  # of any of them; nobody else writes, so it is rare
                cursor.execute("ROLLBACK")
                cursor.execute("BEGIN")
                batch = _BatchWrite(cursor)
                written = [batch.try_insert(commit) for commit in commits]
            batch.derive(to_snapshot)
        return written


_OLD: Final = 0
"""Is no position."""


@define
class _Written:
    """What has been written of one flow: all its changes, and where it was created if it is new."""

    before: Flow | None
    flow: Flow
    changes: list[Event] = field(factory=list)
    position: int = _OLD

    @cached_property
    def parted(self) -> tuple[Flow, Sequence[ValueRow]]:
        """The flow, once all is written, with marks, and its large values."""
        return parted(self.flow)


class _BatchWrite:
    """What has been written of a batch."""

    def __init__(self, cursor: es.SQLiteCursor) -> None:
        self._cursor = cursor
        self._flows: dict[FlowId, _Written] = {}
        self._overtaken: set[FlowId] = set()

    def try_insert(self, commit: StoredCommit) -> bool:
        """Write a commit or nothing of it, and say which."""
        flow_id = commit.flow.flow_id
        if flow_id in self._overtaken:
            return False
        self._cursor.execute("SAVEPOINT one")
        try:
            self.insert([commit])
        except sqlite3.IntegrityError:
            self._cursor.execute("ROLLBACK TO one")
            self._overtaken.add(flow_id)
            return False
        self._cursor.execute("RELEASE one")
        return True

    def insert(self, commits: Sequence[StoredCommit]) -> None:
        """Write commits.

        Raises:
            sqlite3.IntegrityError: if one of them conflicts; then some may be written.
        """
        c, events = self._cursor, [event for commit in commits for event in commit.events]
        _compare_versions(c, commits)
        execute_rows(c, schema.INSERT_EVENT, list(map(schema.snapshot_columns, events)))
        # NOTE: SQLite numbers the rows of a transaction one after the other.
        position = (c.lastrowid or 0) - len(events) + 1
        written = [commit for commit in commits if commit.events]
        execute_rows(c, schema.INSERT_KEY, [schema.key_columns(it.key) for it in commits if it.key])
        for commit in written:
            write_name(c, commit.flow, is_new=commit.events[0].originator_version == 1)
        links = [schema.link_columns(link) for commit in commits for link in commit.links]
        execute_rows(c, schema.PUT_LINK, links)
        execute_rows(c, INSERT_PAST, [it.past for it in commits if it.past])
        for commit in written:
            self._note(commit, position)
            position += len(commit.events)

    def _note(self, commit: StoredCommit, position: int) -> None:
        flow_id = commit.flow.flow_id
        noted = self._flows.setdefault(flow_id, _Written(commit.before, commit.flow))
        noted.flow = commit.flow
        noted.changes += commit.changes
        if commit.events[0].originator_version == 1:
            noted.position = position

    def derive(self, to_snapshot: Callable[[Flow], StoredEvent]) -> None:
        """Write what follows from the flows as they are now."""
        c, flows = self._cursor, list(self._flows.values())
        new = [it for it in flows if it.position != _OLD]
        old = [it for it in flows if it.position == _OLD]
        snapshots = {
            it.flow.flow_id: schema.snapshot_columns(to_snapshot(it.parted[0])) for it in flows
        }
        had = execute_rows(c, schema.UPDATE_SNAPSHOTS, [snapshots[it.flow.flow_id] for it in old])
        restored = _write_tasks(c, new, old, {row[0] for row in had})
        rows = [snapshots[it.flow.flow_id] for it in (*new, *restored)]
        execute_rows(c, schema.INSERT_SNAPSHOT, rows)
        _write_index(c, new, old)
        _write_waits(c, flows)
        for it in flows:
            were_large = () if it.before is None else large_names(it.before)
            write_values(c, it.flow.flow_id, it.parted[1], were_large)
        _write_shown(c, new, old)


def _compare_versions(c: es.SQLiteCursor, commits: Sequence[StoredCommit]) -> None:
    """Compare the version of flows whose first commit has no event that would be in the way.

    Raises:
        sqlite3.IntegrityError: if the stream of one went on.
    """
    firsts = {commit.flow.flow_id: commit for commit in reversed(commits)}
    for flow_id, commit in firsts.items():
        if commit.events:
            continue
        c.execute(schema.SELECT_VERSION, (flow_id,))
        if c.fetchone()[0] != commit.flow.version:
            raise sqlite3.IntegrityError(f"the stream of flow {flow_id} went on")


def _write_tasks(
    c: es.SQLiteCursor,
    new: Sequence[_Written],
    old: Sequence[_Written],
    had_snapshot: Collection[FlowId],
) -> Sequence[_Written]:
    """Write the rows of the tasks that changed, and return the flows that all are written again of.

    Who had no snapshot may lack rows, and has none until then.
    """
    kept = [*new, *(it for it in old if it.flow.flow_id in had_snapshot)]
    write_changed(c, [row for it in kept for row in changed_rows(it.flow, *tasks_in(it.changes))])
    bare = (it for it in old if it.flow.flow_id not in had_snapshot)
    restored = [it for it in bare if is_whole(it.flow)]
    for it in restored:
        write_all(c, it.flow)
    return restored


def _write_index(c: es.SQLiteCursor, new: Sequence[_Written], old: Sequence[_Written]) -> None:
    """Write the rows of the index; the position of a flow stays that of its creation."""
    rows = [(it.flow.flow_id, *schema.index_columns(index_row(it.flow, it.position))) for it in new]
    execute_rows(c, schema.INSERT_INDEX, rows)
    changed = [
        (it.flow.status.value, cancel_requested(it.flow), it.flow.flow_id)
        for it in old
        if cancel_requested(it.flow) or it.before is None or it.before.status != it.flow.status
    ]
    execute_rows(c, schema.UPDATE_INDEX_ROWS, changed)


def _write_waits(c: es.SQLiteCursor, flows: Sequence[_Written]) -> None:
    """Write until when flows wait."""
    waits = [(it.flow.flow_id, it.flow.until) for it in flows if it.flow.until is not None]
    execute_rows(c, schema.PUT_WAIT, waits)
    waited = [it for it in flows if it.before is not None and it.before.until is not None]
    execute_rows(
        c, schema.DELETE_WAIT, [(it.flow.flow_id,) for it in waited if it.flow.until is None]
    )


def _write_shown(c: es.SQLiteCursor, new: Sequence[_Written], old: Sequence[_Written]) -> None:
    """Write what flows are listed by, and what callers are shown of them."""
    execute_rows(c, schema.PUT_FILTERS, [filter_row(it.flow, it.position) for it in new])
    execute_rows(c, schema.UPDATE_FILTERS, [changed_filters(it.flow) for it in old])
    execute_rows(c, schema.INSERT_VIEW, [(it.position, *view_row(it.parted[0])) for it in new])
    execute_rows(c, schema.PUT_VIEW_ROWS, [view_row(it.parted[0]) for it in old])


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
