"""Generated histories as an auditor gets them: records, in their places."""

from __future__ import annotations

from typing import Final

from hypothesis.strategies import SearchStrategy

from adapters.testing.strategies.histories import histories, legal_histories
from domain.application.recorded_events import Actor, ActorKind, Metadata, RecordedEvent
from domain.flow.events import Event
from domain.flow.ids import FlowId, KeyId, RequestId
from domain.history.transitions import Transition, transitions

METADATA: Final = Metadata(
    recorded_at=0,
    actor=Actor(kind=ActorKind.ROUTE, name="zapier", key_id=KeyId("default")),
    request_id=RequestId("request"),
    correlation_id="request",
    causation_id="request",
)


def record_of(version: int, event: Event) -> RecordedEvent:
    """Return an event as the record of a version."""
    return RecordedEvent(flow_id=FlowId("flow"), version=version, event=event, metadata=METADATA)


def steps_of(events: tuple[Event, ...]) -> tuple[Transition, ...]:
    """Return the steps that some events are."""
    return tuple(transitions(record_of(number, event) for number, event in enumerate(events, 1)))


any_events: SearchStrategy[tuple[Event, ...]] = legal_histories | histories
"""Histories such as commands bring about, and any others that can be read."""
any_steps = any_events.map(steps_of)


def _in_order(history: tuple[Transition, ...]) -> bool:
    moments = [step.record.event.at for step in history]
    return moments == sorted(moments)


orderly_steps: SearchStrategy[tuple[Transition, ...]] = legal_histories.map(steps_of).filter(
    _in_order
)
"""Histories such as commands bring about: their times never run backwards."""
