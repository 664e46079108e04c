"""The page `docs/lifecycle.md`: the table of `domain.flow.lifecycle` and the task steps below.

`python -m adapters.presentation.lifecycle_page` prints it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from enum import StrEnum
from itertools import product
from typing import Final, TypeAlias

from attrs import evolve as replace
from attrs import frozen

from domain.flow.commands import COMMANDS, Command
from domain.flow.events import TaskEnded, TaskEvent, TaskLinked, TaskProgressed, TaskStarted
from domain.flow.lifecycle import (
    ABSENT,
    ALL,
    ANY,
    GOING,
    LIFECYCLE,
    NOT_WAITING,
    UNCHANGED,
    YES,
    LifecycleRow,
    State,
    matching_rows,
)
from domain.flow.status import ACTIVE, ENDED, LIVE, TERMINAL, WAITS, FlowStatus, TaskStatus

INTRO: Final = """\
# The life of a flow

<!-- Made from domain/flow/lifecycle.py by `make docs`; a test fails where they differ. -->

A flow is *live* (`queued`, `running`, `waiting`, `blocked`) or *terminal* (`succeeded`, `failed`,
`cancelled`), and terminal is for ever. Four flags guard its steps beside its status: the *cancel
intent*, which never clears once it is set; whether a child task is *active* (`queued` or
`running`); whether the caller is the *same* as let the flow wait, where another key has to resume
it; and whether a resume was *kept* that came before the wait. `decide` reads the table on this
page; what depends on data comes around it:

- before it, ownership (`not_found`: a foreign flow is like none), the revision
  (`revision_conflict`), for `FollowLink` whether the link is that of the wait (`wait_over`) and
  has not been used (`link_used`), and for `CreateFlow` whether a live flow of the owner has its
  correlation key (`correlation_key_taken`);
- after it, the task that the command names: `task_not_found`, `task_terminal` (it has ended), and
  for `LoseTask` `task_not_silent` (there was news of it); for `ExpireWait` whether the wait is the
  one that was due (`wait_over`, `wait_not_due`); for `SetWaiting` that a wait for another key ends
  neither by a link nor by a timed resume (`same_approver`).
"""

OVERVIEW: Final = """\
## Overview

Where a flow may stand after a command: `=` is where it was, `code` is a refusal.
"""

STEPS: Final = """\
## The table

For a command on a flow exactly one line applies. It names the events that may follow, where the
flow may stand then, and by how much its revision moves.
"""

FLOW_DIAGRAM: Final = """\
## Flow statuses

An arrow is a command that leads from one status to another. One from or to the frame holds for
every status in it. A command that leaves the status as it is has no arrow.
"""

TASK_DIAGRAM: Final = """\
## Task statuses

