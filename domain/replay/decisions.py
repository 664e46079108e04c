"""Which events of a stream one decision brought about, and the request key that it used.

The events of a decision are saved in one commit (`recorded_events.record_all`): the first is caused
by the request, each other one by the event ahead of it; all else beside them is the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from attrs import frozen

from domain.application.recorded_events import RecordedEvent
from domain.flow.events import TaskDescribed, TaskEnded, TaskLinked, TaskProgressed, TaskStarted
from domain.flow.ids import RouteId, TaskId
from domain.history.audit_log import LogEntry, RequestKeyRow


@frozen
class Read:
    """A stored event and what it says."""

    entry: LogEntry
    record: RecordedEvent


RecordedDecision: TypeAlias = Sequence[Read]
"""The events of one decision, in order: at least one."""


def decisions(stream: Iterable[Read]) -> Iterator[RecordedDecision]:
    """Return the events of a stream, those of one decision together."""
    together: list[Read] = []
    for read in stream:
        if together and read.record.metadata.causation_id != _id_of(together[-1].record):
            yield together
            together = []
        together.append(read)
    if together:
        yield together


def _id_of(record: RecordedEvent) -> str:
    return f"{record.flow_id}/{record.version}"


def key_row(decided: RecordedDecision) -> RequestKeyRow | None:
    """Return the row that a decision's request key has, if its request came with one."""
    last = decided[-1].record
    data = last.metadata
    if data.idempotency_key is None or data.request_hash is None:
        return None
    return RequestKeyRow(
        route_id=RouteId(data.actor.name),
        key=data.idempotency_key,
        request_hash=data.request_hash,
        flow_id=last.flow_id,
        version=last.version,
        task_id=next((task for read in decided if (task := _task_id(read.record))), None),
    )


def _task_id(record: RecordedEvent) -> TaskId | None:
    match record.event:
        case TaskLinked() | TaskDescribed() | TaskStarted() | TaskProgressed() | TaskEnded():
            return record.event.task_id
        case _:
            return None
