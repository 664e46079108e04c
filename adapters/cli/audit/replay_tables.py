"""What a replay came to, as tables and as a document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from rich.console import RenderableType
from rich.text import Text

from adapters.cli.tables import REST, folded, table
from adapters.cli.terminal import Terminal
from adapters.presentation.documents import JsonDocument, document
from adapters.presentation.printable import counted, to_the_second
from domain.replay.findings import Advice, Finding, ReplayReport, Tally

T = TypeVar("T", Finding, Advice)


def report_document(report: ReplayReport) -> JsonDocument:
    """Return all that a replay saw and found; of very many findings the first are listed."""
    return {
        "flows": report.flows,
        "events": report.events,
        "requestKeys": report.request_keys,
        "counts": dict(report.findings.counts),
        "findings": [document(finding) for finding in report.findings.kept],
        "adviceCounts": dict(report.advice.counts),
        "advice": [document(advice) for advice in report.advice.kept],
    }


def show_report(report: ReplayReport, terminal: Terminal) -> None:
    """Show findings and advice as tables, and what was seen."""
    parts = [*_findings(report.findings), *_advice(report.advice)]
    if parts:
        terminal.show(*parts)
        terminal.say("")
    terminal.say(_summary(report))


def _summary(report: ReplayReport) -> str:
    seen = ", ".join(
        (
            counted(report.flows, "flow"),
            counted(report.events, "event"),
            counted(report.request_keys, "request key"),
        )
    )
    found = report.findings.total()
    return f"Replayed {seen}: {counted(found, 'finding') if found else 'all agree'}."


def _findings(findings: Tally[Finding]) -> Iterator[RenderableType]:
    if not findings.kept:
        return
    shown = table("Findings", {"Flow, version, position": 37, "Finding": REST})
    for finding in findings.kept:
        shown.add_row(
            folded(finding.flow_id or "the log", *_places(finding)),
            folded(finding.code, finding.sentence),
        )
    yield shown
    yield Text(_ending(findings, "finding"))


def _places(finding: Finding) -> Iterator[str]:
    places = {"version": finding.version, "position": finding.position}
    known = [f"{name} {value}" for name, value in places.items() if value is not None]
    if known:
        yield ", ".join(known)


def _advice(advice: Tally[Advice]) -> Iterator[RenderableType]:
    if not advice.kept:
        return
    shown = table("Advice", {"Flow, last event": 37, "Advice": REST})
    for each in advice.kept:
        since = [] if each.since is None else [to_the_second(each.since)]
        place = [] if each.version is None else [f"version {each.version}"]
        shown.add_row(folded(each.flow_id, *since, *place), folded(each.code, each.sentence))
    yield shown
    yield Text(_ending(advice, "piece", "of advice"))


def _ending(tally: Tally[T], noun: str, rest: str = "") -> str:
    total, listed = tally.total(), len(tally.kept)
    first = f"; the first {listed:,} are listed" if listed < total else ""
    counts = ", ".join(f"{count:,} {code}" for code, count in tally.counts.items())
    return f"{' '.join((counted(total, noun), rest)).strip()}: {counts}{first}."
