"""Gives up the children that nobody hears of, where a cancellation waits for their end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from attrs import frozen

from domain.commands import LoseTask
from domain.flow import Flow, active_tasks
from domain.outcomes import Accepted
from domain.ports import Clock, FlowStore
from domain.records import Origin
from domain.service import TaskFlows
from domain.status import FlowStatus
from domain.task import silent_since
from domain.values import Timestamp

BATCH: Final = 100


@frozen
class SilentFlow:
    """A flow with a cancel intent and an active child that was not heard of for some time."""

    owner: str
    flow_id: str


class SweptStore(FlowStore, Protocol):
    """A store that can say which flows wait for silent children."""

    def silent(self, before: Timestamp, limit: int) -> Sequence[SilentFlow]:
        """Return flows whose most silent child is silent since `before` or earlier."""
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
class Sweeper:
    """Marks children as lost that were silent for `lost_after` milliseconds."""

    store: SweptStore
    flows: TaskFlows
    clock: Clock
    lost_after: int

    def sweep(self, origin: Origin) -> Swept:
        """Give up all children that have been silent for too long, a transaction each.

        Raises:
            StoreUnavailable: if the store cannot be read or written; what was done before stays.
        """
        before = self.clock() - self.lost_after
        total = Swept()
        while silent := self.store.silent(before, BATCH):
            swept = sum((self._sweep(flow, before, origin) for flow in silent), Swept())
            if not swept.lost:
                break  # others were faster; the rest is for the next sweep
            total += swept
        return total

    def _sweep(self, silent: SilentFlow, before: Timestamp, origin: Origin) -> Swept:
        flow = self.store.load(silent.flow_id)
        session = self.flows.bind_session(silent.owner)
        swept = Swept()
        for task_id in _silent_tasks(flow, before):
            command = LoseTask(flow_id=silent.flow_id, task_id=task_id, silent_before=before)
            outcome = session.execute(command, origin)
            if isinstance(outcome, Accepted):
                cancelled = outcome.flow.status is FlowStatus.CANCELLED
                swept += Swept(1, int(cancelled and flow is not None and flow.ended_at is None))
        return swept


def _silent_tasks(flow: Flow | None, before: Timestamp) -> tuple[str, ...]:
    if flow is None:
        return ()
    return tuple(task.task_id for task in active_tasks(flow) if silent_since(task) <= before)
