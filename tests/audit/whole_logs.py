"""A whole log at once: its replay, and the root of its tree."""

from __future__ import annotations

from domain.flow.values import Timestamp
from domain.history.audit_log import AuditLog
from domain.replay.findings import ReplayReport
from domain.replay.replay_store import stages


def replay_store(audit_log: AuditLog, stuck_before: Timestamp) -> ReplayReport:
    """Return what a replay of the whole store has seen and found."""
    report = ReplayReport()
    for stage in stages(audit_log, report, stuck_before):
        stage.run(lambda _done, _all: None)
    return report
