"""The library's recorders for PostgreSQL: its selects, and one call of ours for a batch."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from inspect import unwrap
from typing import Any, Final
from uuid import UUID, uuid4

import eventsourcing.postgres as es
import psycopg
from eventsourcing.persistence import InfrastructureFactory, PersistenceError, StoredEvent
from eventsourcing.utils import Environment

from adapters.store import schema
from adapters.store.lists import name_rows
from adapters.store.postgres.batch_arrays import batch_arrays
from adapters.store.postgres.datastore import PostgresDatastore
from adapters.store.postgres.link import ConnectionBroken
from adapters.store.postgres.rows import PostgresCursor
from adapters.store.recorder import StoredCommit, refuse_inserts
from adapters.store.tasks import write_all
from domain.flow.ids import FlowId
from domain.flow.state import Flow, cancel_requested, is_whole

_AGAIN_SECONDS: Final = 1.5
"""How long a database is waited for whose connection broke while it may have written a batch."""

_APPEND: Final = "SELECT lost, bare FROM append_batch(?,?,{})"


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
    insert_events = refuse_inserts

    def append(
        self, commits: Sequence[StoredCommit], to_snapshot: Callable[[Flow], StoredEvent]
    ) -> Sequence[bool]:
        """Write commits in one transaction, and what follows from the last state of each flow.

        Those on one flow are written together or not at all. Returns of each whether it was.
        If the connection breaks, nobody knows if they were written: so they are sent again, and
        what is stored with the id of this batch is ours. A look would be no proof, as the server
        may write yet; but then it finds what was sent again in its way.
        """
        batch, left = uuid4(), _first_uses(commits)
        while left and (lost := self._try(batch, left, to_snapshot)):
            left = [commit for commit in left if commit.flow.flow_id not in lost]
        written = {commit.flow.flow_id for commit in left}
        return [commit.flow.flow_id in written for commit in commits]

    def _try(
        self,
        batch: UUID,
        commits: Sequence[StoredCommit],
        to_snapshot: Callable[[Flow], StoredEvent],
    ) -> Collection[str]:
        """Write all commits, or none and return the flows of which something is in the way."""
        arrays = batch_arrays(commits, to_snapshot)
        try:
            lost, bare = self._call(batch, arrays, again=False)
        except ConnectionBroken:
            if not self.datastore.link.wait(_AGAIN_SECONDS):
                raise
            lost, bare = self._call(batch, arrays, again=True)
        flows = {commit.flow.flow_id: commit.flow for commit in commits}
        with suppress(PersistenceError, psycopg.Error):  # they are a cache
            for flow_id in bare or ():
                self._restore(flows[flow_id], to_snapshot)
        return lost or ()

    def _restore(self, flow: Flow, to_snapshot: Callable[[Flow], StoredEvent]) -> None:
        """Write the snapshot and the tasks of a whole flow again, which somebody has deleted."""
        if not is_whole(flow):
            return
        with self.datastore.transaction(commit=True) as c:
            if c.execute(schema.SELECT_VERSION, (flow.flow_id,)).fetchone() != (flow.version,):
                return
            write_all(c, flow)
            c.execute(
                schema.UPDATE_INDEX, (flow.status.value, cancel_requested(flow), flow.flow_id)
            )
            c.execute(schema.INSERT_SNAPSHOT, schema.snapshot_columns(to_snapshot(flow)))

    def _call(
        self, batch: UUID, arrays: Sequence[object], *, again: bool
    ) -> tuple[Collection[FlowId] | None, Sequence[FlowId] | None]:
        query = _APPEND.format(",".join("?" * len(arrays)))
        with self.datastore.link.lend() as connection:
            row = PostgresCursor(connection).execute(query, (batch, again, *arrays)).fetchone()
            return row["lost"], row["bare"]


def _first_uses(commits: Sequence[StoredCommit]) -> Sequence[StoredCommit]:
    """Return the commits without the flows that use a key, or a name, which was used before."""
    flows = {commit.flow.flow_id: commit.flow for commit in commits}
    used: set[tuple[str, ...]] = set()
    lost: set[FlowId] = set()
    for commit in commits:
        flow_id, uses = commit.flow.flow_id, list[tuple[str, ...]]()
        if commit.key is not None:
            uses.append(("key", commit.key.route_id, commit.key.key))
        if commit.events and commit.events[0].originator_version == 1:
            uses += [("name", owner, key) for owner, key, _ in name_rows(flows[flow_id])]
        if not used.isdisjoint(uses):
            lost.add(flow_id)
        used.update(uses)
    return [commit for commit in commits if commit.flow.flow_id not in lost] if lost else commits


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
