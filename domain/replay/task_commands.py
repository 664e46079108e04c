"""The commands that may have led to an event of a child task."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, assert_never

from attrs import asdict

from domain.flow import events as e
from domain.flow.commands import RunTask, UpdateTask
from domain.flow.evolve_task import evolve_tasks
from domain.flow.state import Flow
from domain.flow.status import TaskStatus
from domain.flow.task import find_task

_DESCRIPTION: Final = (
    *("runtime", "task", "source_id", "child_session_key", "parent_task_id"),
    *("agent_id", "run_id", "label", "notify_policy"),
)


def held(event: e.Event, *but: str) -> dict[str, Any]:
    """Return the fields of an event but for its moment and those that are named."""
    fields = asdict(event, recurse=False)
    return {name: value for name, value in fields.items() if name not in {"at", *but}}


def commands_behind(flow: Flow, event: e.TaskEvent) -> Iterator[RunTask | UpdateTask]:
    """Return the commands whose first event may be this one.

    A task that was given up is taken for one that was reported as lost: `decide` returns the same
    events, and how long it was stale is not recorded.
    """
    match event:
        case e.TaskLinked():
            yield from _links(flow, event)
        case e.TaskDescribed():
            yield from _descriptions(flow, event)
        case e.TaskStarted() | e.TaskProgressed():
            yield UpdateTask(flow_id=flow.flow_id, status=TaskStatus.RUNNING, **held(event))
        case e.TaskEnded():
            yield UpdateTask(flow_id=flow.flow_id, **held(event))
        case _:
            assert_never(event)


def _links(flow: Flow, event: e.TaskLinked) -> Iterator[RunTask]:
    """Return the ways to link a task: its caller reported a moment, or left it to be derived."""
    if find_task(flow.tasks, event.task_id) is not None:
        return  # ids are new, so nothing links a task again under one that is known
    fields = held(event, "task_id", "created_at", "last_event_at")
    for reported in (None, event.last_event_at, event.created_at):
        yield RunTask(flow_id=flow.flow_id, last_event_at=reported, **fields)


def _descriptions(flow: Flow, event: e.TaskDescribed) -> Iterator[RunTask]:
    known = find_task(flow.tasks, event.task_id)
    if known is None:
        return
    (described,) = evolve_tasks((known,), event)
    fields: dict[str, Any] = {name: getattr(described, name) for name in _DESCRIPTION}
    for preferred in (False, True):
        yield RunTask(flow_id=flow.flow_id, prefer_metadata=preferred, **fields)
