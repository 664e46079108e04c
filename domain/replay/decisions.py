"""Which events of a stream one decision led to.

The events of a decision are saved in one commit (`to_recorded_events`): the first is caused by the
request, each other one by the event ahead of it; all else beside them is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeAlias, TypeVar

from attrs import frozen

from domain.application.recorded_events import RecordedEvent
from domain.history.audit_log import LogEntry

T = TypeVar("T")


@frozen
class Read:
    """A stored event and what it says."""

    entry: LogEntry
    record: RecordedEvent


RecordedDecision: TypeAlias = Sequence[Read]
"""The events of one decision, in order: at least one."""


def decisions(
    stream: Iterable[T], recorded_event: Callable[[T], RecordedEvent]
) -> Iterator[Sequence[T]]:
    """Return the events of a stream, those of one decision together."""
    together: list[T] = []
    last = ""
    for item in stream:
        record = recorded_event(item)
        if together and record.metadata.causation_id != last:
            yield together
            together = []
        together.append(item)
        last = f"{record.flow_id}/{record.version}"
    if together:
        yield together
