"""The library's application for flows."""

from __future__ import annotations

from typing import Any, cast

from eventsourcing.application import AggregateNotFoundError, Application
from eventsourcing.persistence import Mapper, Transcoder
from eventsourcing.utils import Environment, EnvType

from adapters.store.envelope import project
from adapters.store.group_commit import GroupCommit
from adapters.store.mapper import FlowMapper, OrjsonTranscoder
from adapters.store.recorder import FlowRecorder
from adapters.store.schema import KeyRow
from adapters.store.sqlite import Datastore, Factory
from domain.flow import Flow

LOG_SECTION = 1000


class FlowApplication(Application[str]):
    """Event store, snapshots, repository and notification log over one database."""

    name = "taskflow"
    is_snapshotting_enabled = True
    log_section_size = LOG_SECTION

    @property
    def datastore(self) -> Datastore:
        """The database below."""
        return cast("Factory", self.factory).datastore

    @property
    def commits(self) -> GroupCommit:
        """What writes, and lets writers share a commit."""
        return cast("FlowRecorder", self.recorder).commits

    def insert_key(self, key: KeyRow) -> None:
        """Write the request key of a command that was accepted and led to no events."""
        cast("FlowRecorder", self.recorder).insert_key(key)

    def construct_env(self, name: str, env: EnvType | None = None) -> Environment:
        """Return exactly the settings that are given.

        NOTE: the library merges the whole ambient environment; a stray variable would break it.
        """
        return Environment(name, {"IS_SNAPSHOTTING_ENABLED": "y", **(env or {})})

    def construct_transcoder(self) -> Transcoder:
        """Return the transcoder of plain JSON."""
        return OrjsonTranscoder()

    def construct_mapper(self) -> Mapper[str]:
        """Return our mapper, with compression and encryption as the environment says."""
        return self.factory.mapper(transcoder=self.construct_transcoder(), mapper_class=FlowMapper)

    def load(self, flow_id: str, version: int | None = None) -> Flow | None:
        """Return a flow as it is or was, from its snapshot and the events after it."""
        try:
            found = self.repository.get(
                flow_id, version=version, projector_func=cast("Any", project)
            )
        except AggregateNotFoundError:
            return None
        flow = cast("Flow", found)
        return flow if version is None or flow.version == version else None
