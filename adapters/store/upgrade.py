"""Brings a store of an older release to the present format, once, when it is opened for writing.

Only derived rows are written; no byte of an event changes. Whoever is stopped meanwhile begins
again at the next start: until the last row is there the store does not say that all are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from eventsourcing.persistence import StoredEvent

from adapters.store import schema
from adapters.store.application import FlowApplication
from adapters.store.codec import Undecodable
from adapters.store.database import DatabaseCursor, StoreDatabase
from adapters.store.lists import write_found_by
from adapters.store.snapshot import snapshot_of
from adapters.store.tasks import write_all
from adapters.store.values import value_rows, write_values
from adapters.store.views import FORMAT, are_rows_kept, view_row
from domain.application.ports import Progress
from domain.flow.evolve import BrokenHistory
from domain.flow.ids import FlowId
from domain.flow.state import Flow

_FLOWS: Final = (
    "SELECT flow_id, owner, position FROM flow_index WHERE (owner, position) > (?, ?)"
    " ORDER BY owner, position LIMIT 500"
)


def upgrade(application: FlowApplication, progress: Progress) -> None:
    """Write all that is derived of each flow again, unless the store has it in the present format.

    Raises:
        StoreUnavailable: if the store does not take it; what is done is done again the next time.
    """
    datastore = application.datastore
    with datastore.reading() as cursor:
        if are_rows_kept(cursor):
            return
        cursor.execute("SELECT count(*) FROM flow_index")
        done, flows = 0, cursor.fetchone()[0]
    # NOTE: from here on no older release opens the store, which would not keep these rows.
    with datastore.transaction(commit=True) as cursor:
        datastore.stamp(cursor)
        cursor.execute("DELETE FROM view_format")
    for batch in _batches(datastore):
        with datastore.transaction(commit=True) as cursor:
            for flow in _read(application, batch):  # one at a time, as each may be large
                _write(cursor, flow, application.mapper.to_stored_event(snapshot_of(flow)))
        done += len(batch)
        progress(done, flows)
    with datastore.transaction(commit=True) as cursor:
        cursor.execute("INSERT INTO view_format VALUES (?)", (FORMAT,))


def _batches(datastore: StoreDatabase) -> Iterator[Sequence[FlowId]]:
    last: tuple[object, object] = ("", -1)
    while True:
        with datastore.reading() as cursor:
            cursor.execute(_FLOWS, last)
            rows = cursor.fetchall()
        if not rows:
            return
        last = (rows[-1]["owner"], rows[-1]["position"])
        yield [row["flow_id"] for row in rows]


def _write(cursor: DatabaseCursor, flow: Flow, snapshot: StoredEvent) -> None:
    write_all(cursor, flow)
    write_values(cursor, flow.flow_id, value_rows(flow))
    write_found_by(cursor, flow)
    cursor.execute(schema.DELETE_SNAPSHOT, (flow.flow_id,))
    cursor.execute(schema.INSERT_SNAPSHOT, schema.snapshot_columns(snapshot))
    cursor.execute(schema.PUT_VIEW, (*view_row(flow), flow.flow_id))


def _read(application: FlowApplication, flow_ids: Iterable[FlowId]) -> Iterator[Flow]:
    for flow_id in flow_ids:
        try:
            flow = application.load(flow_id)
        except (Undecodable, BrokenHistory):
            continue  # it stays as it is, and whoever reads it finds out why
        if flow is not None:
            yield flow
