"""The decisions about a child task, once the lifecycle of its flow allows the command."""

from __future__ import annotations

from collections.abc import Sequence

from domain.flow import events as e
from domain.flow.commands import Command, CommandContext, LoseTask, RunTask, UpdateTask
from domain.flow.ids import TaskId
from domain.flow.refusals import Refusal, RefusalCode
from domain.flow.state import Flow, cancel_pending, task_events
from domain.flow.status import ENDED, NotifyPolicy, TaskStatus
from domain.flow.task import Task, find_task, is_active, same_run, stale_since
from domain.flow.values import KEEP, Patch, Timestamp

LOST_ERROR = "backing session missing"
"""The error of a task that was lost, as recorded from the reference."""

GIVEN_UP_ERROR = "given up by an operator"
"""The error of a task that an operator gave up."""


def run_task(
    flow: Flow, command: RunTask, context: CommandContext, *, at: Timestamp
) -> tuple[e.Event, ...]:
    """Link a task, or complete the one that the same run linked before."""
    known = same_run(flow.tasks, command)
    if known is not None:
        return _described(known, command, at)
    reported = [t for t in (command.started_at, command.last_event_at) if t is not None]
    linked = e.TaskLinked(
        at=at,
        task_id=TaskId(context.new_id),
        runtime=command.runtime,
        task=command.task,
        status=command.status,
        agent_id=command.agent_id or context.rules.agent(command.child_session_key, flow.owner),
        notify_policy=command.notify_policy,
        created_at=min([at, *reported]),
        started_at=command.started_at,
        last_event_at=max(reported, default=at),
        source_id=command.source_id,
        child_session_key=command.child_session_key,
        parent_task_id=command.parent_task_id,
        run_id=command.run_id,
        label=command.label,
        progress_summary=command.progress_summary,
    )
    return (linked,)


def _described(known: Task, command: RunTask, at: Timestamp) -> tuple[e.Event, ...]:
    preferred = command.prefer_metadata
    described = e.TaskDescribed(
        at=at,
        task_id=known.task_id,
        source_id=_if_missing(known.source_id, command.source_id),
        parent_task_id=_if_missing(known.parent_task_id, command.parent_task_id),
        label=_if_changed(known.label, command.label)
        if preferred
        else _if_missing(known.label, command.label),
        task=_if_changed(known.task, command.task) if preferred else KEEP,
        notify_policy=_unless_silent(known.notify_policy, command.notify_policy),
        agent_id=_if_missing(known.agent_id, command.agent_id),
    )
    return () if described == e.TaskDescribed(at=at, task_id=known.task_id) else (described,)


def _if_missing(old: str | None, new: str | None) -> Patch[str]:
    return KEEP if old is not None or new is None else new


def _if_changed(old: str | None, new: str | None) -> Patch[str]:
    return KEEP if new is None or new == old else new


def _unless_silent(old: NotifyPolicy, new: NotifyPolicy) -> Patch[NotifyPolicy]:
    silent = NotifyPolicy.SILENT
    return new if old is silent and new is not silent else KEEP


def update_task(flow: Flow, command: UpdateTask, at: Timestamp) -> tuple[e.Event, ...] | Refusal:
    """Let a child run, make progress, or end; the end of the last one may cancel its flow."""
    task = _unended(flow, command.task_id)
    if isinstance(task, Refusal):
        return task
    if command.status not in ENDED:
        fact = e.TaskProgressed if task.status is TaskStatus.RUNNING else e.TaskStarted
        return (fact(at=at, task_id=task.task_id, progress_summary=command.progress_summary),)
    ended = e.TaskEnded(
        at=at,
        task_id=task.task_id,
        status=command.status,
        progress_summary=command.progress_summary,
        terminal_summary=command.terminal_summary,
        terminal_outcome=command.terminal_outcome,
        error=command.error,
    )
    return (ended, *_cancelled_by(flow, at))


def lose_task(flow: Flow, command: LoseTask, at: Timestamp) -> tuple[e.Event, ...] | Refusal:
    """Mark a child as lost, if it is stale or an operator gives it up."""
    task = _unended(flow, command.task_id)
    if isinstance(task, Refusal):
        return task
    if _has_if_changed(flow, task, command):
        reason = "There was news of the task."
        return Refusal(code=RefusalCode.TASK_NOT_SILENT, reason=reason, flow=flow)
    error = GIVEN_UP_ERROR if command.silent_before is None else LOST_ERROR
    lost = e.TaskEnded(at=at, task_id=task.task_id, status=TaskStatus.LOST, error=error)
    return (lost, *_cancelled_by(flow, at))


def _has_if_changed(flow: Flow, task: Task, command: LoseTask) -> bool:
    if command.silent_before is not None and stale_since(task) > command.silent_before:
        return True
    return command.task_events not in {None, task_events(flow)}


def _unended(flow: Flow, task_id: TaskId) -> Task | Refusal:
    task = find_task(flow.tasks, task_id)
    if task is None:
        return Refusal(code=RefusalCode.TASK_NOT_FOUND, reason="Task not found.", flow=flow)
    if not is_active(task):
        reason = f"Task is already {task.status}."
        return Refusal(code=RefusalCode.TASK_TERMINAL, reason=reason, flow=flow)
    return task


def _cancelled_by(flow: Flow, at: Timestamp) -> tuple[e.Event, ...]:
    """Return what follows from the end of an active task."""
    is_last = flow.active_count == 1
    return (e.FlowCancelled(at=at),) if is_last and cancel_pending(flow) else ()


def task_of(flow: Flow, command: Command, events: Sequence[e.Event] = ()) -> TaskId | None:
    """Return the task of a command: of its events, or without any the one that it refers to."""
    match command:
        case UpdateTask() | LoseTask():
            return command.task_id
        case RunTask():
            linked = (event.task_id for event in events if isinstance(event, e.TaskEvent))
            known = same_run(flow.tasks, command)
            return next(linked, None if known is None else known.task_id)
        case _:
            return None
