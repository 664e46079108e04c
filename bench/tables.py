"""The figures as Markdown, and their place in a page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from bench.aims import verdicts
from bench.figures import Disk, Figure, Report, rows
from bench.plan import SLOWER_MS

_LATENCY_AT: Final = 4


def write_between(page: Path, name: str, text: str) -> None:
    """Put a text between the markers `<!-- name -->` and `<!-- /name -->` of a page."""
    old = page.read_text(encoding="utf-8")
    before, begin, rest = old.partition(f"<!-- {name} -->")
    _, end, after = rest.partition(f"<!-- /{name} -->")
    if not (begin and end):
        raise SystemExit(f"{page} has no <!-- {name} --> … <!-- /{name} --> to write to")
    page.write_text(f"{before}{begin}\n\n{text}\n{end}{after}", encoding="utf-8")


def markdown(report: Report) -> str:
    """Return all tables."""
    machine, plan = report.machine, report.plan
    about = (
        f"{machine.date}: Python {machine.python}, SQLite {machine.sqlite}, {machine.system}, "
        f"{machine.cpus} CPUs, which the load generator shares. Requests per second and, in "
        f"brackets, their share of the bare answer's; medians of {plan.rounds} rounds of "
        f"{plan.seconds} s, latencies in ms with {_LATENCY_AT} connections."
    )
    parts = [about, _figures(report, "as it is", "the disk as it is")]
    slower = f"every sync {SLOWER_MS} ms slower"
    if report.left_out is None:
        parts.append(_figures(report, "slowed", slower))
    else:
        parts.append(f"Left out, with {slower}: {report.left_out}.")
    return "\n\n".join([*parts, _aims(report)]) + "\n"


def _figures(report: Report, disk: Disk, title: str) -> str:
    counts = [ceiling.connections for ceiling in report.ceilings]
    latency = _LATENCY_AT if _LATENCY_AT in counts else counts[-1]
    heads = [title, *(f"{_connections(count)}" for count in counts), "p50", "p99"]
    bare = [f"{ceiling.per_second:,.0f}" for ceiling in report.ceilings]
    at = next(ceiling for ceiling in report.ceilings if ceiling.connections == latency)
    body = [["a bare Falcon answer", *bare, f"{at.p50_ms:.1f}", f"{at.p99_ms:.1f}"]]
    shown = (f for f in report.figures if disk == "as it is" or f.durable)
    for (action, on), figures in rows(shown, disk).items():
        body.append([f"`{action}`, {on}", *_cells(figures, latency)])
    return table(heads, body)


def _cells(figures: Sequence[Figure], latency: int) -> Iterator[str]:
    yield from (f"{figure.per_second:,.0f} ({figure.share:.0%})" for figure in figures)
    at = next(figure for figure in figures if figure.connections == latency)
    yield from (f"{at.p50_ms:.1f}", f"{at.p99_ms:.1f}")


def _aims(report: Report) -> str:
    body = [
        [each.aim, each.measured, "yes" if each.short_by is None else f"no, by {each.short_by}"]
        for each in verdicts(report)
    ]
    return table(["aim", "measured", "reached"], body)


def _connections(count: int) -> str:
    return f"{count} connection" if count == 1 else f"{count} connections"


def table(heads: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table whose first column is text and whose others are figures."""
    rule = ["---", *("---:" for _ in heads[1:])]
    return "\n".join(f"| {' | '.join(row)} |" for row in (heads, rule, *body))
