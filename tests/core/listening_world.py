"""One gateway, one flow that is to be cancelled and its child, under clocks that misbehave.

Time passes beat by beat. In each the process may be stopped, its host suspended, its wall clock
set, itself started again; and the child may report, which arrives at once or, where the gateway is
stopped, after the look that it takes on waking.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence

from attrs import Factory, define, field, frozen
from attrs import evolve as replace

from adapters.testing.memory import MemoryStore
from domain.application.due_waits import DueWait
from domain.application.listening import ClockReading, ListeningPace, ListeningPeriod
from domain.application.operators import SYSTEM, Operators
from domain.application.outcomes import Accepted
from domain.application.recorded_events import CommandMetadata
from domain.application.sessions import TaskFlows
from domain.application.sweep import Sightings, StaleFlow
from domain.flow.commands import CancelFlow, Command, CreateFlow, RunTask, UpdateTask
from domain.flow.concerned import TaskSelection, with_only
from domain.flow.ids import FlowId, Owner, RequestId
from domain.flow.state import Flow, flow_stale_since
from domain.flow.status import Runtime, TaskStatus
from domain.flow.values import Timestamp

OWNER = Owner("agent:main:main")
EPOCH = 1_795_435_200_000


@define
class SweptMemoryStore(MemoryStore):
    """A store in memory that looks at all its flows for the silent ones."""

    def stale(self, before: Timestamp, limit: int) -> Sequence[StaleFlow]:
        return self._waiting(lambda since: since <= before)[:limit]

    def load_with(self, flow_id: FlowId, tasks: TaskSelection) -> Flow | None:
        flow = self.load(flow_id)
        return None if flow is None else with_only(flow, tasks)

    def ahead(self, after: Timestamp, limit: int) -> Sequence[StaleFlow]:
        return self._waiting(lambda since: since > after)[:limit]

    def due(self, now: Timestamp, after: DueWait | None, limit: int) -> Sequence[DueWait]:
        flows = [flow for flow in map(self.load, map(FlowId, self.streams)) if flow is not None]
        waits = sorted(
            (flow.until, flow.flow_id, flow.owner)
            for flow in flows
            if flow.until is not None and flow.until <= now
        )
        return [
            DueWait(owner=owner, flow_id=flow_id, until=until)
            for until, flow_id, owner in waits
            if after is None or (until, flow_id) > (after.until, after.flow_id)
        ][:limit]

    def owner_of(self, flow_id: FlowId) -> Owner | None:
        flow = self.load(flow_id)
        return None if flow is None else flow.owner

    def _waiting(self, wanted: Callable[[Timestamp], bool]) -> list[StaleFlow]:
        flows = [flow for flow in map(self.load, map(FlowId, self.streams)) if flow is not None]
        since = [(flow_stale_since(flow), flow) for flow in flows]
        return [StaleFlow(f.owner, f.flow_id) for s, f in since if s is not None and wanted(s)]


@frozen
class Beat:
    """What happens in one beat; lengths are in thousandths of the time that makes a child stale."""

    stop: int = 0
    """How long the process is stopped."""
    suspend: int = 0
    """How long the host is suspended: the wall clock goes on, the monotonic one does not."""
    step: int = 0
    """By how much the wall clock is set."""
    restart: bool = False
    report: bool = False


@define
class ListeningWorld:
    """Both clocks, a store and a gateway that sweeps it."""

    pace: ListeningPace
    last_event_at: int | None = None
    wall: int = EPOCH
    monotonic: int = 5_000
    listened: int = 0
    """How long the gateway listened in all, which only this test can know."""
    due_from: int = 0
    """From when on, by that measure, the child has its time."""
    stops: int = 0
    """How often the gateway was stopped since then."""
    looks: int = 0
    store: SweptMemoryStore = Factory(SweptMemoryStore)
    sightings: Sightings = Factory(dict)
    period: ListeningPeriod = field(init=False)
    numbers: Iterator[int] = Factory(lambda: itertools.count(1))
    flow_id: str = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.period = ListeningPeriod.begin(self.pace, self.clocks())
        self.flow_id = self.accept(CreateFlow(goal="g", controller_id="c")).flow.flow_id
        child = RunTask(flow_id=self.flow_id, runtime=Runtime.ACP, task="t")
        self.accept(replace(child, status=TaskStatus.RUNNING, last_event_at=self.last_event_at))
        self.accept(CancelFlow(flow_id=self.flow_id))

    @property
    def flow(self) -> Flow:
        flow = self.store.load(FlowId(self.flow_id))
        assert flow is not None
        return flow

    @property
    def is_lost(self) -> bool:
        return self.flow.tasks[0].status is TaskStatus.LOST

    def live(self, beat: Beat) -> None:
        """Let one beat pass, and all that happens in it; then the gateway looks."""
        scale = self.pace.stale_after
        half = self.pace.beat // 2
        self._pass(half)
        waiting = False
        self.wall = max(0, self.wall + beat.step * scale // 1000)
        if beat.report and not beat.stop:
            self._report()
        self.wall += beat.suspend * scale // 1000
        if beat.restart:
            self._stand_still(beat.stop * scale // 1000)
            self.period = ListeningPeriod.begin(self.pace, self.clocks())
            self.sightings, self.looks = {}, 0
            self._begin_anew()
        elif beat.stop:
            stopped = beat.stop * scale // 1000
            self._stand_still(stopped)
            self.stops += 1
            late = stopped + half - self.pace.beat
            if late > self.pace.interruption:
                self._begin_anew()
            waiting = beat.report
        self._pass(max(0, self.pace.beat - (self.monotonic - self.period.last.monotonic)))
        self.look()
        if waiting:
            self._report()

    def look(self) -> None:
        self.period = self.period.look(self.clocks())
        self.looks += 1
        if self.looks % self.pace.looks_per_sweep == 0:
            operators = Operators(self.store, lambda: self.wall, self.new_id, SYSTEM)
            _, self.sightings = operators.sweep_stale(self.period, self.sightings)

    def clocks(self) -> ClockReading:
        return ClockReading(wall=self.wall, monotonic=self.monotonic)

    def new_id(self) -> str:
        return f"id-{next(self.numbers)}"

    def accept(self, command: Command) -> Accepted:
        flows = TaskFlows(self.store, lambda: self.wall, self.new_id).bind_session(OWNER)
        outcome = flows.execute(command, CommandMetadata(actor=SYSTEM, request_id=RequestId("r")))
        assert isinstance(outcome, Accepted), outcome
        return outcome

    def _report(self) -> None:
        (task,) = self.flow.tasks
        if task.ended_at is None:
            status = TaskStatus.RUNNING
            self.accept(
                UpdateTask(flow_id=FlowId(self.flow_id), task_id=task.task_id, status=status)
            )
            self._begin_anew()

    def _begin_anew(self) -> None:
        self.due_from, self.stops = self.listened, 0

    def _pass(self, milliseconds: int) -> None:
        self._stand_still(milliseconds)
        self.listened += milliseconds

    def _stand_still(self, milliseconds: int) -> None:
        self.wall += milliseconds
        self.monotonic += milliseconds
