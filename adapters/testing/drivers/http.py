"""Drives a live gateway: requests as JSON, over whatever posts them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from attrs import field, frozen

from adapters.testing.answers import Answer, Listing, PlainView
from adapters.testing.drivers import wire
from adapters.testing.drivers.driver import Ability
from adapters.testing.drivers.wire import WireFault, WireObject
from adapters.testing.failing import Failure
from domain.flow.commands import Command
from domain.flow.ids import FlowId, Owner, RouteId

__all__ = ["Door", "HttpDriver", "Post", "WireFault"]

MOST_LISTED = 1000


class Post(Protocol):
    """Posts a body to one route, with its secret and an idempotency key where one is given."""

    def __call__(self, body: bytes, key: str | None) -> tuple[int, bytes]:
        """Return the status and the body of the reply."""
        ...


@frozen
class Door:
    """Where one owner's requests go: its route, and the session key that the route is bound to.

    The session key names the same agent as the owner's name does, or none if that names none.
    """

    route_id: RouteId
    session_key: str
    post: Post


@frozen
class HttpDriver:
    """A gateway with a route for each owner, whose flows are none at the start.

    It keeps its own time, so that moments are not foretold, only that there are some.
    """

    doors: Mapping[Owner, Door]
    reboot: Callable[[], object] = field(default=lambda: None)

    @property
    def abilities(self) -> frozenset[Ability]:
        """What it can do."""
        return frozenset({Ability.REMEMBERS_KEYS})

    def send(self, owner: Owner, command: Command, key: str | None) -> Answer:
        """Post a command to an owner's route."""
        door = self.doors[owner]
        status, body = door.post(wire.request_of(command), key)
        return wire.parse_answer(command, status, body, route_id=door.route_id)

    def find(self, owner: Owner, flow_id: FlowId) -> PlainView | None:
        """Return what an owner is shown of a flow."""
        return _flow(self._ask(owner, "get_flow", flowId=flow_id))

    def latest(self, owner: Owner) -> PlainView | None:
        """Return the flow that an owner created last."""
        return _flow(self._ask(owner, "find_latest_flow"))

    def resolve(self, owner: Owner, token: str) -> PlainView | None:
        """Return the flow of a token."""
        sent = self.doors[owner].session_key if token == owner else token
        return _flow(self._ask(owner, "resolve_flow", token=sent))

    def summary(self, owner: Owner, flow_id: FlowId) -> PlainView | None:
        """Return the counts of a flow's tasks."""
        summary = self._ask(owner, "get_task_summary", flowId=flow_id)["summary"]
        return None if summary is None else wire.snake_keys(summary)

    def listed(
        self, owner: Owner, *, limit: int, status: str | None = None, cursor: object = None
    ) -> Listing:
        """Return some flows of an owner, newest first."""
        asked = {"limit": min(limit, MOST_LISTED), "status": status, "cursor": cursor}
        given = {name: value for name, value in asked.items() if value is not None}
        result = self._ask(owner, "list_flows", **given)
        return Listing(tuple(map(wire.parse_flow, result["flows"])), result.get("nextCursor"))

    def fail(self, failure: Failure) -> None:
        """Refuse: a live gateway does not fail on demand."""
        raise NotImplementedError(f"a live gateway does not fail on demand: {failure}")

    def restart(self) -> None:
        """Let the gateway start again."""
        self.reboot()

    def close(self) -> None:
        """Hold nothing: the gateway is not ours."""

    def _ask(self, owner: Owner, action: str, **members: object) -> WireObject:
        door = self.doors[owner]
        status, body = door.post(wire.query(action, **members), None)
        return wire.parse_result(status, body, route_id=door.route_id)


def _flow(result: WireObject) -> PlainView | None:
    return None if result["flow"] is None else wire.parse_flow(result["flow"])
