"""Services with a fault each, for the kit to find: rules of the core, and stores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from attrs import define
from attrs import evolve as replace

from adapters.testing.drivers import Driver, PureDriver, ServiceDriver
from adapters.testing.memory import MemoryStore
from adapters.testing.model import ModelFlow, Rules, Verdict
from domain.application.ports import Clock, Commit, FlowStore, NewId, Page
from domain.flow.commands import REVISIONED, CommandContext, FinishFlow, RequestCancel
from domain.flow.decide import Decision, decide
from domain.flow.events import TaskEnded
from domain.flow.ids import FlowId, Owner
from domain.flow.refusals import Refusal
from domain.flow.state import Flow, cancel_requested
from domain.flow.status import FlowStatus

T = TypeVar("T")


def _forgets_the_owner(flow: Flow | None, context: CommandContext) -> Decision:
    return decide(flow, context if flow is None else replace(context, owner=flow.owner))


def _takes_any_revision(flow: Flow | None, context: CommandContext) -> Decision:
    command = context.command
    if flow is not None and isinstance(command, REVISIONED):
        context = replace(context, command=replace(command, expected_revision=flow.revision))
    return decide(flow, context)


def _never_settles(flow: Flow | None, context: CommandContext) -> Decision:
    match decide(flow, context):
        case (TaskEnded() as ended, _):
            return (ended,)
        case decision:
            return decision


def _follows_the_clock_back(flow: Flow | None, context: CommandContext) -> Decision:
    decision = decide(flow, context)
    if isinstance(decision, Refusal):
        return decision
    return tuple(replace(event, at=context.at) for event in decision)


def _crashes_at_the_end(flow: Flow | None, context: CommandContext) -> Decision:
    if isinstance(context.command, FinishFlow):
        raise ZeroDivisionError
    return decide(flow, context)


def forgets_the_owner(clock: Clock, new_id: NewId) -> Driver:
    """Let everybody change every flow."""
    return PureDriver(clock, new_id, _forgets_the_owner)


def takes_any_revision(clock: Clock, new_id: NewId) -> Driver:
    """Never see a conflict."""
    return PureDriver(clock, new_id, _takes_any_revision)


def never_settles(clock: Clock, new_id: NewId) -> Driver:
    """Leave flows pending when their last child has ended."""
    return PureDriver(clock, new_id, _never_settles)


def follows_the_clock_back(clock: Clock, new_id: NewId) -> Driver:
    """Believe a clock that steps back."""
    return PureDriver(clock, new_id, _follows_the_clock_back)


def crashes_at_the_end(clock: Clock, new_id: NewId) -> Driver:
    """Raise where a flow should end."""
    return PureDriver(clock, new_id, _crashes_at_the_end)


class _Leaky(MemoryStore):
    def _owned(self, owner: Owner, flow_id: FlowId) -> Flow | None:
        del owner
        return self.load(flow_id)


class _OldestFirst(MemoryStore):
    def page(
        self,
        owner: Owner,
        *,
        limit: int,
        before: int | None,
        status: FlowStatus | None,
        show: Callable[[Flow], T],
    ) -> Page[T]:
        page = super().page(owner, limit=limit, before=before, status=status, show=show)
        return replace(page, flows=list(reversed(page.flows)))


@define
class _LosesEveryThirdWrite(MemoryStore):
    writes: int = 0

    def append_many(self, commits: Sequence[Commit]) -> Sequence[bool]:
        self.writes += 1
        return super().append_many(commits) if self.writes % 3 else [True] * len(commits)


class _ForgetsKeys(MemoryStore):
    def append_many(self, commits: Sequence[Commit]) -> Sequence[bool]:
        return super().append_many([replace(each, request_key=None) for each in commits])


def leaks(clock: Clock, new_id: NewId) -> Driver:
    """Show every flow to everybody."""
    return ServiceDriver(_Leaky(), clock, new_id)


def lists_the_oldest_first(clock: Clock, new_id: NewId) -> Driver:
    """Turn each page of a list around."""
    return ServiceDriver(_OldestFirst(), clock, new_id)


def loses_writes(clock: Clock, new_id: NewId) -> Driver:
    """Acknowledge each third write without doing it."""
    return ServiceDriver(_LosesEveryThirdWrite(), clock, new_id)


def forgets_keys(clock: Clock, new_id: NewId) -> Driver:
    """Do again what a key was sent for twice."""
    return ServiceDriver(_ForgetsKeys(), clock, new_id)


def loses_the_last_write_at_a_restart(clock: Clock, new_id: NewId) -> Driver:
    """Lose what was acknowledged last when the service stops."""

    def reopen(store: FlowStore) -> FlowStore:
        assert isinstance(store, MemoryStore)
        if store.streams:
            store.streams.popitem()
        return store

    return ServiceDriver(MemoryStore(), clock, new_id, reopen=reopen)


def wants_once_rule(flow: Flow | None, context: CommandContext) -> Decision:
    """Decide by a new rule: to want a flow cancelled again changes nothing."""
    decision = decide(flow, context)
    said = flow is not None and cancel_requested(flow)
    wants = isinstance(context.command, RequestCancel) and not isinstance(decision, Refusal)
    return () if said and wants else decision


def wants_once(clock: Clock, new_id: NewId) -> Driver:
    """Follow a new rule: to want a flow cancelled again changes nothing."""
    return PureDriver(clock, new_id, wants_once_rule)


class WantsOnce(Rules):
    """The new rule, as the model says it."""

    def request_cancel(self, flow: ModelFlow, command: RequestCancel, at: int) -> Verdict:
        """Say it once."""
        return flow if flow.wants_cancel else super().request_cancel(flow, command, at)
