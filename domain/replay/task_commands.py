"""The commands that may stand behind what happened to a child task."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from domain.flow import events as e
from domain.flow.commands import RunTask, UpdateTask
from domain.flow.state import Flow
from domain.flow.status import TaskStatus
from domain.flow.task import Task, find_task
from domain.flow.values import Keep, Patch, T


def commands_behind(flow: Flow, event: e.TaskEvent) -> Iterator[RunTask | UpdateTask]:
    """Return what may have been asked for, where this event came of it first.

    A task that was given up is taken for one that was reported as lost: `decide` brings about the
    same, and the silence that led to it is not recorded.
    """
    match event:
        case e.TaskLinked():
            yield from _links(flow, event)
        case e.TaskDescribed():
            yield from _descriptions(flow, event)
        case e.TaskStarted() | e.TaskProgressed():
            yield UpdateTask(
                flow_id=flow.flow_id,
                task_id=event.task_id,
                status=TaskStatus.RUNNING,
                progress_summary=event.progress_summary,
            )
        case e.TaskEnded():
            yield UpdateTask(
                flow_id=flow.flow_id,
                task_id=event.task_id,
                status=event.status,
                progress_summary=event.progress_summary,
                terminal_summary=event.terminal_summary,
                terminal_outcome=event.terminal_outcome,
                error=event.error,
            )
        case _:
            assert_never(event)


def _links(flow: Flow, event: e.TaskLinked) -> Iterator[RunTask]:
    """Return the ways to link a task: when its news was, its caller said or left to be derived."""
    if find_task(flow.tasks, event.task_id) is not None:
        return  # ids are new, so nothing links a task again under one that is known
    for reported in (None, event.last_event_at, event.created_at):
        yield RunTask(
            flow_id=flow.flow_id,
            runtime=event.runtime,
            task=event.task,
            source_id=event.source_id,
            child_session_key=event.child_session_key,
            parent_task_id=event.parent_task_id,
            agent_id=event.agent_id,
            run_id=event.run_id,
            label=event.label,
            notify_policy=event.notify_policy,
            status=event.status,
            started_at=event.started_at,
            last_event_at=reported,
            progress_summary=event.progress_summary,
        )


def _descriptions(flow: Flow, event: e.TaskDescribed) -> Iterator[RunTask]:
    known = find_task(flow.tasks, event.task_id)
    if known is None:
        return
    for preferred in (False, True):
        yield _description(flow, known, event, preferred=preferred)


def _description(flow: Flow, known: Task, event: e.TaskDescribed, *, preferred: bool) -> RunTask:
    return RunTask(
        flow_id=flow.flow_id,
        runtime=known.runtime,
        task=_told(event.task, known.task),
        source_id=_told(event.source_id, known.source_id),
        child_session_key=known.child_session_key,
        parent_task_id=_told(event.parent_task_id, known.parent_task_id),
        run_id=known.run_id,
        label=_told(event.label, known.label),
        prefer_metadata=preferred,
        notify_policy=_told(event.notify_policy, known.notify_policy),
        agent_id=_told(event.agent_id, known.agent_id),
    )


def _told(patch: Patch[T], known: T) -> T:
    """Return what was told of a field: what became of it, or what was known and so changed not."""
    return known if patch is Keep.KEEP else patch
