"""The rules of one child task, for `Rules`."""

from __future__ import annotations

import re
from typing import Final

from attrs import evolve as replace

from adapters.testing.model.records import ACTIVE, ModelFlow, ModelTask
from domain.flow.commands import Command, LoseTask, RunTask, UpdateTask
from domain.flow.ids import TaskId
from domain.flow.values import Keep

BLANK: Final = r"[\x09-\x0d \xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]*"
"""What JavaScript trims away."""

DAY: Final = 24 * 60 * 60 * 1000


def subject_of(flow: ModelFlow, command: Command, new_id: str) -> TaskId | None:
    """Return the id of the task that a command is about, or that it would link."""
    if isinstance(command, UpdateTask | LoseTask):
        return command.task_id
    if isinstance(command, RunTask):
        known = find_same_run(flow, command)
        return TaskId(new_id) if known is None else known.task_id
    return None


def find_same_run(flow: ModelFlow, command: RunTask) -> ModelTask | None:
    """Return the task that the same run linked; a subagent's has the same text and label, too."""
    if command.run_id is None:
        return None
    run = (command.run_id, command.runtime, command.child_session_key)
    for task in flow.tasks:
        same_work = task.task == command.task and task.label == command.label
        if (task.run_id, task.runtime, task.child_session_key) == run and (
            task.runtime == "acp" or same_work
        ):
            return task
    return None


def link_task(flow: ModelFlow, command: RunTask, at: int, *, new_id: TaskId) -> ModelTask:
    """Return a new task; the moments that its caller gives may lie before or after now."""
    given = [at for at in (command.started_at, command.last_event_at) if at is not None]
    return ModelTask(
        task_id=new_id,
        runtime=str(command.runtime),
        task=command.task,
        status=str(command.status),
        agent_id=command.agent_id or _agent(command.child_session_key, flow.owner),
        notify_policy=str(command.notify_policy),
        created_at=min([at, *given]),
        last_event_at=max(given, default=at),
        last_heartbeat_at=at,
        started_at=command.started_at,
        source_id=command.source_id,
        child_session_key=command.child_session_key,
        parent_task_id=command.parent_task_id,
        run_id=command.run_id,
        label=command.label,
        progress_summary=command.progress_summary,
    )


def _agent(*sessions: str | None) -> str | None:
    """Return the agent of the first session key that names one (`agent:<id>:<rest>`).

    Whitespace around key and id, capitals and surplus colons do not count.
    """
    for session in sessions:
        found = re.match(r":*agent:+([^:]+):+[^:]", _trimmed((session or "").lower()))
        if found and _trimmed(found[1]):
            return _trimmed(found[1])
    return None


def _trimmed(text: str) -> str:
    return re.sub(rf"^{BLANK}|{BLANK}$", "", text)


def enrich_task(task: ModelTask, command: RunTask) -> ModelTask:
    """Return a task with the metadata of a repeated run; what is known mostly stays."""
    prefers = command.prefer_metadata
    relabels = command.label is not None and (task.label is None or prefers)
    silent = task.notify_policy == "silent"
    return replace(
        task,
        agent_id=command.agent_id if task.agent_id is None else task.agent_id,
        source_id=command.source_id if task.source_id is None else task.source_id,
        parent_task_id=(
            command.parent_task_id if task.parent_task_id is None else task.parent_task_id
        ),
        label=command.label if relabels else task.label,
        task=command.task if prefers else task.task,
        notify_policy=str(command.notify_policy) if silent else task.notify_policy,
    )


def report_task(task: ModelTask, command: UpdateTask, at: int) -> ModelTask:
    """Return a task after a report: it runs or has ended."""
    progress = command.progress_summary
    summary = task.progress_summary if isinstance(progress, Keep) else progress
    task = replace(task, last_heartbeat_at=at, last_event_at=at, progress_summary=summary)
    if command.status in ACTIVE:
        started = task.started_at if task.status == "running" else at
        return replace(task, status="running", started_at=started)
    outcome = command.terminal_outcome
    return replace(
        task,
        status=str(command.status),
        ended_at=at,
        cleanup_after=at + DAY if command.status == "lost" else None,
        terminal_summary=command.terminal_summary,
        terminal_outcome=None if outcome is None else str(outcome),
        error=command.error,
    )


def lose_task(task: ModelTask, at: int, error: str) -> ModelTask:
    """Return a task that was given up."""
    return replace(
        task,
        status="lost",
        error=error,
        last_heartbeat_at=at,
        last_event_at=at,
        ended_at=at,
        cleanup_after=at + DAY,
    )
