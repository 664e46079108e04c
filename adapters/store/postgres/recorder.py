"""The library's recorders for PostgreSQL: its selects, and one call of ours for a batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from inspect import unwrap
from typing import Any, Final
from uuid import UUID, uuid4

import eventsourcing.postgres as es
import psycopg
from eventsourcing.persistence import InfrastructureFactory, PersistenceError, StoredEvent
from eventsourcing.utils import Environment

from adapters.store import schema
from adapters.store.postgres.batch_arrays import batch_arrays
from adapters.store.postgres.datastore import PostgresDatastore
from adapters.store.postgres.link import ConnectionBroken
from adapters.store.postgres.rows import PostgresCursor
from adapters.store.recorder import StoredCommit
from adapters.store.tasks import write_all
from domain.flow.ids import FlowId
from domain.flow.state import Flow, cancel_requested, is_whole

_AGAIN_SECONDS: Final = 1.5
"""How long a database is waited for whose connection broke while it may have written a batch."""

_VERSION: Final = "SELECT max(originator_version) FROM stored_events WHERE originator_id=?"
_APPEND: Final = "SELECT written, bare FROM append_batch(?,?,{})"


class PostgresSnapshotRecorder(es.PostgresAggregateRecorder):
    """Selects snapshots; they are written with their events."""

    # NOTE: the library asks a database that is gone ten times more, and keeps its caller waiting.
    select_events = unwrap(es.PostgresAggregateRecorder.select_events)


class PostgresFlowRecorder(es.PostgresApplicationRecorder):
    """Writes events, and all that follows from them, in one call that is one transaction."""

    datastore: PostgresDatastore

    select_events = unwrap(es.PostgresApplicationRecorder.select_events)
    select_notifications = unwrap(es.PostgresApplicationRecorder.select_notifications)
    max_notification_id = unwrap(es.PostgresApplicationRecorder.max_notification_id)

    def insert_events(self, *_: Any, **__: Any) -> Sequence[int] | None:  # noqa: ANN401 - whatever
        """Refuse: what follows from events is written with them."""
        raise AssertionError("events are appended with what follows from them")

    def append(
        self, commits: Sequence[StoredCommit], to_snapshot: Callable[[Flow], StoredEvent]
    ) -> Sequence[bool]:
        """Write commits in one transaction, and what follows from the last state of each flow.

        Those on one flow are written together or not at all. Returns of each whether it was.
        If the connection breaks, nobody knows if they were written: so they are sent again, and
        what is stored with the id of this batch is ours. A look would be no proof, as the server
        may write yet; but then it finds what was sent again in its way.
        """
        arrays = batch_arrays(commits, to_snapshot)
        batch = uuid4()
        try:
            written, bare = self._call(batch, arrays, again=False)
        except ConnectionBroken:
            if not self.datastore.link.wait(_AGAIN_SECONDS):
                raise
            written, bare = self._call(batch, arrays, again=True)
        flows = {commit.flow.flow_id: commit.flow for commit in commits}
        with suppress(PersistenceError, psycopg.Error):  # they are a cache
            for flow_id in bare:
                self._restore(flows[flow_id], to_snapshot)
        return written

    def _restore(self, flow: Flow, to_snapshot: Callable[[Flow], StoredEvent]) -> None:
        """Write the snapshot and the tasks of a whole flow again, which somebody has deleted."""
        if not is_whole(flow):
            return
        with self.datastore.transaction(commit=True) as c:
            if c.execute(_VERSION, (flow.flow_id,)).fetchone() != (flow.version,):
                return
            write_all(c, flow)
            c.execute(
                schema.UPDATE_INDEX, (flow.status.value, cancel_requested(flow), flow.flow_id)
            )
            c.execute(schema.INSERT_SNAPSHOT, schema.snapshot_columns(to_snapshot(flow)))

    def _call(
        self, batch: UUID, arrays: Sequence[object], *, again: bool
    ) -> tuple[Sequence[bool], Sequence[FlowId]]:
        query = _APPEND.format(",".join("?" * len(arrays)))
        with self.datastore.link.lend() as connection:
            row = PostgresCursor(connection).execute(query, (batch, again, *arrays)).fetchone()
            return row["written"], row["bare"]


class PostgresFactory(InfrastructureFactory[Any]):
    """Makes what an application needs, over one datastore."""

    def __init__(self, env: Environment, datastore: PostgresDatastore) -> None:
        super().__init__(env)
        self.datastore = datastore

    def aggregate_recorder(self, purpose: str = "events") -> PostgresSnapshotRecorder:
        """Return the recorder of snapshots."""
        return PostgresSnapshotRecorder(self.datastore, events_table_name=f"stored_{purpose}")

    def application_recorder(self) -> PostgresFlowRecorder:
        """Return the recorder of events; their tables are made by `taskflow store migrate`."""
        return PostgresFlowRecorder(self.datastore)

    def tracking_recorder(self, _: Any = None) -> Any:  # noqa: ANN401 - never called
        """Refuse: nothing here tracks another application."""
        raise NotImplementedError

    def process_recorder(self) -> Any:  # noqa: ANN401 - never called
        """Refuse, as above."""
        raise NotImplementedError

    def close(self) -> None:
        """Close the connections."""
        self.datastore.close()
