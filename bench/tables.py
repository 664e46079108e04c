"""The figures as Markdown, and their place in a page."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from bench.aims import named, verdicts
from bench.figures import Comparison, Disk, Figure, Peer, Report, rows
from bench.plan import SLOWER_MS

_LATENCY_AT: Final = 4


def say_progress(text: str) -> None:
    """Say where a measurement is, beside what it prints."""
    print(f"... {text}", file=sys.stderr, flush=True)


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
        f"{plan.seconds} s, latencies in ms with {_LATENCY_AT} connections, processor time in µs "
        f"and bytes written to the disk a request with as many."
    )
    parts = [about, *_beside(report.peer), _figures(report, "as it is", "the disk as it is")]
    slower = f"every sync {SLOWER_MS} ms slower"
    if report.left_out is None:
        parts.append(_figures(report, "slowed", slower))
    else:
        parts.append(f"Left out, with {slower}: {report.left_out}.")
    return "\n\n".join([*parts, _aims(report)]) + "\n"


def summary(report: Report) -> str:
    """Return the three figures that the README shows."""
    machine, memory = report.machine, report.memory
    lines = [f"On {machine.cpus} CPUs that the load generator shares, {machine.date}:", ""]
    lines += [_sentence(report, "get_flow", ""), _sentence(report, "create_flow", ", synced")]
    lines.append(f"- memory: {memory.after_mb:.3g} MB after {memory.requests:,} requests.")
    return "\n".join(lines) + "\n"


def _sentence(report: Report, action: str, how: str) -> str:
    """Return the rate with some connections, as a ratio to the reference's where that is known."""
    found = (it for it in report.peer.comparisons if (it.action, it.flows) == (action, 0))
    beside = next((it for it in found if it.connections == _LATENCY_AT), None)
    alone = report.find(action, "as it is", _LATENCY_AT)
    rate = beside.ours.per_second if beside else alone.per_second if alone else 0.0
    ratio = f", {beside.rate:.2f} times the rate of what it replaces" if beside else ""
    return (
        f"- `{action}`: {rate:,.0f} requests a second with {_LATENCY_AT} connections{how}{ratio};"
    )


def _beside(peer: Peer) -> Iterator[str]:
    """Return a table for each size of the store, or why there is none."""
    if peer.left_out is not None:
        yield f"Nothing was measured beside the reference: {peer.left_out}."
        return
    yield (
        f"Beside the reference (OpenClaw {peer.version}, whose syncs are off as it ships; ours are "
        f"on), in turn, ours / the reference's (ratio). A request took the load generator "
        f"{peer.generator_us:.0f} µs in the mean."
    )
    for flows in dict.fromkeys(it.flows for it in peer.comparisons):
        yield _both([it for it in peer.comparisons if it.flows == flows])


def _both(comparisons: Sequence[Comparison]) -> str:
    counts = list(dict.fromkeys(it.connections for it in comparisons))
    by_row: dict[str, list[Comparison]] = {}
    for it in comparisons:
        by_row.setdefault(named(it), []).append(it)
    most = f"{counts[-1]} conn."
    heads = ["requests per second", *map(_connections, counts), f"µs, {most}", f"bytes, {most}"]
    return table(heads, ([row, *_ratios(found)] for row, found in by_row.items()))


def _ratios(found: Sequence[Comparison]) -> Iterator[str]:
    for it in found:
        yield f"{it.ours.per_second:,.0f} / {it.reference.per_second:,.0f} ({it.rate:.2f})"
    last = found[-1]
    yield f"{last.ours.cpu_us:,.0f} / {last.reference.cpu_us:,.0f} ({last.cpu:.2f})"
    written = (last.ours.written, last.reference.written)
    yield " / ".join(f"{each:,.0f}" for each in written) if any(written) else ""


def _figures(report: Report, disk: Disk, title: str) -> str:
    counts = [ceiling.connections for ceiling in report.ceilings]
    latency = _LATENCY_AT if _LATENCY_AT in counts else counts[-1]
    heads = [title, *(f"{_connections(count)}" for count in counts), "p50", "p99", "µs", "bytes"]
    bare = [f"{ceiling.per_second:,.0f}" for ceiling in report.ceilings]
    at = next(ceiling for ceiling in report.ceilings if ceiling.connections == latency)
    ends = (f"{at.p50_ms:.1f}", f"{at.p99_ms:.1f}", _if_any(at.cpu_us), "")
    body = [["a bare Falcon answer", *bare, *ends]]
    shown = (f for f in report.figures if disk == "as it is" or f.durable)
    for (action, on), figures in rows(shown, disk).items():
        body.append([f"`{action}`, {on}", *_cells(figures, latency)])
    return table(heads, body)


def _cells(figures: Sequence[Figure], latency: int) -> Iterator[str]:
    yield from (f"{figure.per_second:,.0f} ({figure.share:.0%})" for figure in figures)
    at = next(figure for figure in figures if figure.connections == latency)
    yield from (f"{at.p50_ms:.1f}", f"{at.p99_ms:.1f}")
    yield from (_if_any(at.cpu_us), _if_any(at.written if at.durable else 0.0))


def _if_any(measured: float) -> str:
    return f"{measured:,.0f}" if measured else ""


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
