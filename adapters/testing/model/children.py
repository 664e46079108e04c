"""What becomes of a child task, as the model has it."""

from __future__ import annotations

import re
from typing import Final

from attrs import evolve as replace

from adapters.testing.model.life import ACTIVE, Child, Life
from domain.flow.commands import Command, LoseTask, RunTask, UpdateTask
from domain.flow.ids import TaskId
from domain.flow.values import Keep

BLANK: Final = r"[\x09-\x0d \xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]*"
"""What JavaScript trims away."""

DAY: Final = 24 * 60 * 60 * 1000


def meant(life: Life, command: Command, new_id: str) -> TaskId | None:
    """Return the task that a command is about: one that is there, or one that it would make."""
    if isinstance(command, UpdateTask | LoseTask):
        return command.task_id
    if isinstance(command, RunTask):
        known = same_run(life, command)
        return TaskId(new_id) if known is None else known.task_id
    return None


def same_run(life: Life, command: RunTask) -> Child | None:
    """Return the child that the same run linked: for a subagent also by its text and label."""
    if command.run_id is None:
        return None
    for child in life.children:
        if child.run_id != command.run_id or child.runtime != command.runtime:
            continue
        if child.child_session_key != command.child_session_key:
            continue
        same_work = child.task == command.task and child.label == command.label
        if child.runtime == "acp" or same_work:
            return child
    return None


def linked(life: Life, command: RunTask, at: int, *, new_id: TaskId) -> Child:
    """Return a new child; the moments that its caller gives may lie before now, or after."""
    started, heard = command.started_at, command.last_event_at
    first = [moment for moment in (at, started, heard) if moment is not None]
    latest = [moment for moment in (started, heard) if moment is not None]
    return Child(
        task_id=new_id,
        runtime=str(command.runtime),
        task=command.task,
        status=str(command.status),
        agent_id=command.agent_id or _agent(command.child_session_key, life.owner),
        notify_policy=str(command.notify_policy),
        created_at=min(first),
        last_event_at=max(latest) if latest else at,
        heard_at=at,
        started_at=started,
        source_id=command.source_id,
        child_session_key=command.child_session_key,
        parent_task_id=command.parent_task_id,
        run_id=command.run_id,
        label=command.label,
        progress_summary=command.progress_summary,
    )


def _agent(*sessions: str | None) -> str | None:
    """Return the agent of the first session key that names one (`agent:<id>:<rest>`).

    What stands around a key or an id does not count, nor do capitals, nor colons too many.
    """
    for session in sessions:
        found = re.match(r":*agent:+([^:]+):+[^:]", _trimmed((session or "").lower()))
        if found and _trimmed(found[1]):
            return _trimmed(found[1])
    return None


def _trimmed(text: str) -> str:
    return re.sub(rf"^{BLANK}|{BLANK}$", "", text)


def described(child: Child, command: RunTask) -> Child:
    """Return a child of which a repeated run tells more; what was known stays, mostly."""
    if child.agent_id is None:
        child = replace(child, agent_id=command.agent_id)
    if child.source_id is None:
        child = replace(child, source_id=command.source_id)
    if child.parent_task_id is None:
        child = replace(child, parent_task_id=command.parent_task_id)
    if command.label is not None and (child.label is None or command.prefer_metadata):
        child = replace(child, label=command.label)
    if command.prefer_metadata:
        child = replace(child, task=command.task)
    if child.notify_policy == "silent":
        child = replace(child, notify_policy=str(command.notify_policy))
    return child


def reported(child: Child, command: UpdateTask, at: int) -> Child:
    """Return a child after a report: it runs, goes on running, or has ended."""
    progress = command.progress_summary
    news = child.progress_summary if isinstance(progress, Keep) else progress
    child = replace(child, heard_at=at, last_event_at=at, progress_summary=news)
    if command.status in ACTIVE:
        started = child.started_at if child.status == "running" else at
        return replace(child, status="running", started_at=started)
    outcome = command.terminal_outcome
    return replace(
        child,
        status=str(command.status),
        ended_at=at,
        cleanup_after=at + DAY if command.status == "lost" else None,
        terminal_summary=command.terminal_summary,
        terminal_outcome=None if outcome is None else str(outcome),
        error=command.error,
    )


def lost(child: Child, at: int, error: str) -> Child:
    """Return a child that was given up."""
    return replace(
        child,
        status="lost",
        error=error,
        heard_at=at,
        last_event_at=at,
        ended_at=at,
        cleanup_after=at + DAY,
    )
