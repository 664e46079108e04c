"""Drives the pure core: `decide` and `evolve` over lists of events, and nothing else."""

from __future__ import annotations

from attrs import define, field

from adapters.testing.answers import (
    Answer,
    Listing,
    PlainView,
    outcome_answer,
    plain_summary,
    plain_view,
)
from adapters.testing.drivers.driver import Ability, Driver, DriverFactory
from adapters.testing.failing import Failure
from adapters.testing.scenario import Decider
from domain.application.outcomes import accepted, rejected
from domain.application.ports import Clock, NewId
from domain.application.views import flow_view, task_summary
from domain.flow.commands import Command, CommandContext, CreateFlow
from domain.flow.decide import decide
from domain.flow.decide_task import task_of
from domain.flow.events import Event
from domain.flow.evolve import fold
from domain.flow.ids import CallerId, FlowId, Owner
from domain.flow.refusals import Refusal
from domain.flow.state import Flow, is_named


@define
class PureDriver:
    """Flows as what their events add up to. A restart forgets the flows and folds them anew."""

    clock: Clock
    new_id: NewId
    rules: Decider = decide
    events: dict[str, list[Event]] = field(factory=dict)
    """What happened to each flow, in the order of their creation."""
    flows: dict[str, Flow] = field(factory=dict)

    @property
    def abilities(self) -> frozenset[Ability]:
        """What it can do."""
        return frozenset({Ability.KEEPS_TIME, Ability.TAKES_ANYTHING})

    def send(self, owner: Owner, command: Command, key: str | None) -> Answer:  # noqa: ARG002 - the core knows no keys
        """Decide a command and evolve its flow."""
        flow = self._decided_on(owner, command)
        context = CommandContext(
            command=command,
            owner=owner,
            at=self.clock(),
            new_id=self.new_id(),
            caller=CallerId(f"{owner}/default"),
        )
        decision = self.rules(flow, context)
        if isinstance(decision, Refusal):
            return outcome_answer(rejected(decision, command), command)
        after = self._record(flow, decision)
        task_id = task_of(after, command, decision)
        return outcome_answer(accepted(after, command, task_id), command)

    def find(self, owner: Owner, flow_id: FlowId) -> PlainView | None:
        """Return what an owner is shown of a flow."""
        flow = self._owned(owner, flow_id)
        return None if flow is None else plain_view(flow_view(flow))

    def latest(self, owner: Owner) -> PlainView | None:
        """Return the flow that an owner created last."""
        return next(iter(self._all(owner)), None)

    def resolve(self, owner: Owner, token: str) -> PlainView | None:
        """Return the flow of a token."""
        return self.latest(owner) if token == owner else self.find(owner, FlowId(token))

    def summary(self, owner: Owner, flow_id: FlowId) -> PlainView | None:
        """Return the counts of a flow's tasks."""
        flow = self._owned(owner, flow_id)
        return None if flow is None else plain_summary(task_summary(flow.counts))

    def listed(
        self, owner: Owner, *, limit: int, status: str | None = None, cursor: object = None
    ) -> Listing:
        """Return some flows of an owner, newest first; a cursor is how many came before."""
        start = cursor if isinstance(cursor, int) else 0
        found = [flow for flow in self._all(owner) if status in {None, flow["status"]}]
        end = start + limit
        return Listing(tuple(found[start:end]), end if len(found) > end else None)

    def fail(self, failure: Failure) -> None:
        """Refuse: nothing is written here."""
        raise NotImplementedError(f"the pure core writes nothing that could fail: {failure}")

    def restart(self) -> None:
        """Fold all flows anew."""
        folded = {flow_id: fold(None, events) for flow_id, events in self.events.items()}
        self.flows = {flow_id: flow for flow_id, flow in folded.items() if flow is not None}

    def close(self) -> None:
        """Hold nothing."""

    def _record(self, flow: Flow | None, events: tuple[Event, ...]) -> Flow:
        flow = fold(flow, events)
        if flow is None:
            raise AssertionError("a decision on no flow must create one")
        self.events.setdefault(flow.flow_id, []).extend(events)
        self.flows[flow.flow_id] = flow
        return flow

    def _decided_on(self, owner: Owner, command: Command) -> Flow | None:
        if not isinstance(command, CreateFlow):
            return self.flows.get(command.flow_id)
        key = command.correlation_key
        flows = (flow for flow in self.flows.values() if flow.owner == owner)
        return next((flow for flow in flows if is_named(flow, key)), None)

    def _owned(self, owner: Owner, flow_id: FlowId) -> Flow | None:
        flow = self.flows.get(flow_id)
        return flow if flow is not None and flow.owner == owner else None

    def _all(self, owner: Owner) -> list[PlainView]:
        return [
            plain_view(flow_view(flow))
            for flow in reversed(self.flows.values())
            if flow.owner == owner
        ]


def pure_core(clock: Clock, new_id: NewId) -> Driver:
    """Drive the core as it is."""
    return PureDriver(clock, new_id)


def pure_core_with(rules: Decider) -> DriverFactory:
    """Drive a rule of your own in place of `decide`."""
    return lambda clock, new_id: PureDriver(clock, new_id, rules)
