"""The timeline of a flow: its statuses as bands, its events as marks, its tasks as lanes.

All places are in percent of the width, so that the drawing fits every screen and its letters keep
their size. It stays small however long the flow: marks that would cover one another become one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from attrs import evolve, frozen

from adapters.pages.scale import Break, Scale, scale
from adapters.presentation.printable import counted, shortened, to_the_millisecond
from domain.flow.task import Task, is_active
from domain.flow.values import Timestamp
from domain.history.transitions import Transition

LANES: Final = 12
"""Tasks that are drawn; the ones linked last, if there are more."""

_PLACES: Final = 120
"""Marks that find room beside one another."""

_LABELLED: Final = 9.0
"""Percent of the width from which a band has room for its name."""

_EDGE: Final = 100.0
_LEFT: Final = 1.0
_RIGHT: Final = 95.0
"""Percent between which the first and the last event stand; what is so since goes on to 100."""


@frozen(kw_only=True)
class Band:
    """A status, or a task's whole life: from where, how wide, and what is said of it."""

    left: float
    width: float
    word: str
    title: str

    @property
    def is_labelled(self) -> bool:
        """Return whether it has room for its name."""
        return self.width >= _LABELLED


@frozen(kw_only=True)
class Mark:
    """One event, or several that stand too close: where, of which last version, and what it is."""

    left: float
    version: int
    count: int
    title: str


@frozen(kw_only=True)
class Lane:
    """A task: its place from the top, counted from 0, its life as a band, and its name."""

    row: int
    name: str
    band: Band


@frozen(kw_only=True)
class Timeline:
    """All that is drawn, and the sentence that says the same to those who do not see it."""

    bands: Sequence[Band]
    marks: Sequence[Mark]
    lanes: Sequence[Lane]
    lanes_left_out: int
    breaks: Sequence[Break]
    cancel_left: float | None
    shown_left: float
    first: str
    last: str
    summary: str


def timeline(steps: Sequence[Transition], names: Sequence[str], shown: Transition) -> Timeline:
    """Return the timeline of a flow with at least one step, with the place of the one shown.

    `names` are the steps' events in words.
    """
    return _Drawing(steps, names, scale(step.record.event.at for step in steps)).drawn(shown)


@frozen
class _Drawing:
    steps: Sequence[Transition]
    names: Sequence[str]
    scale: Scale

    def drawn(self, shown: Transition) -> Timeline:
        """Return all of it."""
        flow, first = self.steps[-1].after, self.steps[0].record.event.at
        cancel = flow.cancel_requested_at
        return Timeline(
            bands=tuple(self._bands()),
            marks=tuple(self._marks()),
            lanes=tuple(self._lanes(flow.tasks[-LANES:])),
            lanes_left_out=max(0, len(flow.tasks) - LANES),
            breaks=tuple(evolve(b, place=self._percent(b.place)) for b in self.scale.breaks),
            cancel_left=None if cancel is None else self._left(cancel),
            shown_left=self._left(shown.record.event.at),
            first=to_the_millisecond(first),
            last=to_the_millisecond(flow.latest_at),
            summary=self._summary(),
        )

    def _summary(self) -> str:
        flow = self.steps[-1].after
        events, tasks = counted(len(self.steps), "event"), counted(len(flow.tasks), "task")
        return f"{events} and {tasks}; the flow is {flow.status}."

    def _bands(self) -> Iterator[Band]:
        changed = [s for s in self.steps if s.before is None or s.before.status != s.after.status]
        groups = [list(group) for _, group in groupby(changed, self._cell)]
        ends = [*(group[0] for group in groups[1:]), None]
        for group, end in zip(groups, ends, strict=True):
            if len(group) > 1:
                yield self._mixed(group)
            yield self._band(group[-1], end)

    def _mixed(self, group: Sequence[Transition]) -> Band:
        left, right = (self._left(step.record.event.at) for step in (group[0], group[-1]))
        first, last = group[0].record.version, group[-1].record.version
        title = f"{len(group)} changes of the status, versions {first} to {last}"
        return Band(left=left, width=round(right - left, 2), word="mixed", title=title)

    def _band(self, step: Transition, end: Transition | None) -> Band:
        left, status = self._left(step.record.event.at), step.after.status.value
        right = _EDGE if end is None else self._left(end.record.event.at)
        since = to_the_millisecond(step.record.event.at)
        title = f"{status} since version {step.record.version}, {since}"
        return Band(left=left, width=round(right - left, 2), word=status, title=title)

    def _marks(self) -> Iterator[Mark]:
        for _, cell in groupby(self.steps, self._cell):
            group = list(cell)
            yield Mark(
                left=self._left(group[-1].record.event.at),
                version=group[-1].record.version,
                count=len(group),
                title=self._said(group[0]) if len(group) == 1 else self._said_of_all(group),
            )

    def _said_of_all(self, group: Sequence[Transition]) -> str:
        first, last = group[0].record, group[-1].record
        since, until = (to_the_millisecond(record.event.at) for record in (first, last))
        versions = f"versions {first.version} to {last.version}"
        return f"{len(group)} events, {versions}, from {since} to {until}"

    def _cell(self, step: Transition) -> int:
        return int(self.scale.place(step.record.event.at) * _PLACES)

    def _said(self, step: Transition) -> str:
        version = step.record.version
        name, at = self.names[version - 1], to_the_millisecond(step.record.event.at)
        return f"version {version}: {name}, {at}"

    def _lanes(self, tasks: Sequence[Task]) -> Iterator[Lane]:
        linked = self._first_seen()
        for row, task in enumerate(tasks):
            left = self._left(linked.get(task.task_id, task.last_heartbeat_at))
            right = _EDGE if is_active(task) else self._left(task.last_heartbeat_at)
            name = shortened(task.label or task.task, 60)
            band = Band(
                left=left,
                width=round(max(right - left, 0.6), 2),
                word=task.status.value,
                title=f"task {shortened(task.task_id, 60)}, {task.status}: {name}",
            )
            yield Lane(row=row, name=name, band=band)

    def _first_seen(self) -> dict[str, Timestamp]:
        """Return when each task was linked, by our own clock."""
        seen: dict[str, Timestamp] = {}
        for step in self.steps:
            if step.before is None or len(step.after.tasks) != len(step.before.tasks):
                for task in step.after.tasks[-1:]:
                    seen.setdefault(task.task_id, step.record.event.at)
        return seen

    def _left(self, at: Timestamp) -> float:
        return self._percent(self.scale.place(at))

    def _percent(self, place: float) -> float:
        return round(_LEFT + place * (_RIGHT - _LEFT), 2)
