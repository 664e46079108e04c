"""What stands beside each event: who, through what, when, and why."""

from __future__ import annotations

from attrs import evolve as replace

from adapters.testing.examples import FLOW, NOW, THEN
from domain.application.recorded_events import (
    Actor,
    ActorKind,
    CommandMetadata,
    Metadata,
    RecordedEvent,
    RequestKey,
    to_recorded_events,
)
from domain.flow.events import FlowCancelled, FlowCancelRequested
from domain.flow.ids import KeyId, RequestId, RouteId

ACTOR = Actor(kind=ActorKind.ROUTE, name="zapier", key_id=KeyId("default"))
ORIGIN = CommandMetadata(
    actor=ACTOR,
    request_id=RequestId("request-1"),
    remote_address="192.0.2.7",
    request_key=RequestKey(route_id=RouteId("zapier"), key="key-1", request_hash="aa"),
)
CANCELLED = (FlowCancelRequested(at=NOW), FlowCancelled(at=NOW))


def test_events_of_one_decision_follow_one_another_in_their_stream_and_in_their_cause() -> None:
    metadata = Metadata(
        recorded_at=THEN,
        actor=ACTOR,
        request_id=RequestId("request-1"),
        correlation_id="request-1",
        causation_id="request-1",
        remote_address="192.0.2.7",
        idempotency_key="key-1",
        request_hash="aa",
        rules=2,
    )
    caused = replace(metadata, causation_id="flow-1/8")
    assert to_recorded_events(CANCELLED, flow_id=FLOW, after=7, origin=ORIGIN, now=THEN) == (
        RecordedEvent(flow_id=FLOW, version=8, event=CANCELLED[0], metadata=metadata),
        RecordedEvent(flow_id=FLOW, version=9, event=CANCELLED[1], metadata=caused),
    )


def test_a_request_without_a_key_leaves_none() -> None:
    origin = CommandMetadata(
        actor=Actor(kind=ActorKind.SYSTEM, name="sweep"), request_id=RequestId("request-2")
    )
    (record,) = to_recorded_events(CANCELLED[:1], flow_id=FLOW, after=0, origin=origin, now=NOW)
    assert record.metadata == Metadata(
        recorded_at=NOW,
        actor=Actor(kind=ActorKind.SYSTEM, name="sweep"),
        request_id=RequestId("request-2"),
        correlation_id="request-2",
        causation_id="request-2",
        rules=2,
    )
