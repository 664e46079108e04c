"""A store copied to a database of either kind, its events byte for byte and at their positions.

Every table is in one of the lists below, or nothing is copied: what this program does not know it
must not lose. What follows from the events is made again from them, and held against the source's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from itertools import zip_longest
from typing import Any, Final, TypeAlias

from attrs import frozen

from adapters.store.copy_target import CopyTarget, copy_target
from adapters.store.database import DatabaseCursor, StoreDatabase
from adapters.store.faults import StoreFault, translated
from adapters.store.location import File, parse_url
from adapters.store.opening import open_for_reading
from adapters.store.rebuild import derive
from adapters.store.refusals.file import SideFile
from adapters.store.schema import TABLE_COLUMNS
from adapters.store.sqlite_file import log_path
from adapters.store.store import EventSourcedStore
from adapters.store.views import are_rows_kept
from domain.application.ports import Progress

_Rows: TypeAlias = Sequence[Any]

EVENTS: Final = "stored_events"
CARRIED: Final[Mapping[str, Sequence[str]]] = {
    "request_keys": ("route_id", "key"),
    "owner_shards": ("owner",),
}
"""Tables that are copied with the events, and the unique key of each."""

BESIDE: Final[Mapping[str, Sequence[str]]] = {
    "refused_calls": ("number",),
    "totals": ("day", "route_id", "key_id", "code"),
    "turned_away": ("day", "route_id", "code"),
    "configuration_changes": ("number",),
    "configuration_state": ("salt",),
}
"""Those that SQLite has in a file beside the store."""

DERIVED: Final[Mapping[str, Sequence[str]]] = {
    "stored_snapshots": ("originator_id",),
    "flow_index": ("flow_id",),
    "flow_views": ("position",),
    "flow_tasks": ("flow_id", "number"),
    "flow_values": ("flow_id", "name"),
    "flow_waits": ("flow_id",),
    "resume_links": ("link_hash", "flow_id"),
    "flow_names": ("owner", "correlation_key"),
    "flow_filters": ("position",),
}
"""Those that are made again from the events."""

OWN: Final = frozenset({"view_format", "store_identity", "log_head", "past_flows"})
"""Those that each database has for itself: a past state is made when it is asked for."""

SECTION: Final = 10_000
_EVENT: Final = ("rowid", "originator_id", "originator_version", "topic", "state")
_NOT_THE_EVENTS: Final = {"notification_id", "batch_id"}


@frozen(kw_only=True)
class CopiedStore:
    """What was copied, after which event a copy that was begun before went on, and what differs.

    `differing` counts the derived rows of the source that do not follow from its events.
    """

    events: int
    resumed_after: int
    flows: int
    differing: Mapping[str, int]


def copy_store(source: str, target: str, progress: Progress) -> CopiedStore:
    """Copy a store as of one moment into a database that holds none, or a copy that was begun.

    Raises:
        StoreFault: if one of them cannot be used, or the target holds anything else.
        StoreUnavailable: if one of them fails; the same call goes on where it stopped.
    """
    with translated(), closing(open_for_reading(source)) as old:
        _check_tables(old)
        half = copy_target(target, (EVENTS, *CARRIED, *BESIDE))
        with half.open() as new:
            _check_tables(new)
            resumed_after = _last_position(new)
            with old.application.datastore.reading() as cursor:
                events = _carry(source, cursor, new, half, resumed_after, progress)
            flows = derive(new, progress)
            _compare_events(old, new, events, progress)
            differing = _differing(old, new) if _has_rows(old) and events else {}
        half.finish(events)
    return CopiedStore(events=events, resumed_after=resumed_after, flows=flows, differing=differing)


def _check_tables(store: EventSourcedStore) -> None:
    columns = _columns(store)
    known = {EVENTS, *CARRIED, *BESIDE, *DERIVED, *OWN}
    unknown = [*columns.keys() - known, *columns[EVENTS] - {*_EVENT} - _NOT_THE_EVENTS]
    if unknown:
        raise StoreFault(f"the store has {unknown[0]}, which this release does not copy")


def _columns(store: EventSourcedStore) -> Mapping[str, set[str]]:
    found: dict[str, set[str]] = {}
    with store.application.datastore.reading() as cursor:
        cursor.execute(TABLE_COLUMNS)
        for table, column in cursor.fetchall():
            found.setdefault(table, set()).add(column)
    return found


def _last_position(store: EventSourcedStore) -> int:
    with store.application.datastore.reading() as cursor:
        return _max_position(cursor)


def _max_position(cursor: DatabaseCursor) -> int:
    cursor.execute(f"SELECT coalesce(max(rowid), 0) FROM {EVENTS}")  # noqa: S608 - names of ours
    return int(cursor.fetchone()[0])


def _carry(  # noqa: PLR0913, PLR0917 - both sides
    source: str,
    cursor: DatabaseCursor,
    new: EventSourcedStore,
    half: CopyTarget,
    after: int,
    progress: Progress,
) -> int:
    """Copy all that is copied, each section of it in a transaction; return how many events."""
    _check_begun(cursor, new, after)
    events = _max_position(cursor)
    datastore = new.application.datastore
    while rows := _events(cursor, after, events):
        with datastore.transaction(commit=True) as written:
            if _max_position(written) != after:
                raise StoreFault("somebody else writes to the copy; try again")
            datastore.fill(written, EVENTS, _EVENT, rows)
        after = rows[-1][0]
        progress(after, events)
    cursor.execute(TABLE_COLUMNS)
    there = {row[0] for row in cursor.fetchall()}  # a store of an older release may lack some
    for table, key in CARRIED.items():
        with datastore.transaction(commit=True) as written:
            pages = _pages(cursor, table, key) if table in there else ()
            _refill(datastore, written, table, pages)
    beside = {table: _beside(source, cursor, table, key) for table, key in BESIDE.items()}
    with half.beside() as written:
        for table, rows in beside.items():
            _refill(datastore, written, table, [rows])
    return events


def _check_begun(cursor: DatabaseCursor, new: EventSourcedStore, after: int) -> None:
    """Refuse to go on with the copy of another store; all its events are compared at the end."""
    with new.application.datastore.reading() as copied:
        for position in {min(after, 1), after}:
            if _events(cursor, position - 1, position) != _events(copied, position - 1, position):
                raise StoreFault("the target holds a half-made copy of another store: remove it")


def _events(cursor: DatabaseCursor, after: int, last: int) -> _Rows:
    """Return the next section of events behind a position, as they are stored."""
    cursor.execute(
        f"SELECT {', '.join(_EVENT)} FROM {EVENTS} WHERE rowid > ? AND rowid <= ?"  # noqa: S608 - names of ours
        f" ORDER BY rowid LIMIT {SECTION}",
        (after, last),
    )
    return [tuple(row) for row in cursor.fetchall()]


def _pages(cursor: DatabaseCursor, table: str, key: Sequence[str]) -> Iterator[_Rows]:
    """Give the rows of a table in the order of its key, section by section."""
    order, marks = ", ".join(key), ", ".join("?" * len(key))
    where, last = "", tuple[object, ...]()
    while True:
        query = f"SELECT * FROM {table}{where} ORDER BY {order} LIMIT {SECTION}"  # noqa: S608 - names of ours
        cursor.execute(query, last)
        rows = cursor.fetchall()
        if not rows:
            return
        yield rows
        where, last = f" WHERE ({order}) > ({marks})", tuple(rows[-1][name] for name in key)


def _beside(source: str, cursor: DatabaseCursor, table: str, key: Sequence[str]) -> _Rows:
    match parse_url(source):
        case File(path):
            query = f"SELECT * FROM {table} ORDER BY {', '.join(key)}"  # noqa: S608 - names of ours
            return SideFile(log_path(path)).select(table, query)
        case _:
            return [row for page in _pages(cursor, table, key) for row in page]


def _refill(
    datastore: StoreDatabase,
    cursor: DatabaseCursor,
    table: str,
    pages: Iterable[_Rows],
) -> None:
    cursor.execute(f"DELETE FROM {table}")  # noqa: S608 - names of ours
    for rows in pages:
        if rows:
            datastore.fill(cursor, table, tuple(rows[0].keys()), rows)


def _compare_events(
    old: EventSourcedStore, new: EventSourcedStore, last: int, progress: Progress
) -> None:
    """Refuse a copy of which any event is not, byte for byte and at its position, the source's."""
    for page, copied in zip_longest(_event_pages(old, last), _event_pages(new, last)):
        if page != copied:
            raise StoreFault("the copy differs from its source, and was not finished: remove it")
        progress(page[-1][0], last)


def _event_pages(store: EventSourcedStore, last: int) -> Iterator[_Rows]:
    after = 0
    while True:
        with store.application.datastore.reading() as cursor:
            rows = _events(cursor, after, last)
        if not rows:
            return
        yield rows
        after = rows[-1][0]


def _has_rows(store: EventSourcedStore) -> bool:
    with store.application.datastore.reading() as cursor:
        return are_rows_kept(cursor)


def _differing(old: EventSourcedStore, new: EventSourcedStore) -> Mapping[str, int]:
    counts = {table: len(_digests(old, table) ^ _digests(new, table)) for table in DERIVED}
    return {table: count for table, count in counts.items() if count}


def _digests(store: EventSourcedStore, table: str) -> set[int]:
    # PERF: a number a row is what a million rows leave room for.
    with store.application.datastore.reading() as cursor:
        pages = _pages(cursor, table, DERIVED[table])
        return {hash(_values(row)) for page in pages for row in page}


def _values(row: Any) -> tuple[object, ...]:  # noqa: ANN401 - a row
    """Return the values of a row with their names, in whichever order a database has them."""
    return tuple(sorted(zip(row.keys(), row, strict=True)))
