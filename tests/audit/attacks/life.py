"""A store's life, drawn by lot: owners, flows, children, keys, a clock that steps back."""

from __future__ import annotations

from random import Random
from typing import Final

from attrs import define, field

from adapters.store import EventSourcedStore
from adapters.testing.clock import ControlledClock
from adapters.testing.ids import CountedIds
from bench.stores import unsynced
from domain.application.operators import SYSTEM, Operators
from domain.application.outcomes import Accepted
from domain.application.recorded_events import CommandMetadata, RequestKey
from domain.application.sessions import TaskFlows
from domain.flow.commands import (
    CancelFlow,
    Command,
    CreateFlow,
    FailFlow,
    FinishFlow,
    RequestCancel,
    ResumeFlow,
    RunTask,
    SetWaiting,
    UpdateTask,
)
from domain.flow.ids import FlowId, Owner, RequestId, RouteId, TaskId
from domain.flow.state import Flow
from domain.flow.status import Runtime, TaskStatus
from domain.flow.values import Json
from tests.cli.workbench import ZAPIER

OWNERS: Final = ("agent:main:main", "agent:support:desk", "agent:ops:night")
OPENINGS: Final = 0.2
"""How often a flow is opened, of all actions."""

KEYED: Final = 0.3
"""How many requests come with an idempotency key, of all."""


@define
class Life:
    """Acts on a store as callers do; what is refused is part of life."""

    rng: Random
    clock: ControlledClock = field(factory=lambda: ControlledClock(1_795_435_200_000))
    new_id: CountedIds = field(factory=lambda: CountedIds("id"))
    _owners: dict[str, str] = field(factory=dict)
    _requests: CountedIds = field(factory=lambda: CountedIds("request"))

    def go_on(self, store: EventSourcedStore, actions: int) -> None:
        """Do so many things, and then give up the children that were silent."""
        flows = TaskFlows(store, self.clock, self.new_id)
        with unsynced(store):
            for _ in range(actions):
                self.clock.advance(self.rng.choice((1, 40, 7_000, -20)))
                self._act(store, flows)
            Operators(store, self.clock, self.new_id, SYSTEM).sweep(lost_after=60_000)

    def _act(self, store: EventSourcedStore, flows: TaskFlows) -> None:
        if not self._owners or self.rng.random() < OPENINGS:
            owner: str = self.rng.choice(OWNERS)
            command: Command = self._creation()
        else:
            flow_id = self.rng.choice(sorted(self._owners))
            flow = store.load(FlowId(flow_id))
            assert flow is not None
            owner, command = flow.owner, self._wish(flow)
        outcome = flows.bind_session(Owner(owner)).execute(command, self._origin())
        if isinstance(outcome, Accepted):
            self._owners[outcome.flow.flow_id] = owner

    def _creation(self) -> CreateFlow:
        goal = self.rng.choice(("Reconcile the invoices", "Answer the customer", "Sleep"))
        return CreateFlow(goal=goal, controller_id="webhooks/zapier", state_json=self._json())

    def _wish(self, flow: Flow) -> Command:
        """Return what somebody may want of a flow."""
        to, at = flow.flow_id, flow.revision
        wait = SetWaiting(flow_id=to, expected_revision=at, wait_json=self._json())
        run_id = self.rng.choice("rst")
        run = RunTask(flow_id=to, runtime=Runtime.ACP, task="Fetch", run_id=run_id)
        wishes: dict[Command, int] = {
            wait: 6,
            ResumeFlow(flow_id=to, expected_revision=at, state_json=self._json()): 6,
            run: 5,
            **dict.fromkeys((self._report(flow, task.task_id) for task in flow.tasks), 3),
            CancelFlow(flow_id=to): 2,
            FinishFlow(flow_id=to, expected_revision=at): 1,
            FailFlow(flow_id=to, expected_revision=at, blocked_summary="no address"): 1,
            RequestCancel(flow_id=to, expected_revision=at): 1,
        }
        return self.rng.choices(list(wishes), list(wishes.values()))[0]

    def _report(self, flow: Flow, task_id: TaskId) -> UpdateTask:
        status = self.rng.choice((TaskStatus.RUNNING, TaskStatus.RUNNING, TaskStatus.SUCCEEDED))
        return UpdateTask(flow_id=flow.flow_id, task_id=task_id, status=status)

    def _json(self) -> Json:
        return Json(f'{{"batch":{self.rng.randrange(1000)}}}')

    def _origin(self) -> CommandMetadata:
        request = self._requests()
        keyed = self.rng.random() < KEYED
        return CommandMetadata(
            actor=ZAPIER,
            request_id=RequestId(request),
            remote_address="203.0.113.7",
            request_key=RequestKey(
                route_id=RouteId(ZAPIER.name), key=request, request_hash="ab" * 32
            )
            if keyed
            else None,
        )
