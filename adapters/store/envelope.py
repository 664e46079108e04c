"""What the library stores and hands back: an event or a snapshot in its place in a stream."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias, cast

from attrs import frozen
from eventsourcing.domain import DomainEventProtocol

from domain.application.recorded_events import Metadata, RecordedEvent
from domain.flow.events import Event
from domain.flow.evolve import BrokenHistory, evolve
from domain.flow.ids import FlowId
from domain.flow.state import Flow


@frozen
class Envelope:
    """A recorded event, by the names that the library's protocol asks for."""

    originator_id: str
    originator_version: int
    event: Event
    metadata: Metadata


@frozen
class FlowSnapshot:
    """The state of a flow at a version: a cache of its fold."""

    originator_id: str
    originator_version: int
    flow: Flow

    def state(self) -> Flow:
        """Return the flow.

        Raises:
            BrokenHistory: if it is another flow, or at another version, than it is kept for.
        """
        if (self.flow.flow_id, self.flow.version) != (self.originator_id, self.originator_version):
            found = f"is of flow {self.flow.flow_id} at version {self.flow.version}"
            raise BrokenHistory(f"flow {self.originator_id}: its snapshot {found}")
        return self.flow


Stored: TypeAlias = Envelope | FlowSnapshot


def as_event(stored: Stored) -> DomainEventProtocol[str]:
    """Let a type checker see that an envelope has what the library's protocol asks for."""
    return cast("DomainEventProtocol[str]", stored)


def as_envelope(event: DomainEventProtocol[str]) -> Envelope:
    """Return what an event of the library is in an event table: an envelope.

    Raises:
        BrokenHistory: if a snapshot lies among the events.
    """
    if not isinstance(event, Envelope):
        raise BrokenHistory(f"flow {event.originator_id}: a snapshot lies among its events")
    return event


def to_envelope(record: RecordedEvent) -> Envelope:
    """Return the library's form of a record."""
    return Envelope(record.flow_id, record.version, record.event, record.metadata)


def to_record(envelope: Envelope) -> RecordedEvent:
    """Return the core's form of an envelope."""
    return RecordedEvent(
        flow_id=FlowId(envelope.originator_id),
        version=envelope.originator_version,
        event=envelope.event,
        metadata=envelope.metadata,
    )


def project(flow: Flow | None, stored: Iterable[Stored]) -> Flow | None:
    """Fold a snapshot, if there is one, and the events after it: the library's projector.

    Raises:
        BrokenHistory: if the stream has a gap (recorders accept gaps, so reading must not), or is
            that of another flow.
    """
    for item in stored:
        flow = item.state() if isinstance(item, FlowSnapshot) else _next(flow, item)
        if flow.flow_id != item.originator_id:
            found = f"its events are those of flow {flow.flow_id}"
            raise BrokenHistory(f"flow {item.originator_id}: {found}")
    return flow


def _next(flow: Flow | None, envelope: Envelope) -> Flow:
    due = 1 if flow is None else flow.version + 1
    if envelope.originator_version != due:
        found = f"version {envelope.originator_version} follows where {due} was due"
        raise BrokenHistory(f"flow {envelope.originator_id}: {found}")
    return evolve(flow, envelope.event)
