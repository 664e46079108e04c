"""The snapshot of a flow, and what it and the events after it add up to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

from attrs import frozen

from adapters.store.values import with_marks
from domain.application.recorded_events import RecordedEvent
from domain.flow.evolve import BrokenHistory
from domain.flow.evolve import evolve as after
from domain.flow.ids import FlowId
from domain.flow.replace import replace
from domain.flow.state import Flow
from domain.flow.task_counts import NO_TASKS

LoadRows: TypeAlias = Callable[[Flow], Flow]
"""Returns a flow with what stands in rows of their own: the tasks that are wanted, large values."""


@frozen
class FlowSnapshot:
    """The state of a flow at a version: a cache of its fold."""

    flow_id: FlowId
    version: int
    flow: Flow

    @property
    def originator_id(self) -> str:
        """Return the flow's id, by the name by which the library asks for it."""
        return self.flow_id

    @property
    def originator_version(self) -> int:
        """Return the version, by the name by which the library asks for it."""
        return self.version

    def state(self, load_rows: LoadRows) -> Flow:
        """Return the flow, with what is not kept in the snapshot itself.

        Raises:
            BrokenHistory: if it is another flow, or at another version, than it is kept for.
        """
        if (self.flow.flow_id, self.flow.version) != (self.flow_id, self.version):
            found = f"is of flow {self.flow.flow_id} at version {self.flow.version}"
            raise BrokenHistory(f"flow {self.flow_id}: its snapshot {found}")
        flow = self.flow
        if flow.tasks:  # as an older release wrote it
            return replace(flow, counts=NO_TASKS.changed((), flow.tasks))
        return load_rows(flow)


Stored: TypeAlias = RecordedEvent | FlowSnapshot
"""What the library stores and hands back."""


def snapshot_of(flow: Flow) -> FlowSnapshot:
    """Return the snapshot of a flow as it is; tasks and large values have rows of their own."""
    return FlowSnapshot(
        flow.flow_id, flow.version, with_marks(replace(flow, tasks=()) if flow.tasks else flow)
    )


def _without_rows(flow: Flow) -> Flow:
    if flow.task_count:
        raise BrokenHistory("its tasks are not there")
    return flow


def project(
    flow: Flow | None, stored: Iterable[Stored], load_rows: LoadRows = _without_rows
) -> Flow | None:
    """Fold a snapshot, if there is one, and the events after it: the library's projector.

    Raises:
        BrokenHistory: if the stream has a gap (recorders accept gaps, so reading must not), or is
            that of another flow.
    """
    has_rows = False
    for item in stored:
        if isinstance(item, FlowSnapshot):
            flow = item.state(load_rows)
            has_rows = flow.task_count > 0 and not item.flow.tasks
        elif has_rows:  # which are as of later than the snapshot
            raise BrokenHistory(f"flow {item.flow_id}: its snapshot is not of its last event")
        else:
            flow = _next(flow, item)
        if flow.flow_id != item.flow_id:
            found = f"its events are those of flow {flow.flow_id}"
            raise BrokenHistory(f"flow {item.flow_id}: {found}")
    return flow


def _next(flow: Flow | None, record: RecordedEvent) -> Flow:
    due = 1 if flow is None else flow.version + 1
    if record.version != due:
        found = f"version {record.version} follows where {due} was due"
        raise BrokenHistory(f"flow {record.flow_id}: {found}")
    return after(flow, record.event)
