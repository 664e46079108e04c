"""Folds one flow again, decides each transition again, and compares what is derived.

A stream is checked up to where it breaks: the state after a gap, or after an event that cannot be
read, is unknown, and so is what may follow and what the derived rows should be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from attrs import Factory, define

from domain.application.recorded_events import RecordedEvent
from domain.flow.evolve import BrokenHistory, fold
from domain.flow.ids import FlowId
from domain.flow.rules import FIRST_RULES
from domain.flow.state import Flow
from domain.history.audit_log import (
    LinkRow,
    LogEntry,
    RequestKeyRow,
    StoredFlow,
    UnknownName,
    UnreadableEvent,
)
from domain.replay.check_decision import check_decision, decided_by
from domain.replay.decisions import Read, RecordedDecision, decisions
from domain.replay.findings import Advice, Finding, FindingCode, found_at
from domain.replay.projections import differences, link_rows, orphans, request_key_row
from domain.replay.warnings import blocked_task_advice

ReadEntry: TypeAlias = Callable[[LogEntry], RecordedEvent]
"""Returns what an entry says, or raises `UnreadableEvent`."""


@define
class Replayed:
    """What a flow's events add up to (None if that cannot be known), and what was found.

    `keys` are the rows that its events' request keys have, as far as the stream could be judged.
    """

    flow: Flow | None = None
    findings: list[Finding] = Factory(list)
    keys: list[RequestKeyRow] = Factory(list)
    links: list[LinkRow] = Factory(list)
    advice: list[Advice] = Factory(list)


def replay_flow(flow_id: FlowId, examined: StoredFlow, read: ReadEntry) -> Replayed:
    """Return what replaying a flow shows; a healthy one has no finding."""
    replayed = Replayed()
    entries = examined.entries
    replayed.findings.extend(_disorder(entries))
    intact = _intact(entries, read, replayed.findings)
    whole = len(intact) == len(entries)
    judged = list(decisions(intact, lambda read: read.record))
    # Events of the last decision beyond the break are missing, so it is not checked.
    _fold(replayed, flow_id, judged if whole else judged[:-1])
    if not entries:
        replayed.findings.extend(orphans(flow_id, examined))
    elif not whole:
        replayed.flow = None
    elif replayed.flow is not None:
        replayed.findings.extend(differences(replayed.flow, examined))
        if examined.links is not None and set(examined.links) != set(replayed.links):
            sentence = "the resume links that are known of it are not those of its events"
            code = FindingCode.LINKS_DIFFER
            replayed.findings.append(Finding(code=code, sentence=sentence, flow_id=flow_id))
    return replayed


def _disorder(entries: Sequence[LogEntry]) -> Iterator[Finding]:
    before: LogEntry | None = None
    for entry in entries:
        due = 1 if before is None else before.version + 1
        if entry.version != due:
            code = FindingCode.NO_BEGINNING if before is None else FindingCode.GAP
            yield found_at(entry, code, f"it stands where version {due} was due")
        if entry.position <= (0 if before is None else before.position):
            place = "the log begins" if before is None else f"version {before.version}"
            yield found_at(entry, FindingCode.OUT_OF_ORDER, f"it stands in the log before {place}")
        before = entry


def _intact(entries: Sequence[LogEntry], read: ReadEntry, findings: list[Finding]) -> list[Read]:
    """Return the events before the first break, and note each event that cannot be read."""
    intact: list[Read] = []
    for due, entry in enumerate(entries, 1):
        try:
            record = read(entry)
        except UnknownName as error:
            findings.append(found_at(entry, FindingCode.UNKNOWN_EVENT, str(error)))
        except UnreadableEvent as error:
            findings.append(found_at(entry, FindingCode.UNREADABLE_EVENT, str(error)))
        else:
            if entry.version == due == len(intact) + 1:
                intact.append(Read(entry, record))
    return intact


def _fold(replayed: Replayed, flow_id: FlowId, judged: Sequence[RecordedDecision]) -> None:
    flow: Flow | None = None
    latest = FIRST_RULES
    for decided in judged:
        first = decided[0].entry
        replayed.findings.extend(check_decision(flow, decided, latest))
        replayed.advice.extend(blocked_task_advice(flow, decided))
        latest = max(latest, decided_by(decided) or latest, key=lambda rules: rules.version)
        records = [read.record for read in decided]
        try:
            flow = fold(flow, [record.event for record in records])
        except BrokenHistory:
            return  # no command brings that about, as has been found
        if flow is None or flow.flow_id != flow_id:
            sentence = "it creates another flow than the one whose stream it is in"
            replayed.findings.append(found_at(first, FindingCode.FOREIGN_STREAM, sentence))
            return
        replayed.links += link_rows(records)
        if row := request_key_row(records):
            replayed.keys.append(row)
    replayed.flow = flow
