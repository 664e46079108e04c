"""The store as an auditor sees it: the rows as they lie there, read without trust."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final, cast

from attrs import evolve, frozen
from eventsourcing.persistence import StoredEvent

from adapters.store.codec import Undecodable
from adapters.store.database import DatabaseCursor
from adapters.store.faults import StoreFault, translated
from adapters.store.lists import filter_row, name_rows
from adapters.store.names import CLASSES, UPCASTERS
from adapters.store.store import EventSourcedStore
from adapters.store.tasks import task_rows
from adapters.store.values import with_values
from adapters.store.views import are_rows_kept, view_row
from domain.application.ports import Page
from domain.application.recorded_events import RecordedEvent
from domain.flow.evolve import BrokenHistory
from domain.flow.ids import FlowId, Owner, RouteId
from domain.flow.state import Flow
from domain.flow.status import FlowStatus
from domain.history.audit_log import (
    IndexRow,
    LinkRow,
    LogEntry,
    RequestKeyRow,
    StoredFlow,
    UnknownName,
    UnreadableEvent,
)

_SIZE: Final = "SELECT coalesce(max(rowid), 0) FROM stored_events"
_ENTRY: Final = "SELECT rowid, originator_id, originator_version, topic, state FROM stored_events"
_ENTRIES: Final = f"{_ENTRY} WHERE rowid BETWEEN ? AND ? ORDER BY rowid LIMIT 1000"
_STREAM: Final = f"{_ENTRY} WHERE originator_id = ? ORDER BY originator_version"
_FLOWS: Final = (
    "SELECT originator_id FROM stored_events WHERE originator_id > ?1 UNION"
    " SELECT originator_id FROM stored_snapshots WHERE originator_id > ?1 UNION"
    " SELECT flow_id FROM flow_index WHERE flow_id > ?1 ORDER BY 1 LIMIT 1000"
)
_EVENT: Final = f"{_ENTRY} WHERE originator_id = ? AND originator_version = ?"
_SNAPSHOTS: Final = (
    "SELECT originator_version, topic, state FROM stored_snapshots WHERE originator_id = ?"
    " ORDER BY originator_version DESC"
)
_KEYS: Final = (
    "SELECT * FROM request_keys WHERE (route_id, key) > (?, ?) ORDER BY route_id, key LIMIT 1000"
)
_KEY: Final = "SELECT * FROM request_keys WHERE route_id = ? AND key = ?"
_VIEW: Final = "SELECT flow_id, owner, version, checksum, json FROM flow_views WHERE position = ?"
_TASKS: Final = "SELECT * FROM flow_tasks WHERE flow_id = ? ORDER BY number"
_NAMES: Final = "SELECT * FROM flow_names WHERE flow_id = ?"
_FILTERS: Final = "SELECT * FROM flow_filters WHERE position = ?"
_INDEX: Final = "SELECT owner, position, status, silent_since FROM flow_index WHERE flow_id = ?"
_INDEX_AND_WAIT: Final = (
    "SELECT owner, position, status, silent_since, until FROM flow_index"
    " LEFT JOIN flow_waits USING (flow_id) WHERE flow_id = ?"
)
_LINKS: Final = "SELECT * FROM resume_links WHERE flow_id = ?"


@frozen
class StoreAuditLog:
    """A store laid open: a `domain.history.audit_log.AuditLog`."""

    store: EventSourcedStore

    def size(self) -> int:
        """Return the position of the last event in the log, 0 if there is none."""
        return int(self._rows(_SIZE)[0][0])

    def entries(self, start: int = 1, stop: int | None = None) -> Iterator[LogEntry]:
        """Return the events of the log from one position to another (both included), in order."""
        last = self.size() if stop is None else stop
        while start <= last and (rows := self._rows(_ENTRIES, start, last)):
            yield from map(_entry, rows)
            start = rows[-1][0] + 1

    def stream(self, flow_id: FlowId) -> Sequence[LogEntry]:
        """Return the events of a flow, in order."""
        return [_entry(row) for row in self._rows(_STREAM, flow_id)]

    def entry(self, flow_id: FlowId, version: int) -> LogEntry | None:
        """Return one event of a flow."""
        rows = self._rows(_EVENT, flow_id, version)
        return _entry(rows[0]) if rows else None

    def read(self, entry: LogEntry) -> RecordedEvent:
        """Return what an entry says, or raise `UnreadableEvent`."""
        if entry.name not in CLASSES and entry.name not in UPCASTERS:
            raise UnknownName(f"event {entry.flow_id}/{entry.version}: no event is {entry.name!r}")
        stored = StoredEvent(entry.flow_id, entry.version, entry.name, entry.state)
        try:
            return self.store.application.mapper.to_recorded_event(stored)
        except (Undecodable, BrokenHistory) as error:
            raise UnreadableEvent(str(error)) from error

    def flow_ids(self) -> Iterator[FlowId]:
        """Return the id of every flow that has an event, a snapshot or an index row, once each."""
        last = ""
        while rows := self._rows(_FLOWS, last):
            yield from map(_flow_id, rows)
            last = rows[-1][0]

    def examine(self, flow_id: FlowId) -> StoredFlow:
        """Return all that the store has of a flow, read at one moment."""
        with translated(), self.store.application.datastore.reading() as cursor:
            entries = [_entry(row) for row in _selected(cursor, _STREAM, flow_id)]
            snapshots = _selected(cursor, _SNAPSHOTS, flow_id)
            snapshot = self._snapshot(cursor, flow_id, snapshots[0]) if snapshots else None
            has_rows = are_rows_kept(cursor)
            indexed = _selected(cursor, _INDEX_AND_WAIT if has_rows else _INDEX, flow_id)
            links = _selected(cursor, _LINKS, flow_id) if has_rows else None
            viewed = _viewed(cursor, entries) if has_rows else lambda _: True
            tasks = _selected(cursor, _TASKS, flow_id) if has_rows and snapshots else None
            found_by = _found_by(cursor, entries) if has_rows and entries else None
        return StoredFlow(
            entries=entries,
            snapshot=snapshot,
            index=IndexRow(**indexed[0]) if indexed else None,
            older_snapshots=[row[0] for row in snapshots[1:]],
            has_tasks_of=None if tasks is None else partial(_has_tasks_of, tasks),
            shows=viewed,
            is_found_as=found_by,
            links=None if links is None else [LinkRow(**row) for row in links],
        )

    def request_keys(self) -> Iterator[RequestKeyRow]:
        """Return what each request key stands for, in the order of routes and keys."""
        last = ("", "")
        while rows := self._rows(_KEYS, *last):
            yield from (RequestKeyRow(**row) for row in rows)
            last = (rows[-1]["route_id"], rows[-1]["key"])

    def request_key(self, route_id: RouteId, key: str) -> RequestKeyRow | None:
        """Return what a request key stands for."""
        rows = self._rows(_KEY, route_id, key)
        return RequestKeyRow(**rows[0]) if rows else None

    def load(self, flow_id: FlowId, version: int | None = None) -> Flow | None:
        """Return a flow as the gateway would, or as of a stream version."""
        return self.store.load(flow_id, version)

    def page(
        self, owner: Owner | None, *, limit: int, before: int | None, status: FlowStatus | None
    ) -> Page[Flow]:
        """Return the outlines of at most `limit` flows, newest first, of one owner or of all."""
        return self.store.page(owner, limit=limit, before=before, status=status, show=_outline)

    def _snapshot(self, cursor: DatabaseCursor, flow_id: FlowId, row: sqlite3.Row) -> Flow | str:
        try:
            stored = StoredEvent(flow_id, *row)
            read = self.store.application.snapshot_mapper.to_domain_event(stored)
            flow = with_values(cursor, read.flow)
        except (Undecodable, BrokenHistory) as error:
            return str(error)
        if (read.flow.flow_id, read.flow.version) != (flow_id, row["originator_version"]):
            return f"it is kept for version {row['originator_version']}, and is of another"
        return flow

    def _rows(self, query: str, *params: object) -> Sequence[sqlite3.Row]:
        with translated(), self.store.application.datastore.reading() as cursor:
            return _selected(cursor, query, *params)


def _selected(cursor: DatabaseCursor, query: str, *params: object) -> Sequence[sqlite3.Row]:
    cursor.execute(query, params)
    return cast("Sequence[sqlite3.Row]", cursor.fetchall())


def _viewed(cursor: DatabaseCursor, entries: Sequence[LogEntry]) -> Callable[[Flow], bool] | None:
    rows = _selected(cursor, _VIEW, entries[0].position) if entries else ()
    return (lambda flow: tuple(rows[0]) == view_row(flow)) if rows else None


def _found_by(cursor: DatabaseCursor, entries: Sequence[LogEntry]) -> Callable[[Flow], bool]:
    first = entries[0]
    names = [tuple(row) for row in _selected(cursor, _NAMES, first.flow_id)]
    filters = [tuple(row) for row in _selected(cursor, _FILTERS, first.position)]
    return lambda flow: (names, filters) == (name_rows(flow), [filter_row(flow, first.position)])


def _has_tasks_of(rows: Sequence[sqlite3.Row], flow: Flow) -> bool:
    return [tuple(row) for row in rows] == task_rows(flow)


def _entry(row: sqlite3.Row) -> LogEntry:
    position, flow_id, version, name, state = row
    if _is_text(flow_id) and _is_text(name) and type(version) is int and type(state) is bytes:
        return LogEntry(position=position, flow_id=flow_id, version=version, name=name, state=state)
    raise _forged(row)


def _forged(row: sqlite3.Row) -> StoreFault:
    position, flow_id, version, _name, state = row
    what = f"the event at position {position}: its"
    if type(version) is not int or type(state) is not bytes:
        return StoreFault(f"{what} version or state is not of the type that we write")
    part = "name" if _is_text(flow_id) else "flow"
    return StoreFault(f"{what} {part} is not the text that we write")


def _flow_id(row: sqlite3.Row) -> str:
    if not _is_text(row[0]):
        raise StoreFault("a flow's id is not the text that we write")
    return str(row[0])


def _is_text(value: object) -> bool:
    # NOTE: SQLite's columns take values of any type, and those of a key even NULL.
    return type(value) is str and value != ""


def _outline(flow: Flow) -> Flow:
    # PERF: thousands are looked at in a search, and what is left out may be as large as a body.
    return evolve(flow, state_json=None, wait_json=None, tasks=())
