"""The figures as a picture: requests per second by connections, a panel for each action."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Picture
from matplotlib.ticker import FuncFormatter, NullLocator

from bench.figures import Disk, Figure, Report, rows
from bench.operations import CYCLE
from bench.plan import SLOWER_MS

_PANELS: Final = ("create_flow", CYCLE, "get_flow", "find_latest_flow", "list_flows")
_TICKS: Final = (10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000)
_RANGE: Final = (8, 40_000)
_COLOURS: Final = ("#0b6e99", "#d9730d", "#6940a5")
_STYLES: Final[dict[Disk, str]] = {"as it is": "-", "slowed": "--"}
_GREY: Final = "#8a8a8a"


def draw(report: Report, file: Path) -> None:
    """Write the picture as a PNG."""
    mpl.use("agg")
    picture = Picture(figsize=(13, 7.6), layout="constrained")
    axes = picture.subplots(2, 3, sharey=True)
    counts = [ceiling.connections for ceiling in report.ceilings]
    for place, action in zip(axes.flat, _PANELS, strict=False):
        _panel(place, report, action)
        _scale(place, counts)
    _legend(axes.flat[-1], report)
    machine = report.machine
    picture.suptitle(
        f"Requests per second by keep-alive connections ({machine.date}, Python {machine.python},"
        f" {machine.cpus} CPUs shared with the load generator)",
        fontsize=12,
    )
    picture.savefig(file, dpi=110)


def _panel(place: Axes, report: Report, action: str) -> None:
    counts = [ceiling.connections for ceiling in report.ceilings]
    bare = [ceiling.per_second for ceiling in report.ceilings]
    place.plot(range(len(counts)), bare, color=_GREY, linewidth=3, alpha=0.6)
    for disk, style in _STYLES.items():
        found = [f for f in report.figures if f.action.startswith(action)]
        shown = [f for f in found if disk == "as it is" or f.durable]
        for colour, figures in zip(_COLOURS, rows(shown, disk).values(), strict=False):
            label = figures[0].on + figures[0].action.removeprefix(action)
            _line(place, figures, colour, style=style, label=label)
    place.set_title(action, loc="left", fontsize=11, fontweight="bold")


def _line(place: Axes, figures: Sequence[Figure], colour: str, *, style: str, label: str) -> None:
    slowed = style != _STYLES["as it is"]
    place.plot(
        range(len(figures)),
        [figure.per_second for figure in figures],
        color=colour,
        linestyle=style,
        marker="o",
        markersize=4,
        markerfacecolor="white" if slowed else colour,
        label=None if slowed else label,
    )


def _scale(place: Axes, counts: Sequence[int]) -> None:
    place.set_yscale("log")
    place.set_xticks(range(len(counts)), [str(count) for count in counts])
    place.set_ylim(_RANGE)
    place.set_yticks(_TICKS)
    place.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    place.yaxis.set_minor_locator(NullLocator())
    place.set_xlabel("connections", fontsize=9)
    place.grid(axis="y", color="#dddddd", linewidth=0.7)
    place.spines[["top", "right"]].set_visible(False)
    place.legend(loc="lower right", fontsize=9, frameon=False)


def _legend(place: Axes, report: Report) -> None:
    """Explain what all panels share, in the place of a sixth."""
    place.set_axis_off()
    place.plot([], [], color=_GREY, linewidth=3, alpha=0.6, label="a bare Falcon answer")
    place.plot([], [], color="black", marker="o", markersize=4, label="the disk as it is")
    if report.left_out is None:
        place.plot(
            *([], []),
            color="black",
            linestyle=_STYLES["slowed"],
            marker="o",
            markersize=4,
            markerfacecolor="white",
            label=f"every sync {SLOWER_MS} ms slower\n(changing actions only)",
        )
    place.legend(loc="center left", fontsize=11, frameon=False, labelspacing=1.2)
