"""The report of a replay: findings, and advice apart from them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final, Generic, TypeVar

from attrs import Factory, define, frozen

from domain.flow.ids import FlowId
from domain.flow.status import FlowStatus
from domain.flow.values import Timestamp
from domain.history.audit_log import LogEntry

MOST_KEPT: Final = 1000
"""How many findings, and how much advice, are kept; the others are counted."""


class FindingCode(StrEnum):
    """What is wrong; the values are permanent."""

    POSITION_GAP = "position_gap"
    """The log skips positions: events were removed from it, or put far behind it."""
    LOG_TRUNCATED = "log_truncated"
    """The log has fewer events than a signed checkpoint says: it was cut, or is a short copy."""
    OUT_OF_ORDER = "out_of_order"
    """An event stands in the log before one that it must follow, or apart from its decision."""
    NO_BEGINNING = "no_beginning"
    """A stream does not begin with version 1."""
    GAP = "gap"
    """A stream skips versions."""
    UNKNOWN_EVENT = "unknown_event"
    """The name of an event is none of ours."""
    UNREADABLE_EVENT = "unreadable_event"
    """The bytes of an event are not what its name promises."""
    FOREIGN_STREAM = "foreign_stream"
    """A stream holds the creation of another flow."""
    ILLEGAL_TRANSITION = "illegal_transition"
    """No command brings these events about on the flow as it was."""
    EVENT_AFTER_END = "event_after_end"
    """A flow changed after its end."""
    TIME_BACKWARDS = "time_backwards"
    """An event is older than the one before it in its stream."""
    METADATA_DIFFERS = "metadata_differs"
    """What stands beside an event contradicts the event, or the others of its decision."""
    SNAPSHOT_DIFFERS = "snapshot_differs"
    """The cached state of a flow is not what its events add up to."""
    INDEX_DIFFERS = "index_differs"
    """The index says other things of a flow than its events do."""
    INDEX_MISSING = "index_missing"
    """The index does not know a flow, so that its owner cannot find it."""
    TASKS_DIFFER = "tasks_differ"
    """The rows of a flow's tasks are not what its events add up to."""
    VIEW_DIFFERS = "view_differs"
    """What callers are shown of a flow is not what its events add up to."""
    FILTERS_DIFFER = "filters_differ"
    """Lists, or its correlation key, do not find a flow as what its events add up to."""
    LINKS_DIFFER = "links_differ"
    """The resume links that a store knows of a flow are not those of its events."""
    KEY_DIFFERS = "key_differs"
    """A request key stands for something else than its events say."""
    KEY_MISSING = "key_missing"
    """A request key is forgotten, so that a repeat of its request would be carried out again."""
    ORPHAN_ROW = "orphan_row"
    """A derived row follows from no event."""


@frozen(kw_only=True)
class Finding:
    """Something that a healthy store never has, with the ids that prove it."""

    code: FindingCode
    sentence: str
    flow_id: FlowId | None = None
    version: int | None = None
    position: int | None = None


def found_at(entry: LogEntry, code: FindingCode, sentence: str) -> Finding:
    """Return a finding about a stored event."""
    return Finding(
        code=code,
        sentence=sentence,
        flow_id=entry.flow_id,
        version=entry.version,
        position=entry.position,
    )


class AdviceCode(StrEnum):
    """What deserves a look, and proves nothing; the values are permanent."""

    STUCK = "stuck"
    """A flow waits, is blocked or is to be cancelled, and has had no event for long."""
    SNAPSHOT_MISSING = "snapshot_missing"
    """A flow's cached state was deleted, which costs time and changes no answer."""
    VIEW_MISSING = "view_missing"
    """What callers are shown of a flow was deleted, which costs time and changes no answer."""
    BLOCKED_TASK_MISSING = "blocked_task_missing"
    """A flow was blocked, or failed, on a task that it did not have then."""


@frozen(kw_only=True)
class Advice:
    """Something to look at in a healthy store.

    `since` and `status` are those of a stuck flow, `version` is that of the event that it is about.
    """

    code: AdviceCode
    sentence: str
    flow_id: FlowId
    status: FlowStatus | None = None
    since: Timestamp | None = None
    version: int | None = None


T = TypeVar("T", Finding, Advice)


@define
class Tally(Generic[T]):
    """Some findings or advice: all of it counted by code, the first `MOST_KEPT` kept."""

    kept: list[T] = Factory(list)
    counts: Counter[str] = Factory(Counter)

    def add(self, item: T) -> None:
        """Count an item, and keep it while there is room."""
        self.counts[item.code] += 1
        if len(self.kept) < MOST_KEPT:
            self.kept.append(item)

    def extend(self, items: Iterable[T]) -> None:
        """Count some items, and keep those for which there is room."""
        for item in items:
            self.add(item)

    def total(self) -> int:
        """Return how many there were."""
        return self.counts.total()


@define
class ReplayReport:
    """What a replay of a store has seen, and what it has found. Its size is bounded."""

    flows: int = 0
    events: int = 0
    request_keys: int = 0
    findings: Tally[Finding] = Factory(Tally[Finding])
    advice: Tally[Advice] = Factory(Tally[Advice])


@frozen(kw_only=True)
class RebuiltRows:
    """How many flows there are, and how many rows of each table were wrong, missing or too many."""

    flows: int
    changed: Mapping[str, int]
