"""How the child tasks of a flow change by what happened to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias, assert_never

from attrs import evolve as replace

from domain.flow import events as e
from domain.flow.ids import TaskId
from domain.flow.status import TaskStatus
from domain.flow.task import Task
from domain.flow.values import patched

Tasks: TypeAlias = tuple[Task, ...]

LOST_CLEANUP_MS: Final = 24 * 60 * 60 * 1000
"""How long after its end the reference would clean up a lost task; we show it and keep the task."""


def evolve_tasks(tasks: Tasks, event: e.TaskEvent) -> Tasks:
    """Return the tasks after an event, in the order in which they were linked.

    An event of an unknown task changes none: reading a history never fails.
    """
    match event:
        case e.TaskLinked():
            return (*tasks, _linked(event))
        case e.TaskDescribed():
            return _with(tasks, event.task_id, lambda task: _described(task, event))
        case e.TaskStarted():
            return _with(tasks, event.task_id, lambda task: _started(task, event))
        case e.TaskProgressed():
            return _with(tasks, event.task_id, lambda task: _reported(task, event))
        case e.TaskEnded():
            return _with(tasks, event.task_id, lambda task: _task_ended(task, event))
        case _:
            assert_never(event)


def _with(tasks: Tasks, task_id: TaskId, change: Callable[[Task], Task]) -> Tasks:
    return tuple(change(task) if task.task_id == task_id else task for task in tasks)


def _linked(event: e.TaskLinked) -> Task:
    return Task(
        task_id=event.task_id,
        runtime=event.runtime,
        task=event.task,
        status=event.status,
        agent_id=event.agent_id,
        notify_policy=event.notify_policy,
        created_at=event.created_at,
        started_at=event.started_at,
        last_event_at=event.last_event_at,
        last_heartbeat_at=event.at,
        source_id=event.source_id,
        child_session_key=event.child_session_key,
        parent_task_id=event.parent_task_id,
        run_id=event.run_id,
        label=event.label,
        progress_summary=event.progress_summary,
    )


def _described(task: Task, event: e.TaskDescribed) -> Task:
    return replace(
        task,
        source_id=patched(task.source_id, event.source_id),
        parent_task_id=patched(task.parent_task_id, event.parent_task_id),
        label=patched(task.label, event.label),
        task=patched(task.task, event.task),
        notify_policy=patched(task.notify_policy, event.notify_policy),
        agent_id=patched(task.agent_id, event.agent_id),
    )


def _started(task: Task, event: e.TaskStarted) -> Task:
    return replace(_reported(task, event), status=TaskStatus.RUNNING, started_at=event.at)


def _reported(task: Task, event: e.TaskStarted | e.TaskProgressed | e.TaskEnded) -> Task:
    return replace(
        task,
        last_heartbeat_at=event.at,
        last_event_at=event.at,
        progress_summary=patched(task.progress_summary, event.progress_summary),
    )


def _task_ended(task: Task, event: e.TaskEnded) -> Task:
    return replace(
        _reported(task, event),
        status=event.status,
        ended_at=event.at,
        cleanup_after=event.at + LOST_CLEANUP_MS if event.status is TaskStatus.LOST else None,
        terminal_summary=event.terminal_summary,
        terminal_outcome=event.terminal_outcome,
        error=event.error,
    )
