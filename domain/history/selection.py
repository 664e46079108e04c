"""Selections of events of a log: by position, flow, owner and time; all must match."""

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

    An event matches if it happened at `since` or later, and before `until`.
    """

    first: int
    last: int
    flow_id: FlowId | None = None
    owner: Owner | None = None
    since: Timestamp | None = None
    until: Timestamp | None = None

    @property
    def reads(self) -> bool:
        """Whether an event must be read to know whether it matches."""
        return (self.owner, self.since, self.until) != (None, None, None)


def selected(audit_log: AuditLog, selection: Selection) -> Iterator[LogEntry]:
    """Return the selected events, in the order of the log, without holding them.

    Raises:
        UnreadableEvent: if one that must be read for it cannot be.
        BrokenHistory: if the beginning of a flow, which says whose it is, is missing.
    """
    found = _placed(audit_log, selection)
    return _read(audit_log, selection, found) if selection.reads else iter(found)


def _placed(audit_log: AuditLog, selection: Selection) -> Iterable[LogEntry]:
    if selection.flow_id is None:
        return audit_log.entries(selection.first, selection.last)
    stream = audit_log.stream(selection.flow_id)
    matching = (e for e in stream if selection.first <= e.position <= selection.last)
    # NOTE: a stream is in the order of its versions, which only a forged log has not in its own.
    return sorted(matching, key=lambda entry: entry.position)


def _read(
    audit_log: AuditLog, selection: Selection, found: Iterable[LogEntry]
) -> Iterator[LogEntry]:
    flow_heads = FlowHeads(audit_log)
    since = selection.since if selection.since is not None else float("-inf")
    until = selection.until if selection.until is not None else float("inf")
    for entry in found:
        record = read_entry(audit_log, entry)
        in_time = since <= record.event.at < until
        if in_time and selection.owner in {None, flow_heads.after(record).owner}:
            yield entry
