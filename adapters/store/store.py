"""The durable store of flows: the core's port, over the library's application."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Protocol, cast

from adapters.store import schema
from adapters.store.application import LOG_SECTION, FlowApplication, with_rows
from adapters.store.database import DatabaseCursor, DatabaseLink
from adapters.store.faults import translated
from adapters.store.many_rows import execute_rows
from adapters.store.paged_flows import PagedFlows
from adapters.store.past_flows import past_flow, past_row
from adapters.store.recorder import StoredCommit
from domain.application.due_waits import DueWait
from domain.application.ports import (
    Commit,
    CorrelationRef,
    FlowRef,
    IdempotencyRecord,
    IssuedLink,
    KeyRef,
    Loaded,
    StoreUnavailable,
)
from domain.application.recorded_events import RecordedEvent
from domain.application.sweep import StaleFlow
from domain.flow.commands import FlowCommand
from domain.flow.concerned import ALL_TASKS, SomeTasks, TaskSelection, concerned
from domain.flow.ids import FlowId, Owner
from domain.flow.state import Flow
from domain.flow.values import Timestamp
from domain.replay.projections import eventless_key_row, link_rows, request_key_row


class Held(Protocol):
    """What is held while a store is open: the right to write to it, or what its reading takes."""

    def release(self) -> None:
        """Give it back."""
        ...


class EventSourcedStore(PagedFlows):
    """Flows as streams of events; an `application.ports.FlowStore` that knows its history."""

    def __init__(self, application: FlowApplication, held: Held | None = None) -> None:
        """Take over an application, and what must be held while it is open."""
        super().__init__(application)
        self._held = held

    def close(self) -> None:
        """Close the database, and then release what was held for it."""
        self.application.datastore.prepare_end()
        self.application.close()
        if self._held is not None:
            self._held.release()
            self._held = None

    def maintain(self) -> None:
        """Verify the database, and do what must be done from time to time.

        Raises:
            StoreUnavailable: if the store is not what was opened, or fails.
        """
        with translated():
            self.application.datastore.maintain()

    def note_status(self, line: str) -> None:
        """Write one line of how this process fares into its lock file, for `read_holder`.

        Raises:
            OSError: if the disk does not take it.
        """
        custody = self.application.datastore.custody
        if custody is not None:
            custody.lock.note(line)

    def never_wait_here(self) -> None:
        """Have reads of this thread raise `StoreBusy` where they would wait for a lock."""
        self.application.datastore.never_wait_here()

    @property
    def link(self) -> DatabaseLink | None:
        """Return what leads to the database, if that is not a file."""
        return self.application.datastore.link

    def is_readable(self) -> bool:
        """Say whether the database answers, and is the one that was opened."""
        try:
            self._rows("SELECT 1 FROM flow_index LIMIT 1")
        except StoreUnavailable:
            return False
        return True

    def find(self, owner: Owner, flow_id: FlowId) -> Flow | None:
        """Return an owner's flow; a foreign flow costs the same work as none."""
        with translated():
            return self._flows({(owner, flow_id): ALL_TASKS}).get((owner, flow_id))

    def find_head(self, owner: Owner, flow_id: FlowId) -> Flow | None:
        """Return an owner's flow without its tasks and large values, unless it must be folded."""
        with translated(), self.application.datastore.one_statement() as cursor:
            row = cursor.execute(schema.HEAD, (flow_id, owner)).fetchone()
            if row is None:
                return None
            is_last = row["originator_version"] == row["latest"]
            flow = self._head(flow_id, row) if is_last else None
            if flow is not None and flow.owner == owner:
                return flow
            return self.application.load_of(owner, flow_id, SomeTasks())

    def load_with(self, flow_id: FlowId, tasks: TaskSelection) -> Flow | None:
        """Return a flow with at least some of its tasks."""
        with translated():
            return self.application.load(flow_id, tasks=tasks)

    def owner_of(self, flow_id: FlowId) -> Owner | None:
        """Return the owner of a flow: for operators, never for callers."""
        row = self._row(schema.SELECT_OWNER, flow_id)
        return None if row is None else Owner(row["owner"])

    def load(self, flow_id: FlowId, version: int | None = None) -> Flow | None:
        """Return a flow as it is, or as of a stream version."""
        with translated():
            return self.application.load(flow_id, version)

    def load_many(
        self, wanted: Mapping[FlowRef, Sequence[FlowCommand]], keys: Collection[KeyRef]
    ) -> Loaded:
        """Return flows and request keys as of one moment."""
        selected = {ref: concerned(*commands) for ref, commands in wanted.items()}
        with translated(), self.application.datastore.reading():
            return Loaded(self._flows(selected), self._records(list(keys)))

    def find_named(self, keys: Collection[CorrelationRef]) -> Mapping[CorrelationRef, FlowId]:
        """Return the live flows that correlation keys name."""
        with translated():
            return {ref: found for ref in keys if (found := self._named(ref)) is not None}

    def append_many(self, commits: Sequence[Commit]) -> Sequence[bool]:
        """Write commits in one transaction; say of each if it was written, or lost to another."""
        stored = [self._stored(commit) for commit in commits]
        with translated():
            return self.application.append(stored)

    def find_link(self, link_hash: str) -> IssuedLink | None:
        """Return what a resume link is for, by the hash of the link."""
        row = self._row(schema.SELECT_LINK, link_hash)
        return None if row is None else IssuedLink(**row)

    def due(self, now: Timestamp, after: DueWait | None, limit: int) -> Sequence[DueWait]:
        """Return the waits that are due, in the order in which they are, behind one of them."""
        behind = (-1, "") if after is None else (after.until, after.flow_id)
        return [DueWait(**row) for row in self._rows(schema.SELECT_DUE, now, *behind, limit)]

    def stale(self, before: Timestamp, limit: int) -> Sequence[StaleFlow]:
        """Return flows with a cancel intent that wait for a child silent since `before`."""
        return self._silent(schema.SELECT_SILENT, before, limit)

    def ahead(self, after: Timestamp, limit: int) -> Sequence[StaleFlow]:
        """Return flows with a cancel intent whose children all gave news after a moment."""
        return self._silent(schema.SELECT_AHEAD, after, limit)

    def history(self, flow_id: FlowId) -> Iterator[RecordedEvent]:
        """Return all that happened to a flow, in order."""
        with translated():
            for stored in self.application.recorder.select_events(flow_id):
                yield self.application.mapper.to_recorded_event(stored)

    def log(self, start: int = 1) -> Iterator[tuple[int, RecordedEvent]]:
        """Return all events of the store from a notification id on, in the order of recording."""
        while True:
            with translated():
                section = self.application.notification_log.select(start, LOG_SECTION)
            for item in section:
                yield item.id, self.application.mapper.to_recorded_event(item)
            if len(section) < LOG_SECTION:
                return
            start = section[-1].id + 1

    def _named(self, ref: CorrelationRef) -> FlowId | None:
        with self.application.datastore.one_statement() as cursor:
            row = cursor.execute(schema.SELECT_NAMED, ref).fetchone()
            return None if row is None else row[0]

    def _flows(self, selected: Mapping[FlowRef, TaskSelection]) -> Mapping[FlowRef, Flow]:
        """Return flows, each with the tasks that are selected; a foreign one is none."""
        flows: dict[FlowRef, Flow] = {}
        with self.application.datastore.reading() as cursor:
            rows = execute_rows(
                cursor, schema.SELECT_FLOWS, [(flow_id, owner) for owner, flow_id in selected]
            )
            for row in rows:
                ref = owner, flow_id = row["owner"], row["flow_id"]
                flow = self._kept(cursor, owner, flow_id, row, selected[ref])
                flow = flow or self.application.load_of(owner, flow_id, selected[ref])
                if flow is not None:
                    flows[ref] = flow
        return flows

    def _kept(
        self,
        cursor: DatabaseCursor,
        owner: Owner,
        flow_id: FlowId,
        row: sqlite3.Row,
        tasks: TaskSelection,
    ) -> Flow | None:
        """Return the flow of a snapshot and its rows, if they are right and of its last event."""
        if row["originator_version"] is None or row["originator_version"] != row["latest"]:
            return None
        flow = self._head(flow_id, row, partial(with_rows, cursor, tasks))
        return flow if flow is not None and flow.owner == owner else None

    def _records(self, keys: Sequence[KeyRef]) -> Mapping[KeyRef, IdempotencyRecord]:
        with self.application.datastore.reading() as cursor:
            rows = execute_rows(cursor, schema.SELECT_KEYS, keys)
            return {(row["route_id"], row["key"]): key_record(cursor, row) for row in rows}

    def _stored(self, commit: Commit) -> StoredCommit:
        records, key = commit.events, commit.request_key
        if not records and key is None:
            raise AssertionError("a commit without events is for its request key")
        if records:
            row = request_key_row(records)
        else:
            row = None if key is None else eventless_key_row(key, commit.flow, commit.task_id)
        to_stored = self.application.mapper.to_stored_event
        changes = [record.event for record in records]
        past = None if row is None else past_row(commit, row.task_id)
        stored = [to_stored(record) for record in records]
        return StoredCommit(
            stored, changes, commit.before, commit.flow, row, past, link_rows(records)
        )

    def _silent(self, query: str, moment: Timestamp, limit: int) -> Sequence[StaleFlow]:
        rows = self._rows(query, moment, limit)
        return [StaleFlow(row["owner"], row["flow_id"]) for row in rows]

    def _row(self, query: str, *params: object) -> sqlite3.Row | None:
        rows = self._rows(query, *params)
        return rows[0] if rows else None

    def _rows(self, query: str, *params: object) -> Sequence[sqlite3.Row]:
        with translated(), self.application.datastore.reading() as cursor:
            cursor.execute(query, params)
            return cast("Sequence[sqlite3.Row]", cursor.fetchall())


def key_record(cursor: DatabaseCursor, row: Mapping[str, Any]) -> IdempotencyRecord:
    """Return what a request key stands for, of its row and the state kept for it."""
    return IdempotencyRecord(
        request_hash=row["request_hash"],
        flow_id=row["flow_id"],
        version=row["version"],
        task_id=row["task_id"],
        flow=past_flow(cursor, row),
    )
