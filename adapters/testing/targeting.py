"""Targets generated commands at a flow, its revision or one of its tasks."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Final, TypeVar

from attrs import evolve as replace
from attrs import frozen

from adapters.testing.model import Model, ModelFlow
from adapters.testing.names import Names
from adapters.testing.steps import OWNERS, other_than
from domain.flow import commands as c
from domain.flow.ids import FlowId, Owner, TaskId
from domain.flow.state import Flow
from domain.flow.status import Runtime

T = TypeVar("T")
MOSTLY: Final = 10
"""From this number on, of 12, a target is any flow or task, also one that has ended."""


class CommandMutation(Enum):
    """How a command misses its target, if it does."""

    NONE = "none"
    OTHER_OWNER = "sent by another owner"
    STALE = "one revision too low"
    AHEAD = "one revision too high"
    NO_FLOW = "of no flow"
    NO_TASK = "of no task"


OFF_BY: Final = {CommandMutation.STALE: -1, CommandMutation.AHEAD: 1}


@frozen
class Target:
    """Which of the flows and of its tasks a command is about, both from 0 to 11."""

    flow: int
    task: int
    mutation: CommandMutation


def at_revision_of(flow: Flow | None, command: c.Command) -> c.Command:
    """Return a command that expects a flow as it is."""
    if isinstance(command, c.REVISIONED):
        return replace(command, expected_revision=0 if flow is None else flow.revision)
    return command


def retarget(
    model: Model, names: Names, command: c.FlowCommand, target: Target
) -> tuple[Owner, c.FlowCommand]:
    """Return a command about a flow of the model, by its name, and its sender."""
    flow = _flow(model, command, target.flow)
    if flow is None:
        return OWNERS[0], command
    name = FlowId("flow-none") if target.mutation is CommandMutation.NO_FLOW else flow.flow_id
    stranger = target.mutation is CommandMutation.OTHER_OWNER
    sender = other_than(flow.owner) if stranger else flow.owner
    return sender, _within(replace(command, flow_id=name), flow, names, target)


def retarget_run(
    model: Model, command: c.RunTask, target: Target
) -> tuple[Owner, c.RunTask] | None:
    """Return a command that repeats a run of the model, and its sender; None if there is no run.

    Every third repeats it to the letter, the others only its run.
    """
    flows = [flow for flow in model.flows.values() if flow.is_live and not flow.wants_cancel]
    runs = [(flow, task) for flow in flows for task in flow.tasks if task.run_id]
    if not runs:
        return None
    flow, task = runs[target.flow % len(runs)]
    again = replace(
        command,
        flow_id=flow.flow_id,
        runtime=Runtime(task.runtime),
        run_id=task.run_id,
        child_session_key=task.child_session_key,
    )
    exact = target.task % 3 == 0
    return flow.owner, replace(again, task=task.task, label=task.label) if exact else again


def _within(command: c.FlowCommand, flow: ModelFlow, names: Names, target: Target) -> c.FlowCommand:
    if isinstance(command, c.REVISIONED):
        expected = flow.revision + OFF_BY.get(target.mutation, 0)
        return replace(command, expected_revision=max(0, expected))
    if isinstance(command, c.UpdateTask | c.LoseTask):
        command = replace(command, task_id=_task(flow, names, target))
    if isinstance(command, c.ExpireWait) and flow.until is not None:
        return replace(command, until=flow.until + OFF_BY.get(target.mutation, 0))
    if isinstance(command, c.FollowLink) and target.mutation is not CommandMutation.STALE:
        return replace(command, link_hash=flow.link_hash or command.link_hash)
    return _stale(flow, command, target) if isinstance(command, c.LoseTask) else command


def _stale(flow: ModelFlow, command: c.LoseTask, target: Target) -> c.LoseTask:
    """Return a command whose conditions are those of its task, or just miss them."""
    task = flow.task(command.task_id)
    if task is None:
        return command
    last = min(task.last_event_at, task.last_heartbeat_at) + target.flow % 3 - 1
    seen = flow.reports - target.task % 2
    return replace(
        command,
        silent_before=None if command.silent_before is None else last,
        task_events=None if command.task_events is None else seen,
    )


def _flow(model: Model, command: c.FlowCommand, which: int) -> ModelFlow | None:
    """Return the target of a command: mostly a flow that takes it.

    What ends a flow prefers the newest, all else the oldest, so that some flows become old.
    """
    flows = list(model.flows.values())
    live = [flow for flow in flows if flow.is_live]
    match command:
        case c.LoseTask():
            likely = [flow for flow in flows if flow.is_busy and flow.wants_cancel]
        case c.UpdateTask():
            likely = [flow for flow in flows if flow.is_busy]
        case c.CancelFlow():
            likely = [*(flow for flow in live if flow.is_busy), *reversed(live)]
        case c.FollowLink() | c.ExpireWait():
            likely = [flow for flow in live if flow.is_waiting]
        case c.FinishFlow() | c.FailFlow():
            likely = live[::-1]
        case _:
            likely = live
    return _pick(likely, flows, which)


def _task(flow: ModelFlow, names: Names, target: Target) -> TaskId:
    """Return the target of a command: mostly an active task, and one whose id is known."""
    known = [task for task in flow.tasks if names.knows(task.task_id)]
    task = _pick([task for task in known if task.is_active], known, target.task)
    if task is None or target.mutation is CommandMutation.NO_TASK:
        return TaskId("task-none")
    return task.task_id


def _pick(likely: Sequence[T], all_of_them: Sequence[T], which: int) -> T | None:
    items = likely if likely and which < MOSTLY else all_of_them
    return items[which % len(items)] if items else None
