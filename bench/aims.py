"""What the figures were to reach, and whether they do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from attrs import frozen

from bench.figures import Report
from bench.operations import CYCLE

_AT: Final = 4


@frozen
class Verdict:
    """An aim, what was measured, and how far that is from it; None where it was reached."""

    aim: str
    measured: str
    short_by: str | None


def verdicts(report: Report) -> Iterator[Verdict]:
    """Return what became of each aim."""
    yield from _share(report, "get_flow", 0.70)
    yield from _share(report, "create_flow", 0.45)
    yield from _share(report, CYCLE, 0.45)
    for action in ("create_flow", CYCLE):
        yield from _gain(report, action, 3.0)
    memory, ready = report.memory, report.ready_seconds
    if memory.after_mb:
        yield _at_most(
            f"memory below 120 MB after {memory.requests:,} requests", memory.after_mb, 120, " MB"
        )
    yield _at_most("ready in less than a second", ready, 1, " s")


def _share(report: Report, action: str, aim: float) -> Iterator[Verdict]:
    figure = report.find(action, "as it is", _AT)
    if figure is None:
        return
    short = None if figure.share >= aim else f"{100 * (aim - figure.share):.0f} points"
    said = f"`{action}` at {aim:.0%} of the ceiling, {_AT} connections"
    yield Verdict(said, f"{figure.share:.0%}", short)


def _gain(report: Report, action: str, aim: float) -> Iterator[Verdict]:
    one, most = (report.find(action, "slowed", n) for n in (1, 16))
    if one is None or most is None:
        return
    gain = most.per_second / one.per_second
    short = None if gain >= aim else f"{aim - gain:.1f}"
    said = f"`{action}` with slowed syncs: {aim:.0f} times as many with 16 connections as with 1"
    yield Verdict(said, f"{gain:.1f} times", short)


def _at_most(said: str, measured: float, aim: float, unit: str) -> Verdict:
    short = None if measured < aim else f"{measured - aim:.1f}{unit}"
    return Verdict(said, f"{measured:.3g}{unit}", short)
