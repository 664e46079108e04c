"""A service with a fixed clock, counted ids, and a store in memory."""

from __future__ import annotations

from itertools import count

from attrs import Factory, define

from adapters.testing.examples import NOW, OWNER, STRANGER
from domain.application.outcomes import Accepted, Outcome
from domain.application.recorded_events import Actor, ActorKind, CommandMetadata, RequestKey
from domain.application.sessions import OwnerSession, TaskFlows
from domain.flow.commands import Command, CreateFlow
from domain.flow.ids import KeyId, RequestId, RouteId
from tests.memory_store import WatchedStore

ACTOR = Actor(kind=ActorKind.ROUTE, name="zapier", key_id=KeyId("default"))
ORIGIN = CommandMetadata(actor=ACTOR, request_id=RequestId("request-1"))
CREATE = CreateFlow(goal="ship it", controller_id="webhooks/zapier")


def keyed(
    key: str, request_hash: str = "aa", route_id: RouteId = RouteId("zapier")
) -> CommandMetadata:
    """Return an origin with an idempotency key."""
    request_key = RequestKey(route_id=route_id, key=key, request_hash=request_hash)
    return CommandMetadata(actor=ACTOR, request_id=RequestId("request-1"), request_key=request_key)


@define
class World:
    """Everything that a service needs, and two owners of flows in it."""

    store: WatchedStore = Factory(WatchedStore)
    now: int = NOW
    _ids: count[int] = Factory(lambda: count(1))

    @property
    def owner(self) -> OwnerSession:
        """The session of one owner."""
        return self._flows().bind_session(OWNER)

    @property
    def stranger(self) -> OwnerSession:
        """The session of another."""
        return self._flows().bind_session(STRANGER)

    def create(self, command: CreateFlow = CREATE) -> str:
        """Create a flow of the owner and return its id."""
        return self.accepted(command).flow.flow_id

    def accepted(self, command: Command, origin: CommandMetadata = ORIGIN) -> Accepted:
        """Execute a command for the owner, which must be accepted."""
        return must(self.owner.execute(command, origin))

    def _flows(self) -> TaskFlows:
        return TaskFlows(self.store, lambda: self.now, lambda: f"id-{next(self._ids)}")


def must(outcome: Outcome) -> Accepted:
    """Return an outcome that is no refusal."""
    assert isinstance(outcome, Accepted), outcome
    return outcome
