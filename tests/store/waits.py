"""A store with flows that wait, and a clock that is set by hand."""

from __future__ import annotations

from typing import Any, Final

from attrs import define, field

from adapters.store import EventSourcedStore
from adapters.testing.clock import ControlledClock
from adapters.testing.ids import CountedIds
from domain.application.operators import SYSTEM, Operators
from domain.application.recorded_events import Actor, ActorKind, CommandMetadata
from domain.application.sessions import OwnerSession, TaskFlows
from domain.flow.commands import SetWaiting as Wait
from domain.flow.ids import FlowId, KeyId, RequestId
from domain.flow.state import Flow
from tests.store.service import ORIGIN, OWNER, create, shown

DUE: Final = 2000
LINK: Final = "ab" * 32
BY_LINK: Final = CommandMetadata(
    actor=Actor(kind=ActorKind.LINK, name="zapier", key_id=KeyId("default")),
    request_id=RequestId("request-2"),
)
BY_TIME: Final = CommandMetadata(actor=SYSTEM, request_id=RequestId("sweep-1"))


@define
class World:
    """A store, and a clock that is set by hand."""

    store: EventSourcedStore
    clock: ControlledClock = field(factory=ControlledClock)
    new_id: CountedIds = field(factory=CountedIds)

    @property
    def session(self) -> OwnerSession:
        return TaskFlows(self.store, self.clock, self.new_id).bind_session(OWNER)

    @property
    def system(self) -> Operators:
        return Operators(self.store, self.clock, self.new_id, SYSTEM)

    def waiting(self, **wait: Any) -> FlowId:  # noqa: ANN401 - fields of the command
        flow_id = create(self.session).flow_id
        shown(self.session.execute(Wait(flow_id=flow_id, expected_revision=0, **wait), ORIGIN))
        return flow_id

    def flow(self, flow_id: FlowId) -> Flow:
        flow = self.store.load(flow_id)
        assert flow is not None
        return flow
