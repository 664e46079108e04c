"""Drives the service over a store that it is handed: `OwnerSession`, start to end."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable

from attrs import define, field

from adapters.testing.answers import (
    NOT_PERSISTED,
    Answer,
    Listing,
    PlainView,
    outcome_answer,
    plain_summary,
    plain_view,
)
from adapters.testing.drivers.driver import Ability, Driver, DriverFactory, LostAnswer
from adapters.testing.failing import Died, FailingStore, Failure
from adapters.testing.json_format import dump_command
from adapters.testing.memory import MemoryStore
from domain.application.ports import Clock, FlowStore, NewId, StoreUnavailable
from domain.application.recorded_events import Actor, ActorKind, CommandMetadata, RequestKey
from domain.application.sessions import OwnerSession, TaskFlows
from domain.application.views import FlowView
from domain.flow.commands import Command
from domain.flow.ids import FlowId, KeyId, Owner, RequestId, RouteId
from domain.flow.status import FlowStatus


@define
class ServiceDriver:
    """The service over any `FlowStore`, whose writes can be made to fail.

    `reopen` is given the store at a restart, closes it and returns it opened again; `release` is
    given it at the end. Both do nothing unless you say otherwise.
    """

    store: FlowStore
    clock: Clock
    new_id: NewId
    reopen: Callable[[FlowStore], FlowStore] = field(default=lambda store: store)
    release: Callable[[FlowStore], object] = field(default=lambda store: store)
    _failing: FailingStore = field(init=False)

    def __attrs_post_init__(self) -> None:
        """Stand between the service and its store."""
        self._failing = FailingStore(self.store)

    @property
    def abilities(self) -> frozenset[Ability]:
        """What it can do: everything."""
        return frozenset(Ability)

    def send(self, owner: Owner, command: Command, key: str | None) -> Answer:
        """Execute a command of an owner."""
        try:
            outcome = self._session(owner).execute(command, _origin(owner, command, key))
        except StoreUnavailable:
            return Answer(NOT_PERSISTED)
        except Died as death:
            raise LostAnswer from death
        return outcome_answer(outcome, command)

    def find(self, owner: Owner, flow_id: FlowId) -> PlainView | None:
        """Return what an owner is shown of a flow."""
        return _shown(self._session(owner).find(flow_id))

    def latest(self, owner: Owner) -> PlainView | None:
        """Return the flow that an owner created last."""
        return _shown(self._session(owner).find_latest())

    def resolve(self, owner: Owner, token: str) -> PlainView | None:
        """Return the flow of a token."""
        return _shown(self._session(owner).resolve(token))

    def summary(self, owner: Owner, flow_id: FlowId) -> PlainView | None:
        """Return the counts of a flow's tasks."""
        summary = self._session(owner).summarize_tasks(flow_id)
        return None if summary is None else plain_summary(summary)

    def listed(
        self, owner: Owner, *, limit: int, status: str | None = None, cursor: object = None
    ) -> Listing:
        """Return some flows of an owner, newest first."""
        page = self._session(owner).page(
            limit=limit,
            cursor=FlowId(cursor) if isinstance(cursor, str) else None,
            status=None if status is None else FlowStatus(status),
        )
        return Listing(tuple(map(plain_view, page.flows)), page.next_cursor)

    def fail(self, failure: Failure) -> None:
        """Let a write to come fail."""
        self._failing.plan(failure)

    def restart(self) -> None:
        """Open the store again, and begin anew over it."""
        self.store = self.reopen(self.store)
        self._failing = FailingStore(self.store)

    def close(self) -> None:
        """Let go of the store."""
        self.release(self.store)

    def _session(self, owner: Owner) -> OwnerSession:
        return TaskFlows(self._failing, self.clock, self.new_id).bind_session(owner)


def _shown(view: FlowView | None) -> PlainView | None:
    return None if view is None else plain_view(view)


def _origin(owner: Owner, command: Command, key: str | None) -> CommandMetadata:
    actor = Actor(kind=ActorKind.ROUTE, name=owner, key_id=KeyId("default"))
    body = hashlib.sha256(json.dumps(dump_command(command)).encode()).hexdigest()
    route = RouteId(owner)
    request_key = None if key is None else RequestKey(route_id=route, key=key, request_hash=body)
    return CommandMetadata(actor=actor, request_id=RequestId("request-1"), request_key=request_key)


def memory_service(clock: Clock, new_id: NewId) -> Driver:
    """Drive the service over a store in memory."""
    return ServiceDriver(MemoryStore(), clock, new_id)


def service_over(make_store: Callable[[], FlowStore]) -> DriverFactory:
    """Drive the service over a store of your own, made anew and empty for each run."""
    return lambda clock, new_id: ServiceDriver(make_store(), clock, new_id)
