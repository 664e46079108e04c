"""Which events of a log are meant: by position, flow, owner and time; all must hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from attrs import frozen

from domain.flow.ids import FlowId, Owner
from domain.flow.values import Timestamp
from domain.history.audit_log import AuditLog, LogEntry
from domain.history.flow_heads import FlowHeads
from domain.history.reading import read_entry


@frozen(kw_only=True)
class Selection:
    """A choice of events: positions from `first` to `last`, both included; None leaves it open.

    An event is meant if it happened at `since` or later, and before `until`.
    """

    first: int
    last: int
    flow_id: FlowId | None = None
    owner: Owner | None = None
    since: Timestamp | None = None
    until: Timestamp | None = None

    @property
    def reads(self) -> bool:
        """Whether an event must be read to know whether it is meant."""
        return (self.owner, self.since, self.until) != (None, None, None)


def selected(evidence: AuditLog, selection: Selection) -> Iterator[LogEntry]:
    """Return the events that are meant, in the order of the log, without holding them.

    Raises:
        Unreadable: if one that must be read for it cannot be.
        BrokenHistory: if the beginning of a flow, which says whose it is, is missing.
    """
    found = _placed(evidence, selection)
    return _read(evidence, selection, found) if selection.reads else iter(found)


def _placed(evidence: AuditLog, selection: Selection) -> Iterable[LogEntry]:
    if selection.flow_id is None:
        return evidence.entries(selection.first, selection.last)
    stream = evidence.stream(selection.flow_id)
    meant = (e for e in stream if selection.first <= e.position <= selection.last)
    # NOTE: a stream is in the order of its versions, which only a forged log has not in its own.
    return sorted(meant, key=lambda entry: entry.position)


def _read(
    evidence: AuditLog, selection: Selection, found: Iterable[LogEntry]
) -> Iterator[LogEntry]:
    standings = FlowHeads(evidence)
    since = selection.since if selection.since is not None else float("-inf")
    until = selection.until if selection.until is not None else float("inf")
    for entry in found:
        record = read_entry(evidence, entry)
        in_time = since <= record.event.at < until
        if in_time and selection.owner in {None, standings.after(record).owner}:
            yield entry
