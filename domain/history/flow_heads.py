"""Where flows stand in a log, kept at little cost and in bounded memory while it is read.

Owner, status and revision depend on no task and on none of a caller's texts: a flow can be
carried through a log of a million events without them.
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
    """Follows the flows of a log; those not heard of for long are forgotten, and read again."""

    def __init__(self, evidence: AuditLog, most: int = MOST_FLOWS) -> None:
        self._evidence = evidence
        self._most = most
        self._flows: dict[str, Flow] = {}

    def after(self, record: RecordedEvent) -> Flow:
        """Return where a flow stands after a record: without tasks and callers' texts.

        Raises:
            BrokenHistory: if the record cannot be the next one.
            Unreadable: if a record before it is damaged.
        """
        before = self._flows.pop(record.flow_id, None)
        if (0 if before is None else before.version) != record.version - 1:
            before = self._earlier(record)
        flow = _standing(before, record)
        self._flows[record.flow_id] = flow
        if len(self._flows) > self._most:
            del self._flows[next(iter(self._flows))]
        return flow

    def _earlier(self, record: RecordedEvent) -> Flow | None:
        stream = self._evidence.stream(record.flow_id)
        earlier = (entry for entry in stream if entry.version < record.version)
        records = (read_entry(self._evidence, entry) for entry in earlier)
        return reduce(_standing, records, None)


def _standing(flow: Flow | None, record: RecordedEvent) -> Flow:
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
