"""Aims a command that was made up at what there is: a flow, its revision, one of its tasks."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Final, TypeVar

from attrs import evolve as replace
from attrs import frozen

from adapters.testing.model import Model, ModelFlow
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
LIKELY_BELOW: Final = 10
"""From this number on, of 12, a command means any flow or task, also one that has ended."""


class CommandMutation(Enum):
    """How a command misses what it is about, if it does."""

    NOT = "not"
    OTHER_OWNER = "sent by another owner"
    STALE = "one revision too low"
    AHEAD = "one revision too high"
    NO_FLOW = "of no flow"
    NO_TASK = "of no task"


@frozen
class Target:
    """What a command is about: which of the flows and of its tasks, both from 0 to 11."""

    flow: int
    task: int
    stray: CommandMutation


def at_revision_of(flow: Flow | None, command: Command) -> Command:
    """Return a command that expects a flow as it is."""
    if isinstance(command, REVISIONED):
        return replace(command, expected_revision=0 if flow is None else flow.revision)
    return command


def retarget(
    model: Model, names: Names, command: FlowCommand, aim: Target
) -> tuple[str, FlowCommand]:
    """Return a command that means a flow of the model, by its name, and who sends it."""
    flow = _flow(model, command, aim.flow)
    if flow is None:
        return OWNERS[0], command
    name = "flow-none" if aim.stray is CommandMutation.NO_FLOW else flow.flow_id
    return _sender(flow, aim), _aimed(replace(command, flow_id=FlowId(name)), flow, names, aim)


def retarget_run(model: Model, command: RunTask, aim: Target) -> tuple[Owner, RunTask] | None:
    """Return a command that means a run again which the model knows, and who sends it.

    Some of them mean it to the letter, the others only the run; None if no run is known.
    """
    flows = [flow for flow in model.flows.values() if flow.is_live and not flow.wants_cancel]
    runs = [(flow, task) for flow in flows for task in flow.tasks if task.run_id]
    if not runs:
        return None
    flow, task = runs[aim.flow % len(runs)]
    again = replace(
        command,
        flow_id=flow.flow_id,
        runtime=Runtime(task.runtime),
        run_id=task.run_id,
        child_session_key=task.child_session_key,
    )
    exact = aim.task % 3 == 0
    return flow.owner, replace(again, task=task.task, label=task.label) if exact else again


def _aimed(command: FlowCommand, flow: ModelFlow, names: Names, aim: Target) -> FlowCommand:
    if isinstance(command, UpdateTask):
        return replace(command, task_id=TaskId(_task(flow, names, aim)))
    if isinstance(command, LoseTask):
        return _silent(flow, command, TaskId(_task(flow, names, aim)), aim)
    if isinstance(command, REVISIONED):
        return replace(command, expected_revision=max(0, flow.revision + _OFF.get(aim.stray, 0)))
    return command


def _silent(flow: ModelFlow, command: LoseTask, task_id: TaskId, aim: Target) -> LoseTask:
    """Return a command that gives up a task: around what allows it, where it says that."""
    task = flow.task(task_id)
    if task is None:
        return replace(command, task_id=task_id)
    allowed = min(task.last_event_at, task.last_heartbeat_at) + aim.flow % 3 - 1
    seen = flow.reports - aim.task % 2
    return replace(
        command,
        task_id=task_id,
        silent_before=None if command.silent_before is None else allowed,
        task_events=None if command.task_events is None else seen,
    )


_OFF: Final = {CommandMutation.STALE: -1, CommandMutation.AHEAD: 1}


def _flow(model: Model, command: FlowCommand, which: int) -> ModelFlow | None:
    """Return the flow that a command may mean: mostly one that it can bring on.

    What ends a flow means the newest first, all else the oldest, so that some have a long flow.
    """
    flows = list(model.flows.values())
    live = [flow for flow in flows if flow.is_live]
    match command:
        case LoseTask():
            likely = [flow for flow in flows if flow.is_busy and flow.wants_cancel]
        case UpdateTask():
            likely = [flow for flow in flows if flow.is_busy]
        case CancelFlow():
            likely = [*(flow for flow in live if flow.is_busy), *reversed(live)]
        case FinishFlow() | FailFlow():
            likely = live[::-1]
        case _:
            likely = live
    return _pick(likely, flows, which)


def _task(flow: ModelFlow, names: Names, aim: Target) -> str:
    """Return the task that a command may mean: mostly one that is active, and known by its id."""
    known = [task for task in flow.tasks if names.knows(task.task_id)]
    task = _pick([task for task in known if task.is_active], known, aim.task)
    return "task-none" if task is None or aim.stray is CommandMutation.NO_TASK else task.task_id


def _sender(flow: ModelFlow, aim: Target) -> str:
    return other_than(flow.owner) if aim.stray is CommandMutation.OTHER_OWNER else flow.owner


def _pick(likely: Sequence[T], all_of_them: Sequence[T], which: int) -> T | None:
    items = likely if likely and which < LIKELY_BELOW else all_of_them
    return items[which % len(items)] if items else None
