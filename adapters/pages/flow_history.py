"""A flow as its events tell it, as far as they can be read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from attrs import define, field, frozen

from domain.application.recorded_events import RecordedEvent
from domain.flow.evolve import BrokenHistory
from domain.flow.ids import FlowId
from domain.flow.state import Flow
from domain.history.audit_log import AuditLog, LogEntry, StoredFlow, UnreadableEvent
from domain.history.transitions import Transition, transitions
from domain.replay.findings import Finding
from domain.replay.replay_flow import replay_flow

MOST_REPLAYED: Final = 500
"""Events of a flow that a page replays: 500 take 32 ms of a processor, most flows 1 ms."""


@frozen(kw_only=True)
class FlowHistory:
    """The events of a flow as they are stored, and the steps that they make.

    Where an event cannot be read, or cannot follow the one before it, the steps end and `damage`
    says why; the entries beyond are all that is known. `derived` is the flow that the store's
    snapshot holds, or why that cannot be read; None if there is none, as it is only a cache.
    `findings` are what replaying the flow shows, None if it has too many events for a page.
    """

    flow_id: FlowId
    entries: Sequence[LogEntry]
    transitions: Sequence[Transition]
    damage: str | None
    derived: Flow | str | None
    findings: Sequence[Finding] | None

    @property
    def newest(self) -> Flow | None:
        """Return the flow after the last step."""
        return self.transitions[-1].after if self.transitions else None

    @property
    def differs(self) -> bool:
        """Say whether the store's snapshot, if there is one, is not what the events add up to."""
        if self.damage is not None or self.derived is None:
            return False
        return self.derived != self.newest


def read_flow_history(audit_log: AuditLog, flow_id: FlowId) -> FlowHistory | None:
    """Return what a store tells of a flow; None if it has nothing of it."""
    examined = audit_log.examine(flow_id)
    if not examined.entries and examined.index is None and examined.snapshot is None:
        return None
    reading = _Reading(audit_log)
    taken = tuple(reading.steps(examined.entries))
    return FlowHistory(
        flow_id=flow_id,
        entries=examined.entries,
        transitions=taken,
        damage=reading.damage if examined.entries else "the store has no event of this flow",
        derived=examined.snapshot,
        findings=_replayed(audit_log, flow_id, examined),
    )


def _replayed(
    audit_log: AuditLog, flow_id: FlowId, examined: StoredFlow
) -> Sequence[Finding] | None:
    if len(examined.entries) > MOST_REPLAYED:
        return None
    return tuple(replay_flow(flow_id, examined, audit_log.read).findings)


@define
class _Reading:
    audit_log: AuditLog
    damage: str | None = field(default=None, init=False)

    def steps(self, entries: Iterable[LogEntry]) -> Iterator[Transition]:
        """Return the steps up to the damage, if there is damage."""
        try:
            yield from transitions(self._records(entries))
        except (UnreadableEvent, BrokenHistory) as error:
            self.damage = str(error)

    def _records(self, entries: Iterable[LogEntry]) -> Iterator[RecordedEvent]:
        return (self.audit_log.read(entry) for entry in entries)
