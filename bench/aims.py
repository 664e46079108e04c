"""What the figures were to reach, and whether they do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from attrs import frozen

from bench.figures import Comparison, Report
from bench.operations import CYCLE

_AT: Final = 4
_MOST: Final = 16

_RATES: Final[Mapping[str, Mapping[int, float]]] = {
    "get_flow": {1: 0.85, 4: 0.7, 16: 0.7},
    "create_flow": {1: 0.8, 4: 1.1, 16: 1.3},
    CYCLE: {1: 0.8, 4: 1.0, 16: 1.2},
    "run_task": {1: 0.9, 4: 1.1, 16: 1.3},
    "list_flows": {1: 2.0, 4: 2.0, 16: 2.0},
}
"""Our rate as a ratio to the reference's, by connections, in a store that holds little else."""

_CPU: Final[Mapping[str, float]] = {
    "get_flow": 1.7,
    "create_flow": 1.0,
    CYCLE: 1.1,
    "run_task": 0.9,
}
"""Our processor time a request as a ratio to the reference's, with most connections."""


@frozen
class Verdict:
    """An aim, what was measured, and how far that is from it; None where it was reached."""

    aim: str
    measured: str
    short_by: str | None


def verdicts(report: Report) -> Iterator[Verdict]:
    """Return what became of each aim."""
    yield from _beside(report.peer.comparisons)
    yield from _share(report, "get_flow", 0.50)
    for action in ("create_flow", CYCLE):
        yield from _gain(report, action, 3.0)
    memory, ready = report.memory, report.ready_seconds
    if memory.after_mb:
        yield _at_most(
            f"memory below 80 MB after {memory.requests:,} requests", memory.after_mb, 80, " MB"
        )
    yield _at_most("ready in half a second", ready, 0.5, " s")


def aim_of(it: Comparison) -> float | None:
    """Return the ratio of rates that is aimed at: any above 1 in a large store."""
    return 1.0 if it.flows else _RATES.get(it.action, {}).get(it.connections)


def cpu_aim_of(it: Comparison) -> float | None:
    """Return the ratio of processor times that is aimed at, in a small store."""
    return _CPU.get(it.action) if it.flows == 0 and it.connections == _MOST else None


def _beside(comparisons: Sequence[Comparison]) -> Iterator[Verdict]:
    groups: dict[tuple[int, str, str], list[Comparison]] = {}
    for it in comparisons:
        if aim_of(it) is not None:
            groups.setdefault((it.flows, it.action, it.on), []).append(it)
    for found in groups.values():
        yield _rates(found)
    for it in comparisons:
        if (aim := cpu_aim_of(it)) is not None and it.cpu:
            said = (
                f"{named(it)}: processor time at most {aim:.2f} of the reference's, {_MOST} conn."
            )
            short = None if it.cpu <= aim else f"{it.cpu - aim:.2f}"
            yield Verdict(said, f"{it.cpu:.2f}", short)


def _rates(found: Sequence[Comparison]) -> Verdict:
    aims = [aim_of(it) or 0.0 for it in found]
    counts = "/".join(str(it.connections) for it in found)
    least = "/".join(f"{aim:.2f}" for aim in aims)
    short = [max(0.0, aim - it.rate) for aim, it in zip(aims, found, strict=True)]
    return Verdict(
        f"{named(found[0])}: {least} times the reference's rate, {counts} conn.",
        "/".join(f"{it.rate:.2f}" for it in found),
        "/".join(f"{by:.2f}" if by else "0" for by in short) if any(short) else None,
    )


def named(it: Comparison) -> str:
    """Return what was compared, in words."""
    store = f"beside {it.flows:,} flows" if it.flows else ""
    return ", ".join(filter(None, (f"`{it.action}`", it.on, store)))


def _share(report: Report, action: str, aim: float) -> Iterator[Verdict]:
    figure = report.find(action, "as it is", _AT)
    if figure is None:
        return
    short = None if figure.share >= aim else f"{100 * (aim - figure.share):.0f} points"
    said = f"`{action}` at {aim:.0%} of the bare answer, {_AT} connections"
    yield Verdict(said, f"{figure.share:.0%}", short)


def _gain(report: Report, action: str, aim: float) -> Iterator[Verdict]:
    one, most = (report.find(action, "slowed", n) for n in (1, _MOST))
    if one is None or most is None:
        return
    gain = most.per_second / one.per_second
    short = None if gain >= aim else f"{aim - gain:.1f}"
    said = f"`{action}` with slowed syncs: {aim:.0f} times as many with 16 connections as with 1"
    yield Verdict(said, f"{gain:.1f} times", short)


def _at_most(said: str, measured: float, aim: float, unit: str) -> Verdict:
    short = None if measured < aim else f"{measured - aim:.1f}{unit}"
    return Verdict(said, f"{measured:.3g}{unit}", short)
