"""Aims a command that was made up at what there is: a flow, its revision, one of its tasks."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Final, TypeVar

from attrs import evolve as replace
from attrs import frozen

from adapters.testing.model import Life, Model
from adapters.testing.names import Names
from adapters.testing.steps import OWNERS
from domain.commands import REVISIONED, Command, FlowCommand, LoseTask, UpdateTask
from domain.flow import Flow

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
    return _sender(life, aim), _aimed(replace(command, flow_id=name), life, names, aim)


def _aimed(command: FlowCommand, life: Life, names: Names, aim: Aim) -> FlowCommand:
    if isinstance(command, UpdateTask | LoseTask):
        return replace(command, task_id=_task(life, names, aim))
    if isinstance(command, REVISIONED):
        return replace(command, expected_revision=max(0, life.revision + _OFF.get(aim.stray, 0)))
    return command


_OFF: Final = {Stray.STALE: -1, Stray.AHEAD: 1}


def _flow(model: Model, command: FlowCommand, which: int) -> Life | None:
    """Return the flow that a command may mean: mostly one that it can bring on."""
    lives = list(model.lives.values())
    if isinstance(command, LoseTask):
        likely = [life for life in lives if life.is_busy and life.wants_cancel]
    elif isinstance(command, UpdateTask):
        likely = [life for life in lives if life.is_busy]
    else:
        likely = [life for life in lives if life.is_live]
    return _pick(likely, lives, which)


def _task(life: Life, names: Names, aim: Aim) -> str:
    """Return the task that a command may mean: mostly one that is active, and known by its id."""
    known = [child for child in life.children if names.knows(child.task_id)]
    child = _pick([child for child in known if child.is_active], known, aim.task)
    return "task-none" if child is None or aim.stray is Stray.NO_TASK else child.task_id


def _sender(life: Life, aim: Aim) -> str:
    if aim.stray is not Stray.OTHER_OWNER:
        return life.owner
    return OWNERS[(OWNERS.index(life.owner) + 1) % len(OWNERS)]


def _pick(likely: Sequence[T], all_of_them: Sequence[T], which: int) -> T | None:
    items = likely if likely and which < RARELY else all_of_them
    return items[which % len(items)] if items else None
