"""A flow as its events say it is, as far as they can be read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from attrs import frozen

from domain.flow.evolve import BrokenHistory
from domain.flow.ids import FlowId
from domain.flow.state import Flow
from domain.history.audit_log import AuditLog, LogEntry, UnreadableEvent
from domain.history.transitions import Transition, transitions
from domain.replay.findings import Finding
from domain.replay.replay_flow import replay_flow

MOST_REPLAYED: Final = 500
"""Events of a flow that a page replays: 500 take 32 ms of a processor, most flows 1 ms."""


@frozen(kw_only=True)
class FlowHistory:
    """The events of a flow as they are stored, and the transitions that they make.

    Where an event cannot be read, or cannot follow the one before it, the transitions end and
    `damage` says why; the entries beyond are all that is known. `derived` is the flow that the
    store's snapshot holds, or why that cannot be read; None if there is none, as it is only a
    cache. `findings` are what replaying the flow shows, None if it has too many events for a page.
    """

    flow_id: FlowId
    entries: Sequence[LogEntry]
    transitions: Sequence[Transition]
    damage: str | None
    derived: Flow | str | None
    findings: Sequence[Finding] | None

    @property
    def differs(self) -> bool:
        """Say whether the store's snapshot, if there is one, is not what the events add up to."""
        if self.damage is not None or self.derived is None:
            return False
        return not self.transitions or self.derived != self.transitions[-1].after


def read_flow_history(audit_log: AuditLog, flow_id: FlowId) -> FlowHistory | None:
    """Return what a store has of a flow; None if it has nothing."""
    stored = audit_log.examine(flow_id)
    entries = stored.entries
    if not entries and stored.index is None and stored.snapshot is None:
        return None
    known, damage = _read_transitions(audit_log, entries)
    is_short = len(entries) <= MOST_REPLAYED
    return FlowHistory(
        flow_id=flow_id,
        entries=entries,
        transitions=known,
        damage=damage if entries else "the store has no event of this flow",
        derived=stored.snapshot,
        findings=replay_flow(flow_id, stored, audit_log.read).findings if is_short else None,
    )


def _read_transitions(
    audit_log: AuditLog, entries: Iterable[LogEntry]
) -> tuple[Sequence[Transition], str | None]:
    """Return the transitions up to the damage, and what is damaged, if anything is."""
    known: list[Transition] = []
    try:
        known.extend(transitions(map(audit_log.read, entries)))  # NOTE: keeps those before a fault
    except (UnreadableEvent, BrokenHistory) as error:
        return known, str(error)
    return known, None
