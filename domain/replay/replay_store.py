"""Replays a whole store: its log, each flow, and its request keys, in bounded memory.

It may run beside a gateway that writes. A flow is read at one moment; the log is read up to its
end at first; and neither a request key nor the event that it came with is ever removed, so that
either can be looked for after the other was seen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from attrs import frozen

from domain.application.ports import Progress
from domain.flow.evolve import BrokenHistory
from domain.flow.values import Timestamp
from domain.history.audit_log import AuditLog, LogEntry, RequestKeyRow, UnreadableEvent
from domain.replay.findings import Finding, FindingCode, ReplayReport, found_at
from domain.replay.projections import came_with, needed_no_event
from domain.replay.replay_flow import replay_flow
from domain.replay.warnings import advice

_STEP: Final = 500
"""After so many events the progress is reported."""


@frozen
class Stage:
    """A part of a replay, and its name for people."""

    label: str
    run: Callable[[Progress], None]


def stages(audit_log: AuditLog, report: ReplayReport, stuck_before: Timestamp) -> Sequence[Stage]:
    """Return the parts of a replay, to be run in this order; the report is complete after the last.

    A flow that waits looks stuck if its latest event is of `stuck_before` or earlier.
    """
    replay = _StoreReplay(audit_log, report, stuck_before)
    return (
        Stage("reading the log", replay.read_log),
        Stage("replaying flows", replay.replay_flows),
        Stage("comparing request keys", replay.find_orphans),
    )


def find_missing(report: ReplayReport, signed_size: int) -> None:
    """Add a finding if the log that was read is shorter than a checkpoint says that it was."""
    if report.events < signed_size:
        sentence = (
            f"a checkpoint is of {signed_size} events and the log has {report.events}:"
            " it was cut, or this is a short copy (see taskflow audit verify)"
        )
        report.findings.add(Finding(code=FindingCode.LOG_TRUNCATED, sentence=sentence))


@frozen
class _StoreReplay:
    audit_log: AuditLog
    report: ReplayReport
    stuck_before: Timestamp

    def read_log(self, progress: Progress) -> None:
        report, size, due = self.report, self.audit_log.size(), 1
        for entry in self.audit_log.entries(1, size):
            if entry.position != due:
                report.findings.add(_gap(entry, due))
            due = entry.position + 1
            report.events += 1
            if report.events % _STEP == 0:
                progress(report.events, size)

    def replay_flows(self, progress: Progress) -> None:
        report, events = self.report, 0
        for flow_id in self.audit_log.flow_ids():
            stored = self.audit_log.examine(flow_id)
            replayed = replay_flow(flow_id, stored, self.audit_log.read)
            report.flows += 1
            report.findings.extend(replayed.findings)
            report.advice.extend(replayed.advice)
            for row in replayed.keys:
                self._compare_key(row)
            if replayed.flow is not None:
                report.advice.extend(advice(replayed.flow, stored, self.stuck_before))
            before, events = events, events + len(stored.entries)
            if events // _STEP > before // _STEP:
                progress(min(events, report.events), report.events)

    def find_orphans(self, progress: Progress) -> None:
        for done, row in enumerate(self.audit_log.request_keys(), 1):
            if not self._is_known(row):
                sentence = f"{_named(row)} stands for an event that did not come with it"
                self._add(FindingCode.ORPHAN_ROW, sentence, row)
            if done % _STEP == 0:
                progress(done, max(done, self.report.request_keys))

    def _compare_key(self, due: RequestKeyRow) -> None:
        self.report.request_keys += 1
        found = self.audit_log.request_key(due.route_id, due.key)
        if found is None:
            self._add(FindingCode.KEY_MISSING, f"{_named(due)} is forgotten", due)
        elif found != due:
            self._add(FindingCode.KEY_DIFFERS, f"{_named(due)} stands for something else", due)

    def _add(self, code: FindingCode, sentence: str, row: RequestKeyRow) -> None:
        self.report.findings.add(
            Finding(code=code, sentence=sentence, flow_id=row.flow_id, version=row.version)
        )

    def _is_known(self, row: RequestKeyRow) -> bool:
        """Say whether the event that a row names came with the row's key, or may have needed none.

        The rest of a row whose event came with it was compared when the flow was replayed.
        """
        entry = self.audit_log.entry(row.flow_id, row.version)
        if entry is None:
            return False
        read = self.audit_log.read
        try:
            if came_with(read(entry), row):
                return True
            stream = self.audit_log.stream(row.flow_id)[: row.version]
            return needed_no_event(map(read, stream), row)
        except (UnreadableEvent, BrokenHistory):
            return True  # found already, and nobody knows what it came with


def _gap(entry: LogEntry, due: int) -> Finding:
    last = entry.position - 1
    missing = f"position {due} is" if due == last else f"positions {due} to {last} are"
    return found_at(entry, FindingCode.POSITION_GAP, f"{missing} missing from the log before it")


def _named(row: RequestKeyRow) -> str:
    return f"the request key {row.key!r} of route {row.route_id!r}"
