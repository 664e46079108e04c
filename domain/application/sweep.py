"""Gives up stale children, where a cancellation waits for their end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice, takewhile
from typing import Final, Protocol, TypeAlias

from attrs import frozen

from domain.application.listening import ListeningPeriod
from domain.application.outcomes import Accepted
from domain.application.ports import FlowStore
from domain.application.recorded_events import CommandMetadata
from domain.application.sessions import TaskFlows
from domain.flow.commands import LoseTask
from domain.flow.concerned import ActiveTasks, SomeTasks, TaskSelection
from domain.flow.ids import FlowId, Owner
from domain.flow.state import Flow, active_tasks, task_events
from domain.flow.status import FlowStatus
from domain.flow.task import Task, stale_since
from domain.flow.values import Timestamp

BATCH: Final = 100
MOST_AT_ONCE: Final = 500
"""So many children of a flow are given up in one commit at most."""
MOST_SIGHTINGS: Final = 10_000
"""Of so many flows with news from the future their last news is remembered at most."""


@frozen
class StaleFlow:
    """A flow with a cancel intent and a stale active child."""

    owner: Owner
    flow_id: FlowId


class SweptStore(FlowStore, Protocol):
    """A store that finds the flows that wait for stale children."""

    def stale(self, before: Timestamp, limit: int) -> Sequence[StaleFlow]:
        """Return flows whose stalest child has had no news since `before`."""
        ...

    def load_with(self, flow_id: FlowId, tasks: TaskSelection) -> Flow | None:
        """Return a flow with at least some of its tasks."""
        ...

    def ahead(self, after: Timestamp, limit: int) -> Sequence[StaleFlow]:
        """Return flows all of whose active children gave their last news later than `after`."""
        ...


@frozen
class Swept:
    """How many children a sweep gave up, and how many flows became cancelled by it."""

    lost: int = 0
    cancelled: int = 0

    def __add__(self, other: Swept) -> Swept:
        """Return both together."""
        return Swept(self.lost + other.lost, self.cancelled + other.cancelled)


@frozen
class Sighting:
    """How many task events a flow had when it was first seen with them, by the monotonic clock."""

    task_events: int
    monotonic: int


Sightings: TypeAlias = Mapping[str, Sighting]
"""By flow: what is known of those whose last news has a moment that is yet to come."""


@frozen
class Sweeper:
    """Marks stale children as lost, those of a flow in one commit.

    Before each flow it asks `goes_on`, which may take its time to let others write, and ends where
    the answer is no. All its methods may raise `StoreUnavailable`; what was done before stays.
    """

    store: SweptStore
    flows: TaskFlows
    origin: CommandMetadata
    goes_on: Callable[[], bool] = lambda: True

    def sweep(self, before: Timestamp) -> Swept:
        """Give up all children without news since a moment."""
        total = Swept()
        while stale := self.store.stale(before, BATCH):
            swept = sum((self._sweep(flow, before) for flow in self._while_on(stale)), Swept())
            if not swept.lost:
                break  # others were faster; the rest is for the next sweep
            total += swept
        return total

    def sweep_ahead(self, period: ListeningPeriod, sightings: Sightings) -> tuple[Swept, Sightings]:
        """Give up children whose news bears a later moment than now, and is stale all the same.

        A clock was ahead when it came, and an event never has an earlier moment than the one before
        it: so only the number of task events shows news, as long as this process remembers it.
        """
        total, now = Swept(), period.last
        seen: dict[str, Sighting] = {}
        for ahead in self._while_on(self.store.ahead(now.wall, MOST_SIGHTINGS)):
            flow = self.store.load_with(ahead.flow_id, SomeTasks())
            if flow is None:
                continue
            known = sightings.get(ahead.flow_id)
            if known is None or known.task_events != task_events(flow):
                known = Sighting(task_events(flow), now.monotonic)
            if period.is_stale(known.monotonic):
                total += self._lose_unless_news(ahead, known.task_events)
            else:
                seen[ahead.flow_id] = known
        return total, seen

    def sweep_claimed(self, period: ListeningPeriod) -> Swept:
        """Give up children that were linked in this period as ones that were stale already.

        Their callers say so: no listening is needed to know it.
        """
        before, total = period.last.wall - period.pace.stale_after, Swept()
        for stale in self._while_on(self.store.stale(before, BATCH)):
            if flow := self.store.load_with(stale.flow_id, ActiveTasks(before)):
                commands = _if_stale(flow, before, lambda task: _is_claimed(task, period))
                total += self._lose(stale.owner, flow, commands)
        return total

    def give_up(self, owner: Owner, flow_id: FlowId) -> Swept:
        """Give up all active children of a flow, whatever their news."""
        flow = self.store.load_with(flow_id, ActiveTasks())
        if flow is None:
            return Swept()
        return self._lose(
            owner,
            flow,
            (
                LoseTask(flow_id=flow.flow_id, task_id=task.task_id, silent_before=None)
                for task in active_tasks(flow)
            ),
        )

    def _sweep(self, stale: StaleFlow, before: Timestamp) -> Swept:
        flow = self.store.load_with(stale.flow_id, ActiveTasks(before))
        return Swept() if flow is None else self._lose(stale.owner, flow, _if_stale(flow, before))

    def _lose_unless_news(self, ahead: StaleFlow, known_events: int) -> Swept:
        flow = self.store.load_with(ahead.flow_id, ActiveTasks())
        if flow is None:
            return Swept()
        return self._lose(ahead.owner, flow, _unless_news(flow, known_events))

    def _lose(self, owner: Owner, flow: Flow, commands: Iterable[LoseTask]) -> Swept:
        session, swept, rest = self.flows.bind_session(owner), Swept(), iter(commands)
        while batch := tuple(islice(rest, MOST_AT_ONCE)):
            if swept.lost and not self.goes_on():
                break
            for outcome in session.execute_together(batch, self.origin):
                if isinstance(outcome, Accepted):
                    cancelled = outcome.flow.status is FlowStatus.CANCELLED
                    swept += Swept(1, int(cancelled and flow.ended_at is None))
        return swept

    def _while_on(self, flows: Sequence[StaleFlow]) -> Iterable[StaleFlow]:
        return takewhile(lambda _: self.goes_on(), flows)


def _if_stale(
    flow: Flow, before: Timestamp, which: Callable[[Task], bool] = lambda _: True
) -> Iterable[LoseTask]:
    """Return the commands that give up the children without news since a moment."""
    return (
        LoseTask(flow_id=flow.flow_id, task_id=task.task_id, silent_before=before)
        for task in active_tasks(flow)
        if stale_since(task) <= before and which(task)
    )


def _is_claimed(task: Task, period: ListeningPeriod) -> bool:
    """Say whether the latest report of a task, in this period, was stale when it came."""
    was_stale = task.last_heartbeat_at - task.last_event_at >= period.pace.stale_after
    return was_stale and period.began <= task.last_heartbeat_at <= period.last.wall


def _unless_news(flow: Flow, known_events: int) -> Iterable[LoseTask]:
    """Return the commands that give up all active children, each unless there is news by then.

    Giving one up is a task event itself.
    """
    return (
        LoseTask(
            flow_id=flow.flow_id,
            task_id=task.task_id,
            silent_before=stale_since(task),
            task_events=known_events + number,
        )
        for number, task in enumerate(active_tasks(flow))
    )
