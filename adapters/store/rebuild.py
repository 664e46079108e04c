"""Makes the derived rows again from the events: snapshots, the owners' index, request keys."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from attrs import astuple, frozen
from eventsourcing.persistence import StoredEvent
from eventsourcing.sqlite import SQLiteCursor

from adapters.store import schema
from adapters.store.codec import Undecodable
from adapters.store.envelope import Envelope, FlowSnapshot, as_envelope, as_event, project
from adapters.store.faults import StoreFault, translated
from adapters.store.schema import KeyRow
from adapters.store.store import EventSourcedStore
from domain.application.ports import Progress
from domain.flow.decide import may_decide_nothing
from domain.flow.events import TaskDescribed, TaskEnded, TaskLinked, TaskProgressed, TaskStarted
from domain.flow.evolve import BrokenHistory
from domain.flow.ids import FlowId, RouteId, TaskId
from domain.flow.state import Flow

Row: TypeAlias = tuple[object, ...]

_STREAMS: Final = "SELECT rowid, originator_id FROM stored_events WHERE originator_version = 1"
_HEADLESS: Final = (
    "SELECT originator_id FROM stored_events WHERE originator_id NOT IN"
    " (SELECT originator_id FROM stored_events WHERE originator_version = 1) LIMIT 1"
)
_STREAM: Final = "SELECT * FROM stored_events WHERE originator_id = ? ORDER BY originator_version"


@frozen(kw_only=True)
class RebuiltRows:
    """How many flows there are, and how many rows of each table were wrong, missing or too many."""

    flows: int
    changed: Mapping[str, int]


@frozen
class _Table:
    name: str
    key: str
    columns: int

    def rows(self, cursor: SQLiteCursor, flow_id: FlowId) -> set[Row]:
        cursor.execute(f"SELECT * FROM {self.name} WHERE {self.key} = ?", (flow_id,))  # noqa: S608 - names of ours
        return {tuple(row) for row in cursor.fetchall()}

    def put(self, cursor: SQLiteCursor, flow_id: FlowId, wanted: Row) -> int:
        """Leave exactly one row of a flow, and return how many rows had to change for that."""
        found = self.rows(cursor, flow_id)
        if found == {wanted}:
            return 0
        cursor.execute(f"DELETE FROM {self.name} WHERE {self.key} = ?", (flow_id,))  # noqa: S608 - names of ours
        # NOTE: a wrong row of another flow may be in this one's place; it is put right in its turn.
        values = ",".join("?" * self.columns)
        cursor.execute(f"INSERT OR REPLACE INTO {self.name} VALUES ({values})", wanted)  # noqa: S608 - names of ours
        return max(len(found), 1)

    def remove_strays(self, cursor: SQLiteCursor) -> int:
        cursor.execute(
            f"DELETE FROM {self.name} WHERE {self.key} NOT IN"  # noqa: S608 - names of ours
            " (SELECT originator_id FROM stored_events) RETURNING 1"
        )
        return len(cursor.fetchall())


_SNAPSHOTS: Final = _Table("stored_snapshots", "originator_id", 4)
_INDEX: Final = _Table("flow_index", "flow_id", 5)


def rebuild(store: EventSourcedStore, progress: Progress = lambda _done, _all: None) -> RebuiltRows:
    """Write again what differs from its events, in one transaction.

    Raises:
        StoreFault: if the events themselves cannot be folded; then nothing is changed.
    """
    changed = Counter({_SNAPSHOTS.name: 0, _INDEX.name: 0, "request_keys": 0})
    keys: dict[tuple[str, str], KeyRow] = {}
    eventless: list[KeyRow] = []
    with translated(), store.application.datastore.transaction(commit=True) as cursor:
        streams, found = _streams(cursor), _keys_by_flow(cursor)
        for table in (_SNAPSHOTS, _INDEX):
            changed[table.name] += table.remove_strays(cursor)
        for done, (position, flow_id) in enumerate(streams, 1):
            envelopes = list(_envelopes(store, cursor, flow_id))
            keys |= _keys(envelopes)
            eventless += _eventless(found.get(flow_id, ()), envelopes)
            changed.update(_put(store, cursor, _fold(envelopes), position))
            progress(done, len(streams))
        changed["request_keys"] = _put_keys(cursor, {_place(row): row for row in eventless} | keys)
    return RebuiltRows(flows=len(streams), changed=dict(changed))


def _streams(cursor: SQLiteCursor) -> list[tuple[int, FlowId]]:
    cursor.execute(_HEADLESS)
    if headless := cursor.fetchone():
        raise StoreFault(f"flow {headless[0]}: its stream has no beginning")
    cursor.execute(_STREAMS)
    return [(row[0], row[1]) for row in cursor.fetchall()]


def _envelopes(
    store: EventSourcedStore, cursor: SQLiteCursor, flow_id: FlowId
) -> Iterator[Envelope]:
    cursor.execute(_STREAM, (flow_id,))
    for row in cursor.fetchall():
        stored = StoredEvent(*row)
        try:
            yield as_envelope(store.application.mapper.to_domain_event(stored))
        except (Undecodable, BrokenHistory) as error:
            raise StoreFault(str(error)) from error


def _fold(envelopes: Iterable[Envelope]) -> Flow:
    try:
        flow = project(None, envelopes)
    except BrokenHistory as error:
        raise StoreFault(str(error)) from error
    if flow is None:
        raise AssertionError("a stream with a first event folds to a flow")
    return flow


def _put(store: EventSourcedStore, cursor: SQLiteCursor, flow: Flow, position: int) -> Counter[str]:
    snapshot = FlowSnapshot(flow.flow_id, flow.version, flow)
    stored = store.application.mapper.to_stored_event(as_event(snapshot))
    snapshot_row = (flow.flow_id, flow.version, stored.topic, stored.state)
    index_row = schema.index_row(flow, position)
    return Counter(
        {
            _SNAPSHOTS.name: _SNAPSHOTS.put(cursor, flow.flow_id, snapshot_row),
            _INDEX.name: _INDEX.put(cursor, flow.flow_id, index_row),
        }
    )


def _keys(envelopes: Iterable[Envelope]) -> dict[tuple[str, str], KeyRow]:
    """Return the request keys that some events of a stream came with; the last event counts."""
    rows: dict[tuple[str, str], KeyRow] = {}
    for envelope in envelopes:
        data = envelope.metadata
        if data.idempotency_key is None or data.request_hash is None:
            continue
        place = (data.actor.name, data.idempotency_key)
        known = rows[place].task_id if place in rows else None
        rows[place] = KeyRow(
            RouteId(data.actor.name),
            data.idempotency_key,
            data.request_hash,
            FlowId(envelope.originator_id),
            envelope.originator_version,
            known or _task_id(envelope),
        )
    return rows


def _eventless(rows: Iterable[KeyRow], envelopes: Sequence[Envelope]) -> Iterator[KeyRow]:
    """Give the rows of a flow that may have come without an event, and so follow from none."""
    for row in rows:
        named = envelopes[row.version - 1 : row.version] if row.version > 0 else ()
        if named and not _came_with(named[0], row):
            then = _fold(envelopes[: row.version])
            if may_decide_nothing(then, row.task_id):
                yield row


def _came_with(envelope: Envelope, row: KeyRow) -> bool:
    data = envelope.metadata
    return (data.actor.name, data.idempotency_key) == _place(row)


def _task_id(envelope: Envelope) -> TaskId | None:
    match envelope.event:
        case TaskLinked() | TaskDescribed() | TaskStarted() | TaskProgressed() | TaskEnded():
            return envelope.event.task_id
        case _:
            return None


def _place(row: KeyRow) -> tuple[RouteId, str]:
    return row.route_id, row.key


def _keys_by_flow(cursor: SQLiteCursor) -> Mapping[str, Sequence[KeyRow]]:
    rows: defaultdict[str, list[KeyRow]] = defaultdict(list)
    cursor.execute("SELECT * FROM request_keys")
    for row in cursor.fetchall():
        rows[row["flow_id"]].append(KeyRow(*row))
    return rows


def _put_keys(cursor: SQLiteCursor, keys: Mapping[tuple[str, str], KeyRow]) -> int:
    wanted = {astuple(row) for row in keys.values()}
    cursor.execute("SELECT * FROM request_keys")
    found = {tuple(row) for row in cursor.fetchall()}
    if wanted == found:
        return 0
    cursor.execute("DELETE FROM request_keys")
    cursor.executemany(schema.INSERT_KEY, sorted(wanted))
    places = {row[:2] for row in wanted ^ found}
    return len(places)
