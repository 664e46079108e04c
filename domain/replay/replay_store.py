"""Replays a whole store: its log, each flow, and its request keys, in bounded memory.

All of it may be done beside a gateway that writes. A flow is read at one moment; the log is read
up to where it ended at first; and a request key is never taken back, nor is the event that it came
with, so that either can be looked for after the other was seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
"""How many events lie between two words about the progress."""


@frozen
class Stage:
    """A part of the replay: what it does, in a word or two, and how it notes what it sees."""

    label: str
    run: Callable[[Progress], None]


def stages(evidence: AuditLog, report: ReplayReport, silent_before: Timestamp) -> Iterator[Stage]:
    """Return the parts of a replay, to be run in this order; the report is complete after the last.

    A flow that is not at work and was not heard of since `silent_before` looks stuck.
    """
    yield Stage("reading the log", lambda told: _read_log(evidence, report, told))
    yield Stage(
        "replaying flows", lambda told: _replay_flows(evidence, report, silent_before, told)
    )
    yield Stage("comparing request keys", lambda told: _find_strays(evidence, report, told))


def replay_store(evidence: AuditLog, silent_before: Timestamp) -> ReplayReport:
    """Return what a replay of the whole store has seen and found."""
    report = ReplayReport()
    for stage in stages(evidence, report, silent_before):
        stage.run(lambda _done, _all: None)
    return report


def find_missing(report: ReplayReport, signed_size: int) -> None:
    """Add a finding if the log that was read is shorter than a checkpoint says that it was."""
    if report.events < signed_size:
        sentence = (
            f"a checkpoint is of {signed_size} events and the log has {report.events}:"
            " it was cut, or this is a short copy (see taskflow audit verify)"
        )
        report.findings.add(Finding(code=FindingCode.LOG_TRUNCATED, sentence=sentence))


def _read_log(evidence: AuditLog, report: ReplayReport, told: Progress) -> None:
    size, due = evidence.size(), 1
    for entry in evidence.entries(1, size):
        if entry.position != due:
            report.findings.add(_gap(entry, due))
        due = entry.position + 1
        report.events += 1
        if report.events % _STEP == 0:
            told(report.events, size)


def _gap(entry: LogEntry, due: int) -> Finding:
    last = entry.position - 1
    missing = f"position {due} is" if due == last else f"positions {due} to {last} are"
    return found_at(entry, FindingCode.POSITION_GAP, f"{missing} missing from the log before it")


def _replay_flows(
    evidence: AuditLog, report: ReplayReport, silent_before: Timestamp, told: Progress
) -> None:
    events = 0
    for flow_id in evidence.flow_ids():
        examined = evidence.examine(flow_id)
        replayed = replay_flow(flow_id, examined, evidence.read)
        report.flows += 1
        report.findings.extend(replayed.findings)
        report.advice.extend(replayed.advice)
        for row in replayed.keys:
            _compare_key(evidence, report, row)
        if replayed.flow is not None:
            report.advice.extend(advice(replayed.flow, examined, silent_before))
        before, events = events, events + len(examined.entries)
        if events // _STEP > before // _STEP:
            told(min(events, report.events), report.events)


def _compare_key(evidence: AuditLog, report: ReplayReport, due: RequestKeyRow) -> None:
    report.request_keys += 1
    found = evidence.request_key(due.route_id, due.key)
    if found == due:
        return
    what = f"the request key {due.key!r} of route {due.route_id!r}"
    if found is None:
        code, sentence = FindingCode.KEY_MISSING, f"{what} is forgotten"
    else:
        code, sentence = FindingCode.KEY_DIFFERS, f"{what} stands for something else"
    report.findings.add(
        Finding(code=code, sentence=sentence, flow_id=due.flow_id, version=due.version)
    )


def _find_strays(evidence: AuditLog, report: ReplayReport, told: Progress) -> None:
    for done, row in enumerate(evidence.request_keys(), 1):
        if not _is_known(evidence, row):
            report.findings.add(_stray(row))
        if done % _STEP == 0:
            told(done, max(done, report.request_keys))


def _is_known(evidence: AuditLog, row: RequestKeyRow) -> bool:
    """Say whether the event that a row names came with the row's key, or may have needed none.

    The rest of a row whose event came with it was compared when the flow was replayed.
    """
    entry = evidence.entry(row.flow_id, row.version)
    if entry is None:
        return False
    try:
        if came_with(evidence.read(entry), row):
            return True
        return needed_no_event(map(evidence.read, evidence.stream(row.flow_id)[: row.version]), row)
    except (UnreadableEvent, BrokenHistory):
        return True  # found already, and nobody knows what it came with


def _stray(row: RequestKeyRow) -> Finding:
    what = f"the request key {row.key!r} of route {row.route_id!r}"
    return Finding(
        code=FindingCode.ORPHAN_ROW,
        sentence=f"{what} stands for an event that did not come with it",
        flow_id=row.flow_id,
        version=row.version,
    )
