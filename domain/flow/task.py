"""A child task, and the questions that are asked of a flow's tasks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from attrs import frozen

from domain.flow.commands import RunTask
from domain.flow.ids import TaskId
from domain.flow.status import ACTIVE, NotifyPolicy, Runtime, TaskStatus, TerminalOutcome
from domain.flow.values import Timestamp


@frozen(kw_only=True)
class Task:
    """A child execution recorded inside a flow.

    `created_at`, `started_at` and `last_event_at` may come from the caller; `last_heartbeat_at` is
    the moment of the latest report, by our own clock.
    """

    task_id: TaskId
    runtime: Runtime
    task: str
    status: TaskStatus
    agent_id: str | None
    notify_policy: NotifyPolicy
    created_at: Timestamp
    last_event_at: Timestamp
    last_heartbeat_at: Timestamp
    started_at: Timestamp | None = None
    ended_at: Timestamp | None = None
    cleanup_after: Timestamp | None = None
    source_id: str | None = None
    child_session_key: str | None = None
    parent_task_id: str | None = None
    run_id: str | None = None
    label: str | None = None
    progress_summary: str | None = None
    terminal_summary: str | None = None
    terminal_outcome: TerminalOutcome | None = None
    error: str | None = None


def is_active(task: Task) -> bool:
    """Say whether a task has yet to end."""
    return task.status in ACTIVE


def stale_since(task: Task) -> Timestamp:
    """Return the moment of a task's latest news, which a caller may date back, but not ahead.

    A child that claims news from next year must not keep its flow pending until then.
    """
    return min(task.last_event_at, task.last_heartbeat_at)


def find_task(tasks: Iterable[Task], task_id: TaskId) -> Task | None:
    """Return the task with an id."""
    return next((task for task in tasks if task.task_id == task_id), None)


def newest_first(tasks: Sequence[Task]) -> Sequence[Task]:
    """Return tasks by their age; of those that are equally old, the one linked last is first.

    A caller may say that a task began long ago, so their order is not that of linking.
    """
    last_first = reversed(tasks)
    return sorted(last_first, key=lambda task: -task.created_at)


def same_run(tasks: Iterable[Task], command: RunTask) -> Task | None:
    """Return the task of the run of a `run_task`, if the flow has one.

    A run is a `runId` within one runtime and child session. A subagent may start several tasks in
    one run, distinguished by label and text; for `acp` the run is the task.
    """
    if command.run_id is None:
        return None
    return next((task for task in tasks if _is_same_run(task, command)), None)


def _is_same_run(task: Task, command: RunTask) -> bool:
    same = (task.run_id, task.runtime, task.child_session_key) == (
        command.run_id,
        command.runtime,
        command.child_session_key,
    )
    if not same or command.runtime is Runtime.ACP:
        return same
    return (task.task, task.label) == (command.task, command.label)
