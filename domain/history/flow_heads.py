"""The heads of flows: owner, status and revision, in bounded memory while a log is read.

These depend on no task and on none of a caller's texts, so that a flow is folded without them
through a log of a million events.
"""

from __future__ import annotations

from functools import reduce
from typing import Final

from attrs import evolve as replace

from domain.application.recorded_events import RecordedEvent
from domain.flow.state import Flow
from domain.history.audit_log import AuditLog
from domain.history.reading import read_entry
from domain.history.transitions import transition_from

MOST_FLOWS: Final = 50_000
"""About 35 MB."""


class FlowHeads:
    """Folds the flows of a log; the least recent are dropped, and folded again when needed."""

    def __init__(self, audit_log: AuditLog, most: int = MOST_FLOWS) -> None:
        self._audit_log = audit_log
        self._most = most
        self._flows: dict[str, Flow] = {}

    def after(self, record: RecordedEvent) -> Flow:
        """Return a flow after a recorded event, without tasks and callers' texts.

        Raises:
            BrokenHistory: if the event cannot be the next one.
            UnreadableEvent: if one before it is damaged.
        """
        before = self._flows.pop(record.flow_id, None)
        if (0 if before is None else before.version) != record.version - 1:
            before = self._earlier(record)
        flow = _head(before, record)
        self._flows[record.flow_id] = flow
        if len(self._flows) > self._most:
            del self._flows[next(iter(self._flows))]
        return flow

    def _earlier(self, record: RecordedEvent) -> Flow | None:
        stream = self._audit_log.stream(record.flow_id)
        earlier = (entry for entry in stream if entry.version < record.version)
        records = (read_entry(self._audit_log, entry) for entry in earlier)
        return reduce(_head, records, None)


def _head(flow: Flow | None, record: RecordedEvent) -> Flow:
    return replace(
        transition_from(flow, record).after,
        controller_id="",
        goal="",
        current_step=None,
        state_json=None,
        wait_json=None,
        blocked_task_id=None,
        blocked_summary=None,
        tasks=(),
    )
