"""Aims a command that was made up at what there is: a flow, its revision, one of its tasks."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Final, TypeVar

from attrs import evolve as replace
from attrs import frozen

from adapters.testing.model import Life, Model
from adapters.testing.names import Names
from adapters.testing.steps import OWNERS, other_than
from domain.flow.commands import (
    REVISIONED,
    CancelFlow,
    Command,
    FailFlow,
    FinishFlow,
    FlowCommand,
    LoseTask,
    RunTask,
    UpdateTask,
)
from domain.flow.ids import FlowId, Owner, TaskId
from domain.flow.state import Flow
from domain.flow.status import Runtime

T = TypeVar("T")
RARELY: Final = 10
"""From this number on, of 12, a command means any flow or task, also one that has ended."""


class Stray(Enum):
    """How a command misses what it is about, if it does."""

    NOT = "not"
    OTHER_OWNER = "sent by another owner"
    STALE = "one revision too low"
    AHEAD = "one revision too high"
    NO_FLOW = "of no flow"
    NO_TASK = "of no task"


@frozen
class Aim:
    """What a command is about: which of the flows and of its tasks, both from 0 to 11."""

    flow: int
    task: int
    stray: Stray


def at_revision_of(flow: Flow | None, command: Command) -> Command:
    """Return a command that expects a flow as it is."""
    if isinstance(command, REVISIONED):
        return replace(command, expected_revision=0 if flow is None else flow.revision)
    return command


def at_something(
    model: Model, names: Names, command: FlowCommand, aim: Aim
) -> tuple[str, FlowCommand]:
    """Return a command that means a flow of the model, by its name, and who sends it."""
    life = _flow(model, command, aim.flow)
    if life is None:
        return OWNERS[0], command
    name = "flow-none" if aim.stray is Stray.NO_FLOW else life.flow_id
    return _sender(life, aim), _aimed(replace(command, flow_id=FlowId(name)), life, names, aim)


def at_a_run(model: Model, command: RunTask, aim: Aim) -> tuple[Owner, RunTask] | None:
    """Return a command that means a run again which the model knows, and who sends it.

    Some of them mean it to the letter, the others only the run; None if no run is known.
    """
    lives = [life for life in model.lives.values() if life.is_live and not life.wants_cancel]
    runs = [(life, child) for life in lives for child in life.children if child.run_id]
    if not runs:
        return None
    life, child = runs[aim.flow % len(runs)]
    again = replace(
        command,
        flow_id=life.flow_id,
        runtime=Runtime(child.runtime),
        run_id=child.run_id,
        child_session_key=child.child_session_key,
    )
    exact = aim.task % 3 == 0
    return life.owner, replace(again, task=child.task, label=child.label) if exact else again


def _aimed(command: FlowCommand, life: Life, names: Names, aim: Aim) -> FlowCommand:
    if isinstance(command, UpdateTask):
        return replace(command, task_id=TaskId(_task(life, names, aim)))
    if isinstance(command, LoseTask):
        return _silent(life, command, TaskId(_task(life, names, aim)), aim)
    if isinstance(command, REVISIONED):
        return replace(command, expected_revision=max(0, life.revision + _OFF.get(aim.stray, 0)))
    return command


def _silent(life: Life, command: LoseTask, task_id: TaskId, aim: Aim) -> LoseTask:
    """Return a command that gives up a child: around what allows it, where it says that."""
    child = life.child(task_id)
    if child is None:
        return replace(command, task_id=task_id)
    allowed = min(child.last_event_at, child.heard_at) + aim.flow % 3 - 1
    seen = life.reports - aim.task % 2
    return replace(
        command,
        task_id=task_id,
        silent_before=None if command.silent_before is None else allowed,
        task_events=None if command.task_events is None else seen,
    )


_OFF: Final = {Stray.STALE: -1, Stray.AHEAD: 1}


def _flow(model: Model, command: FlowCommand, which: int) -> Life | None:
    """Return the flow that a command may mean: mostly one that it can bring on.

    What ends a flow means the newest first, all else the oldest, so that some have a long life.
    """
    lives = list(model.lives.values())
    live = [life for life in lives if life.is_live]
    match command:
        case LoseTask():
            likely = [life for life in lives if life.is_busy and life.wants_cancel]
        case UpdateTask():
            likely = [life for life in lives if life.is_busy]
        case CancelFlow():
            likely = [*(life for life in live if life.is_busy), *reversed(live)]
        case FinishFlow() | FailFlow():
            likely = live[::-1]
        case _:
            likely = live
    return _pick(likely, lives, which)


def _task(life: Life, names: Names, aim: Aim) -> str:
    """Return the task that a command may mean: mostly one that is active, and known by its id."""
    known = [child for child in life.children if names.knows(child.task_id)]
    child = _pick([child for child in known if child.is_active], known, aim.task)
    return "task-none" if child is None or aim.stray is Stray.NO_TASK else child.task_id


def _sender(life: Life, aim: Aim) -> str:
    return other_than(life.owner) if aim.stray is Stray.OTHER_OWNER else life.owner


def _pick(likely: Sequence[T], all_of_them: Sequence[T], which: int) -> T | None:
    items = likely if likely and which < RARELY else all_of_them
    return items[which % len(items)] if items else None
