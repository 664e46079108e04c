"""What a flow has come to as the log passes by: whose it is, and its revision.

An event alone says neither. Both follow from those before it, which are read again only where
they have not just passed.
"""

from __future__ import annotations

from itertools import takewhile
from typing import Final, get_args

from attrs import frozen

from domain.audit.evidence import Evidence
from domain.events import FlowCreated, TaskEvent
from domain.evolve import BrokenHistory
from domain.records import Record

MOST_FLOWS: Final = 50_000
"""So many flows are remembered, in about 20 MB."""

_TASK_EVENTS: Final = get_args(TaskEvent)


@frozen
class Standing:
    """A flow after an event of it."""

    version: int
    owner: str
    revision: int


class Standings:
    """The standings of the flows whose events passed last, at most `most` of them."""

    def __init__(self, evidence: Evidence, most: int = MOST_FLOWS) -> None:
        self._evidence = evidence
        self._most = most
        self._known: dict[str, Standing] = {}

    def after(self, record: Record) -> Standing:
        """Return how a flow stands after an event.

        Raises:
            BrokenHistory: if the event that created it is missing.
            Unreadable: if an event before this one cannot be read.
        """
        known = self._known.pop(record.flow_id, None)
        if (0 if known is None else known.version) != record.version - 1:
            known = self._before(record)
        standing = _next(known, record)
        self._known[record.flow_id] = standing
        if len(self._known) > self._most:
            del self._known[next(iter(self._known))]
        return standing

    def _before(self, record: Record) -> Standing | None:
        stream = self._evidence.stream(record.flow_id)
        standing = None
        for entry in takewhile(lambda entry: entry.version < record.version, stream):
            standing = _next(standing, self._evidence.read(entry))
        return standing


def _next(known: Standing | None, record: Record) -> Standing:
    if isinstance(record.event, FlowCreated):
        return Standing(record.version, record.event.owner, 0)
    if known is None:
        raise BrokenHistory(f"flow {record.flow_id}: its history does not begin with its creation")
    moved = 0 if isinstance(record.event, _TASK_EVENTS) else 1
    return Standing(record.version, known.owner, known.revision + moved)
