"""The library's application for flows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, Protocol, cast

from eventsourcing.application import AggregateNotFoundError, Application, Repository
from eventsourcing.persistence import (
    EventStore,
    InfrastructureFactory,
    Mapper,
    StoredEvent,
    Transcoder,
)
from eventsourcing.utils import Environment, EnvType

from adapters.store.codec import Undecodable
from adapters.store.database import DatabaseCursor, StoreDatabase
from adapters.store.mapper import FlowMapper, OrjsonTranscoder, SnapshotMapper
from adapters.store.recorder import FlowFactory, StoredCommit
from adapters.store.snapshot import project, snapshot_of
from adapters.store.tasks import read_tasks
from adapters.store.values import with_values
from domain.flow.concerned import ALL_TASKS, TaskSelection
from domain.flow.evolve import BrokenHistory
from domain.flow.ids import FlowId, Owner
from domain.flow.replace import replace
from domain.flow.state import Flow

LOG_SECTION = 1000
_SETTINGS: Final = {"IS_SNAPSHOTTING_ENABLED": "y", "ORIGINATOR_ID_TYPE": "text"}
_MOST_REPORTED = 1000
"""How many flows are reported for their snapshots, each once; of more, something else is wrong."""


class BatchRecorder(Protocol):
    """What a recorder of ours adds to the library's."""

    def append(
        self, commits: Sequence[StoredCommit], to_snapshot: Callable[[Flow], StoredEvent]
    ) -> Sequence[bool]:
        """Write commits in one transaction, and what follows; say of each if it was written."""
        ...


class FlowApplication(Application[str]):
    """Event store, snapshots, repository and notification log over one database."""

    name = "taskflow"
    is_snapshotting_enabled = True
    log_section_size = LOG_SECTION

    mapper: FlowMapper
    datastore: StoreDatabase

    def __init__(
        self,
        env: EnvType,
        make_factory: Callable[[Environment], Any] = FlowFactory,
        *,
        on_stale_cache: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Open the database that the settings name.

        `on_stale_cache` is called once a flow whose snapshot is not used.
        """
        self._make_factory = make_factory
        self._on_stale_cache = on_stale_cache
        self._reported: set[str] = set()
        super().__init__(env)

    def construct_factory(self, env: Environment) -> InfrastructureFactory[Any]:
        """Return the factory of the database, with our recorder."""
        factory = self._make_factory(env)
        self.datastore = factory.datastore
        return cast("InfrastructureFactory[Any]", factory)

    def construct_env(self, name: str, env: EnvType | None = None) -> Environment:
        """Return exactly the settings that are given.

        NOTE: the library merges the whole ambient environment; a foreign variable would break it.
        """
        return Environment(name, {**_SETTINGS, **(env or {})})

    def construct_transcoder(self) -> Transcoder:
        """Return the transcoder of plain JSON."""
        return OrjsonTranscoder()

    def construct_mapper(self) -> Mapper[str]:
        """Return our mapper, with compression and encryption as the environment says."""
        return self.factory.mapper(transcoder=self.construct_transcoder(), mapper_class=FlowMapper)

    def construct_snapshot_store(self) -> EventStore[str]:
        """Return the library's store of snapshots, which takes no event for one."""
        snapshots = super().construct_snapshot_store()
        mapper = self.mapper
        self.snapshot_mapper = SnapshotMapper(mapper.transcoder, mapper.compressor, mapper.cipher)
        snapshots.mapper = self.snapshot_mapper
        return snapshots

    def append(self, commits: Sequence[StoredCommit]) -> Sequence[bool]:
        """Write commits and what follows from them; say of each if it was written."""
        recorder = cast("BatchRecorder", self.recorder)
        return recorder.append(commits, lambda flow: self.mapper.to_stored_event(snapshot_of(flow)))

    def load(
        self, flow_id: FlowId, version: int | None = None, tasks: TaskSelection = ALL_TASKS
    ) -> Flow | None:
        """Return a flow as it is or was, from its snapshot and the events after it.

        A snapshot is a cache, with the rows of its tasks: one that cannot be read, or does not fit
        its events, is not used. Where it is used the flow has only the selected tasks with it.

        Raises:
            Undecodable, BrokenHistory: if it is the events that are not what we wrote.
        """
        with self.datastore.reading() as cursor:
            projector = partial(project, load_rows=partial(with_rows, cursor, tasks))
            try:
                flow = _get(self.repository, flow_id, version, projector)
            except (Undecodable, BrokenHistory) as error:
                flow = _get(Repository(self.events), flow_id, version)
                self._report_stale_cache(flow_id, error)
        return flow if flow is None or version is None or flow.version == version else None

    def load_of(
        self, owner: Owner, flow_id: FlowId, tasks: TaskSelection = ALL_TASKS
    ) -> Flow | None:
        """Return a flow as it is, if it is the owner's: its index row and snapshot may be wrong.

        APPSEC: both are caches, and what a caller is shown must be what the events say is theirs.
        """
        flow = self.load(flow_id, tasks=tasks)
        if flow is not None and flow.owner != owner:
            self._report_stale_cache(
                flow_id, BrokenHistory("it or its index row has another owner")
            )
            flow = _get(Repository(self.events), flow_id, None)
        return flow if flow is not None and flow.owner == owner else None

    def _report_stale_cache(self, flow_id: FlowId, error: Exception) -> None:
        if flow_id not in self._reported and len(self._reported) < _MOST_REPORTED:
            self._reported.add(flow_id)
            self._on_stale_cache(f"flow {flow_id}: its snapshot is not used: {error}")


def with_rows(c: DatabaseCursor, tasks: TaskSelection, flow: Flow) -> Flow:
    """Return the flow of a snapshot with what stands in rows of its own."""
    flow = with_values(c, flow)
    return replace(flow, tasks=read_tasks(c, flow, tasks)) if flow.task_count else flow


def _get(
    repository: Repository[str],
    flow_id: FlowId,
    version: int | None,
    projector: Callable[..., Flow | None] = project,
) -> Flow | None:
    try:
        found = repository.get(flow_id, version=version, projector_func=cast("Any", projector))
    except AggregateNotFoundError:
        return None
    return cast("Flow", found)
