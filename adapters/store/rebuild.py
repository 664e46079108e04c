"""Makes the derived rows again from the events: snapshots, index, views, request keys."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final, TypeAlias, cast

from attrs import frozen
from eventsourcing.persistence import StoredEvent

from adapters.store import schema
from adapters.store.codec import Undecodable
from adapters.store.database import DatabaseCursor
from adapters.store.faults import StoreFault, translated
from adapters.store.lists import filter_row, name_rows
from adapters.store.past_flows import is_right
from adapters.store.snapshot import project, snapshot_of
from adapters.store.store import EventSourcedStore
from adapters.store.tasks import task_rows
from adapters.store.values import value_rows
from adapters.store.views import view_row
from domain.application.ports import Progress
from domain.application.recorded_events import RecordedEvent
from domain.flow.evolve import BrokenHistory
from domain.flow.ids import FlowId
from domain.flow.state import Flow
from domain.history.audit_log import RequestKeyRow
from domain.replay.findings import RebuiltRows
from domain.replay.projections import (
    came_with,
    index_row,
    link_rows,
    needed_no_event,
    request_key_rows,
)

_Row: TypeAlias = tuple[object, ...]

_SECTION: Final = 1_000
_STREAMS: Final = "SELECT rowid, originator_id FROM stored_events WHERE originator_version = 1"
_HEADLESS: Final = (
    "SELECT originator_id FROM stored_events WHERE originator_id NOT IN"
    " (SELECT originator_id FROM stored_events WHERE originator_version = 1) LIMIT 1"
)
_STREAM: Final = (
    "SELECT originator_id, originator_version, topic, state FROM stored_events"
    " WHERE originator_id = ? ORDER BY originator_version"
)


@frozen(eq=False)
class _Table:
    name: str
    key: str
    columns: int
    places: tuple[Mapping[str, int], ...]
    """The columns of each unique key, and where they stand in a row."""
    due: str = "SELECT originator_id FROM stored_events"
    """Selects the keys of which there is a row."""

    def rows(self, cursor: DatabaseCursor, key: object) -> set[_Row]:
        cursor.execute(f"SELECT * FROM {self.name} WHERE {self.key} = ?", (key,))  # noqa: S608 - names of ours
        return {tuple(row) for row in cursor.fetchall()}

    def put(self, cursor: DatabaseCursor, key: object, wanted: Sequence[_Row]) -> None:
        """Leave exactly some rows of a key."""
        cursor.execute(f"DELETE FROM {self.name} WHERE {self.key} = ?", (key,))  # noqa: S608 - names of ours
        # NOTE: a wrong row of another flow may be in this one's place; it is put right in its turn.
        for place in self.places:
            same = " AND ".join(f"{column} = ?" for column in place)
            taken = [[row[at] for at in place.values()] for row in wanted]
            cursor.executemany(f"DELETE FROM {self.name} WHERE {same}", taken)  # noqa: S608 - names of ours
        values = ",".join("?" * self.columns)
        cursor.executemany(f"INSERT INTO {self.name} VALUES ({values})", wanted)  # noqa: S608 - names of ours

    def remove_orphans(self, cursor: DatabaseCursor) -> int:
        cursor.execute(
            f"DELETE FROM {self.name} WHERE {self.key} NOT IN ({self.due}) RETURNING 1"  # noqa: S608 - names of ours
        )
        return len(cursor.fetchall())


_SNAPSHOTS: Final = _Table(
    "stored_snapshots", "originator_id", 4, ({"originator_id": 0, "originator_version": 1},)
)
_INDEX: Final = _Table("flow_index", "flow_id", 5, ({"flow_id": 0}, {"owner": 1, "position": 2}))
_FIRST_EVENTS: Final = "SELECT rowid FROM stored_events WHERE originator_version = 1"
_VIEWS: Final = _Table("flow_views", "position", 6, ({"position": 0},), _FIRST_EVENTS)
_TASKS: Final = _Table("flow_tasks", "flow_id", 7, ({"flow_id": 0, "number": 1},))
_VALUES: Final = _Table("flow_values", "flow_id", 4, ({"flow_id": 0, "name": 1},))
_WAITS: Final = _Table("flow_waits", "flow_id", 2, ({"flow_id": 0},))
_LINKS: Final = _Table("resume_links", "flow_id", 4, ({"link_hash": 0, "flow_id": 1},))
_NAMES: Final = _Table("flow_names", "flow_id", 3, ({"owner": 0, "correlation_key": 1},))
_FILTERS: Final = _Table("flow_filters", "position", 8, ({"position": 0},), _FIRST_EVENTS)
_PAST: Final = _Table("past_flows", "flow_id", 5, ({"flow_id": 0, "version": 1, "task_id": 2},))
_TABLES: Final = (
    *(_NAMES, _FILTERS, _WAITS, _LINKS),
    *(_TASKS, _VALUES, _SNAPSHOTS, _INDEX, _VIEWS, _PAST),
)


def rebuild(store: EventSourcedStore, progress: Progress = lambda _done, _all: None) -> RebuiltRows:
    """Write again what differs from its events, in one transaction.

    Raises:
        StoreFault: if the events themselves cannot be folded; then nothing is changed.
    """
    changed = Counter({**{table.name: 0 for table in _TABLES}, "request_keys": 0})
    keys: list[RequestKeyRow] = []
    eventless: list[RequestKeyRow] = []
    with translated(), store.application.datastore.transaction(commit=True) as cursor:
        streams, found = _streams(cursor), _keys_by_flow(cursor)
        for table in _TABLES:
            changed[table.name] += table.remove_orphans(cursor)
        for done, (position, flow_id) in enumerate(streams, 1):
            with _foldable():
                records = list(_records(store, cursor, flow_id))
                changed.update(_put(store, cursor, records, position))
                keys += request_key_rows(records)
                eventless += _eventless(found.get(flow_id, ()), records)
            progress(done, len(streams))
        changed["request_keys"] = _put_keys(cursor, [*eventless, *keys])
    return RebuiltRows(flows=len(streams), changed=dict(changed))


@contextmanager
def _foldable() -> Iterator[None]:
    try:
        yield
    except (Undecodable, BrokenHistory) as error:
        raise StoreFault(str(error)) from error


def _streams(cursor: DatabaseCursor) -> list[tuple[int, FlowId]]:
    cursor.execute(_HEADLESS)
    if headless := cursor.fetchone():
        raise StoreFault(f"flow {headless[0]}: its stream has no beginning")
    cursor.execute(_STREAMS)
    return [(row[0], row[1]) for row in cursor.fetchall()]


def _records(
    store: EventSourcedStore, cursor: DatabaseCursor, flow_id: FlowId
) -> Iterator[RecordedEvent]:
    cursor.execute(_STREAM, (flow_id,))
    for row in cursor.fetchall():
        yield store.application.mapper.to_recorded_event(StoredEvent(*row))


def derive(store: EventSourcedStore, progress: Progress) -> int:
    """Make all that follows from the events of a store that nobody uses yet; count its flows.

    PERF: a rebuild asks for the rows of each flow, which takes a server ten times as long.

    Raises:
        StoreFault: if the events cannot be folded.
    """
    datastore = store.application.datastore
    with translated(), datastore.transaction(commit=True) as cursor:
        streams = _streams(cursor)
        for table in _TABLES:
            cursor.execute(f"DELETE FROM {table.name}")  # noqa: S608 - names of ours
    for start in range(0, len(streams), _SECTION):
        with translated(), _foldable(), datastore.transaction(commit=True) as cursor:
            made: defaultdict[_Table, list[_Row]] = defaultdict(list)
            for position, flow_id in streams[start : start + _SECTION]:
                for table, (_, rows) in _due(
                    store, list(_records(store, cursor, flow_id)), position
                ).items():
                    made[table] += rows
            for table, rows in made.items():
                datastore.fill(cursor, table.name, (), rows)
        progress(min(start + _SECTION, len(streams)), len(streams))
    return len(streams)


def _due(
    store: EventSourcedStore,
    records: Sequence[RecordedEvent],
    position: int,
    past: Collection[_Row] = (),
) -> Mapping[_Table, tuple[object, Sequence[_Row]]]:
    """Return the rows that follow from the events of a flow, and their key in each table.

    Of the rows of its `past` states those that are right are due again.
    """
    states = _states(records, {row[1] for row in past})
    flow = states[len(records)]
    snapshot = store.application.mapper.to_stored_event(snapshot_of(flow))
    snapshot_row = schema.snapshot_columns(snapshot)
    indexed = (flow.flow_id, *schema.index_columns(index_row(flow, position)))
    return {
        _NAMES: (flow.flow_id, name_rows(flow)),
        _FILTERS: (position, [filter_row(flow, position)]),
        _WAITS: (flow.flow_id, [] if flow.until is None else [(flow.flow_id, flow.until)]),
        _LINKS: (flow.flow_id, list(map(schema.link_columns, link_rows(records)))),
        _TASKS: (flow.flow_id, task_rows(flow)),
        _VALUES: (flow.flow_id, value_rows(flow)),
        _SNAPSHOTS: (flow.flow_id, [snapshot_row]),
        _INDEX: (flow.flow_id, [indexed]),
        _VIEWS: (position, [(position, *view_row(flow))]),
        # A state that is missing, or older than these rows, is folded when it is asked for.
        _PAST: (flow.flow_id, [row for row in past if is_right(row, states.get(row[1]))]),
    }


def _put(
    store: EventSourcedStore,
    cursor: DatabaseCursor,
    records: Sequence[RecordedEvent],
    position: int,
) -> Counter[str]:
    due = _due(store, records, position, _PAST.rows(cursor, records[0].flow_id))
    found = {table: table.rows(cursor, key) for table, (key, _) in due.items()}
    wrong = {table: found[table] != set(rows) for table, (_, rows) in due.items()}
    # NOTE: where a task's row is deleted a trigger deletes the snapshot.
    wrong[_SNAPSHOTS] |= wrong[_TASKS]
    for table, (key, rows) in due.items():
        if wrong[table]:
            table.put(cursor, key, rows)
    return Counter({table.name: _differing(found[table], rows) for table, (_, rows) in due.items()})


def _states(records: Iterable[RecordedEvent], versions: set[object]) -> Mapping[object, Flow]:
    """Return a flow as of some versions, and of the last."""
    flow, states = None, dict[object, Flow]()
    for record in records:
        flow = cast("Flow", project(flow, [record]))  # after an event there is a flow
        if record.version in versions:
            states[record.version] = flow
    return states if flow is None else {**states, flow.version: flow}


def _differing(found: set[_Row], wanted: Sequence[_Row]) -> int:
    """Return how many rows had to change."""
    return max(len(found - set(wanted)), len(set(wanted) - found))


def _eventless(
    rows: Iterable[RequestKeyRow], records: Sequence[RecordedEvent]
) -> Iterator[RequestKeyRow]:
    """Give the rows of a flow that may have come without an event, and so follow from none."""
    for row in rows:
        named = records[row.version - 1 : row.version] if row.version > 0 else ()
        if named and not came_with(named[0], row) and needed_no_event(records[: row.version], row):
            yield row


def _keys_by_flow(cursor: DatabaseCursor) -> Mapping[str, Sequence[RequestKeyRow]]:
    rows: defaultdict[str, list[RequestKeyRow]] = defaultdict(list)
    cursor.execute("SELECT * FROM request_keys")
    for row in cursor.fetchall():
        rows[row["flow_id"]].append(RequestKeyRow(**row))
    return rows


def _put_keys(cursor: DatabaseCursor, rows: Iterable[RequestKeyRow]) -> int:
    """Leave exactly these rows, the last of each key, and return how many keys had to change."""
    wanted = set({(row.route_id, row.key): schema.key_columns(row) for row in rows}.values())
    cursor.execute("SELECT * FROM request_keys")
    found = {tuple(row) for row in cursor.fetchall()}
    if wanted == found:
        return 0
    cursor.execute("DELETE FROM request_keys")
    cursor.executemany(schema.INSERT_KEY, sorted(wanted))
    return len({row[:2] for row in wanted ^ found})
