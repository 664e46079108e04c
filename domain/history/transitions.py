"""A flow's history, step by step: each record with the flow before and after it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from attrs import frozen

from domain.application.recorded_events import RecordedEvent
from domain.flow.evolve import BrokenHistory, evolve
from domain.flow.state import Flow


@frozen
class Transition:
    """A record, the flow before it (None before its creation), and the flow after it."""

    record: RecordedEvent
    before: Flow | None
    after: Flow


def transitions(records: Iterable[RecordedEvent]) -> Iterator[Transition]:
    """Return the steps of a flow, whose records are given from the first one on, in order.

    Raises:
        BrokenHistory: where a record is missing or repeated, or no record can stand.
    """
    flow: Flow | None = None
    for record in records:
        taken = transition_from(flow, record)
        yield taken
        flow = taken.after


def transition_from(before: Flow | None, record: RecordedEvent) -> Transition:
    """Return the step that a record is, from the flow before it.

    Raises:
        BrokenHistory: if it cannot be the next one.
    """
    after = evolve(before, record.event)
    if record.version != after.version:
        found = f"version {record.version} follows where {after.version} was due"
        raise BrokenHistory(f"flow {record.flow_id}: {found}")
    return Transition(record, before, after)
