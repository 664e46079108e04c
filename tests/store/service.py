"""The service in front of a store, with a clock that stands still and ids that are counted."""

from __future__ import annotations

import itertools
from typing import Final

from adapters.store import EventSourcedStore
from domain.application.outcomes import Accepted, Outcome, Rejected
from domain.application.recorded_events import Actor, ActorKind, CommandMetadata, RequestKey
from domain.application.sessions import OwnerSession, TaskFlows
from domain.application.views import FlowView
from domain.flow.commands import CreateFlow, RunTask
from domain.flow.ids import FlowId, KeyId, Owner, RequestId, RouteId
from domain.flow.status import Runtime

NOW: Final = 1_700_000_000_000
OWNER: Final = Owner("agent:main:main")
STRANGER: Final = Owner("agent:main:other")
ROUTE: Final = Actor(kind=ActorKind.ROUTE, name="zapier", key_id=KeyId("default"))
ORIGIN: Final = CommandMetadata(
    actor=ROUTE, request_id=RequestId("request-1"), remote_address="203.0.113.7"
)


def keyed(key: str, request_hash: str = "hash-1") -> CommandMetadata:
    """Return the origin of a request that came with an idempotency key."""
    return CommandMetadata(
        actor=ROUTE,
        request_id=RequestId("request-1"),
        request_key=RequestKey(route_id=RouteId(ROUTE.name), key=key, request_hash=request_hash),
    )


def service(store: EventSourcedStore, *, prefix: str = "id") -> TaskFlows:
    """Return the service, whose ids are `<prefix>-1`, `<prefix>-2` and so on."""
    numbers = itertools.count(1)
    return TaskFlows(store, lambda: NOW, lambda: f"{prefix}-{next(numbers)}")


def session(store: EventSourcedStore, owner: Owner = OWNER, *, prefix: str = "id") -> OwnerSession:
    """Return an owner's handle on a service of its own."""
    return service(store, prefix=prefix).bind_session(owner)


def creation(goal: str = "ship it") -> CreateFlow:
    """Return the command that opens a flow."""
    return CreateFlow(goal=goal, controller_id="webhooks/zapier")


def run(flow_id: FlowId, *, run_id: str | None = None) -> RunTask:
    """Return the command that links a child, or finds that of a run."""
    return RunTask(flow_id=flow_id, runtime=Runtime.ACP, task="work", run_id=run_id)


def create(
    owner: OwnerSession, origin: CommandMetadata = ORIGIN, goal: str = "ship it"
) -> FlowView:
    """Open a flow and return what is shown of it."""
    return shown(owner.execute(creation(goal), origin))


def shown(outcome: Outcome) -> FlowView:
    """Return what is shown of the flow of a command that was accepted."""
    return granted(outcome).flow


def granted(outcome: Outcome) -> Accepted:
    """Return the outcome of a command that was accepted."""
    assert isinstance(outcome, Accepted), outcome
    return outcome


def code(outcome: Outcome) -> str:
    """Return the code of a refusal."""
    assert isinstance(outcome, Rejected), outcome
    return outcome.code
