"""Recorded events: an event with its place in a stream, and its metadata."""

from __future__ import annotations

from enum import StrEnum

from attrs import frozen

from domain.flow.events import Event
from domain.flow.ids import CallerId, FlowId, KeyId, RequestId, RouteId
from domain.flow.rules import RULES
from domain.flow.values import Timestamp


class ActorKind(StrEnum):
    """What kind of actor caused an event."""

    ROUTE = "route"
    OPERATOR = "operator"
    SYSTEM = "system"
    LINK = "link"


@frozen(kw_only=True)
class Actor:
    """Who caused an event, as the server derived it; a caller cannot choose it.

    A route has the id of the key that authenticated (`default` for a plain secret); an operator
    and the system have a name instead of a route, and no key. Of whoever followed a link no more is
    known than the route and the key that it was made for.
    """

    kind: ActorKind
    name: str
    key_id: KeyId | None = None

    @property
    def caller(self) -> CallerId | None:
        """The key of a route that a command came with, if it did."""
        if self.kind is not ActorKind.ROUTE or self.key_id is None:
            return None
        return CallerId(f"{self.name}/{self.key_id}")


@frozen(kw_only=True)
class RequestKey:
    """An idempotency key, within its route, and the SHA-256 (hex) of the request it came with.

    `aliases` are other spellings of the key, under which an earlier release may have stored it.
    """

    route_id: RouteId
    key: str
    request_hash: str
    aliases: tuple[str, ...] = ()


@frozen(kw_only=True)
class CommandMetadata:
    """Where a command comes from."""

    actor: Actor
    request_id: RequestId
    remote_address: str | None = None
    request_key: RequestKey | None = None


@frozen(kw_only=True)
class Metadata:
    """What stands beside each recorded event.

    `recorded_at` is the clock as it was read for the command; the event's own `at` is never before
    the event ahead of it, so they differ where the clock stepped back. `correlation_id` is one for
    all events of a request, `causation_id` the cause of this one: the request, or
    `<flow id>/<version>` of the event ahead of it in the same decision. `rules` is the version of
    the rules that it was decided by; events of the first version do not say it.
    """

    recorded_at: Timestamp
    actor: Actor
    request_id: RequestId
    correlation_id: str
    causation_id: str
    remote_address: str | None = None
    idempotency_key: str | None = None
    request_hash: str | None = None
    rules: int | None = None


@frozen(kw_only=True)
class RecordedEvent:
    """An event in its place: the flow, the stream version counted from 1, and its metadata."""

    flow_id: FlowId
    version: int
    event: Event
    metadata: Metadata


def to_recorded_events(
    events: tuple[Event, ...],
    *,
    flow_id: FlowId,
    after: int,
    origin: CommandMetadata,
    now: Timestamp,
) -> tuple[RecordedEvent, ...]:
    """Return one decision's events as recorded, behind version `after` of a stream."""
    return tuple(
        RecordedEvent(
            flow_id=flow_id,
            version=version,
            event=event,
            metadata=_metadata(
                origin, now, origin.request_id if i == 0 else f"{flow_id}/{version - 1}"
            ),
        )
        for i, (version, event) in enumerate(enumerate(events, after + 1))
    )


def _metadata(origin: CommandMetadata, now: Timestamp, causation_id: str) -> Metadata:
    key = origin.request_key
    return Metadata(
        recorded_at=now,
        actor=origin.actor,
        request_id=origin.request_id,
        correlation_id=origin.request_id,
        causation_id=causation_id,
        remote_address=origin.remote_address,
        idempotency_key=None if key is None else key.key,
        request_hash=None if key is None else key.request_hash,
        rules=RULES.version,
    )