An arrow is an event of the task. Its flow may have ended before: children may outlive it.
"""

TaskStep: TypeAlias = tuple[type[TaskEvent], frozenset[TaskStatus | None], frozenset[TaskStatus]]

TASK_STEPS: Final[tuple[TaskStep, ...]] = (
    (TaskLinked, frozenset({None}), ACTIVE),
    (TaskStarted, frozenset({TaskStatus.QUEUED}), frozenset({TaskStatus.RUNNING})),
    (TaskProgressed, frozenset({TaskStatus.RUNNING}), frozenset({TaskStatus.RUNNING})),
    (TaskEnded, ACTIVE, ENDED),
)
"""Which event takes a task from where to where (a test holds `decide` against it)."""

Cells: TypeAlias = Sequence[str]


def render() -> str:
    """Return the page as Markdown with Mermaid diagrams."""
    parts = (
        *(INTRO, OVERVIEW, _overview()),
        *(STEPS, _steps()),
        *(FLOW_DIAGRAM, _flow_diagram()),
        *(TASK_DIAGRAM, _task_diagram()),
    )
    return "\n".join(parts)


def _overview() -> str:
    header = ("from", *(f"`{command.__name__}`" for command in COMMANDS))
    states: tuple[State, ...] = (None, *FlowStatus)
    lines = ((_state(state), *(_cell(command, state) for command in COMMANDS)) for state in states)
    return _table(header, lines)


def _state(state: State) -> str:
    return "no flow" if state is None else f"`{state}`"


def _cell(command: type[Command], state: State) -> str:
    found = (
        row
        for i, a, s, k in product((False, True), repeat=4)
        for row in matching_rows(command, state, intent=i, active=a, same=s, kept=k)
    )
    words = (word for row in found for word in _outcome(row))
    return " / ".join(dict.fromkeys(words))


def _outcome(row: LifecycleRow) -> Cells:
    return (f"`{row.refusal}`",) if row.refusal else _status_after(row, unchanged="=")


def _status_after(row: LifecycleRow, unchanged: str) -> Cells:
    may_stay = row.target == UNCHANGED or (0 in row.moves and row.source != ABSENT)
    return (*_ordered(FlowStatus, row.target), *((unchanged,) if may_stay else ()))


def _steps() -> str:
    flags = ("cancel intent", "active child", "same caller", "kept resume")
    header = ("command", "from", *flags, "outcome", "status", "revision")
    return _table(header, (_step(commands, row) for row, commands in _groups()))


def _groups() -> Iterable[tuple[LifecycleRow, Cells]]:
    """Return the rows, those that differ in nothing but their command as one."""
    groups: dict[LifecycleRow, list[str]] = {}
    for row in LIFECYCLE:
        group = groups.setdefault(replace(row, command=COMMANDS[0]), [])
        group.append(f"`{row.command.__name__}`")
    return groups.items()


def _step(commands: Cells, row: LifecycleRow) -> Cells:
    flags = (row.intent, row.active, row.same, row.kept)
    guards = (_source(row.source), *map(_guard, flags))
    if row.refusal is not None:
        return (", ".join(commands), *guards, f"refused: `{row.refusal}`", "", "")
    events = ", ".join(f"`{event.__name__}`" for event in row.events) or "accepted, nothing happens"
    status = " or ".join(_status_after(row, unchanged="unchanged"))
    moves = " or ".join(f"+{move}" for move in sorted(row.moves))
    return (", ".join(commands), *guards, events, status, moves)


def _source(source: frozenset[State]) -> str:
    return {
        ABSENT: "no flow",
        LIVE: "live",
        TERMINAL: "terminal",
        ALL: "any status",
        WAITS: "waiting or blocked",
        GOING: "queued or running",
        NOT_WAITING: "not waiting or blocked",
    }[source]


def _guard(flag: frozenset[bool]) -> str:
    return {ANY: "", YES: "yes"}.get(flag, "no")


def _table(header: Cells, lines: Iterable[Cells]) -> str:
    rule = ["---"] * len(header)
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (header, rule, *lines))


@frozen
class DiagramArrows:
    """What leads from any of some statuses to any of others; `[*]` is before and after all."""

    label: str
    sources: Cells
    targets: Cells


def _flow_diagram() -> str:
    steps = (
        DiagramArrows(
            row.command.__name__,
            _ordered(FlowStatus, row.source),
            _ordered(FlowStatus, row.target),
        )
        for row in LIFECYCLE
        if row.refusal is None
    )
    ends = _ordered(FlowStatus, TERMINAL)
    return _mermaid("live", _ordered(FlowStatus, LIVE), [*steps, DiagramArrows("", ends, ["[*]"])])


def _task_diagram() -> str:
    steps = (
        DiagramArrows(event.__name__, _ordered(TaskStatus, sources), _ordered(TaskStatus, targets))
        for event, sources, targets in TASK_STEPS
    )
    ends = _ordered(TaskStatus, ENDED)
    return _mermaid(
        "active", _ordered(TaskStatus, ACTIVE), [*steps, DiagramArrows("", ends, ["[*]"])]
    )


def _ordered(statuses: type[StrEnum], some: Collection[StrEnum | None]) -> Cells:
    return [status or "[*]" for status in (None, *statuses) if status in some]


def _mermaid(frame: str, inside: Cells, steps: Iterable[DiagramArrows]) -> str:
    """Return a state diagram, with the statuses `inside` drawn in a frame of that name."""
    arrows: dict[tuple[str, str], list[str]] = {}
    for step in steps:
        for arrow in _arrows(step, frame, inside):
            arrows.setdefault(arrow, []).append(step.label)
    framed = [arrow for arrow in arrows if set(arrow) <= set(inside)]
    lines = (
        f"state {frame} {{",
        *(f"    {status}" for status in inside),
        *(f"    {_line(arrow, arrows[arrow])}" for arrow in framed),
        "}",
        *(_line(arrow, labels) for arrow, labels in arrows.items() if arrow not in framed),
    )
    return "\n".join(("```mermaid", "stateDiagram-v2", *(f"    {line}" for line in lines), "```\n"))


def _arrows(step: DiagramArrows, frame: str, inside: Cells) -> Iterable[tuple[str, str]]:
    leaves = step.sources == inside and not set(step.targets) & set(inside)
    sources = (frame,) if leaves else step.sources
    targets = (frame,) if step.targets == inside else step.targets
    return ((source, target) for source in sources for target in targets)


def _line(arrow: tuple[str, str], labels: Cells) -> str:
    label = ", ".join(dict.fromkeys(filter(None, labels)))
    return " --> ".join(arrow) + (f" : {label}" if label else "")


if __name__ == "__main__":
    print(render(), end="")  # noqa: T201 - the page goes to standard output
