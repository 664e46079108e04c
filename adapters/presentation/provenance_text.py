"""Where an event comes from, in words: who caused it, through which request, and why."""

from __future__ import annotations

from collections.abc import Iterator

from domain.application.recorded_events import ActorKind, Metadata, RecordedEvent


def by_whom(metadata: Metadata) -> str:
    """Return who caused an event, as in `by route zapier, key 2026-01, from 203.0.113.7`."""
    actor = metadata.actor
    key = "" if actor.key_id is None else f", key {actor.key_id}"
    address = "" if metadata.remote_address is None else f", from {metadata.remote_address}"
    kind = "a link made for route" if actor.kind is ActorKind.LINK else actor.kind
    return f"by {kind} {actor.name}{key}{address}"


def through_what(record: RecordedEvent) -> Iterator[str]:
    """Return the request behind an event, and what caused it where that is something else."""
    metadata = record.metadata
    yield f"request {metadata.request_id}"
    if metadata.idempotency_key is not None:
        yield f"idempotency key {metadata.idempotency_key}"
    if metadata.correlation_id != metadata.request_id:
        yield f"correlation {metadata.correlation_id}"
    if metadata.causation_id != metadata.request_id:
        yield f"caused by {cause(record)}"


def cause(record: RecordedEvent) -> str:
    """Return what caused an event: the request, or an event of the flow ahead of it."""
    metadata = record.metadata
    if metadata.causation_id == metadata.request_id:
        return "the request"
    flow_id, _, version = metadata.causation_id.rpartition("/")
    return f"version {version}" if flow_id == record.flow_id else metadata.causation_id
