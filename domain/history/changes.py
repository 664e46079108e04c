"""What differs between two states of a flow, field by field, under the names that callers know."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias, cast

from attrs import fields, frozen

from domain.flow.ids import TaskId
from domain.flow.state import Flow
from domain.flow.task import Task, find_task
from domain.flow.values import Json
from domain.history.published import public_name

Value: TypeAlias = str | int | Json | None
"""What a field holds: a text, a number or a moment, a JSON value, or nothing."""

_SEVERAL: Final = {"tasks", "counts", "requesters", "kept_resume"}
FLOW_FIELDS: Final = tuple(field.name for field in fields(Flow) if field.name not in _SEVERAL)
TASK_FIELDS: Final = tuple(field.name for field in fields(Task) if field.name != "task_id")


@frozen(order=True)
class FieldPath:
    """A field of a flow, or of one of its tasks; `str` writes it as `tasks[<task id>].status`.

    `name` is that of the attribute, as in `state_json`; it is written as callers know it.
    """

    name: str
    task_id: TaskId | None = None

    def __str__(self) -> str:
        written = public_name(self.name)
        return written if self.task_id is None else f"tasks[{self.task_id}].{written}"


@frozen
class Change:
    """A field, and what it held before and after; None where it held nothing, or was not there."""

    field: FieldPath
    before: Value
    after: Value


def changes(before: Flow | None, after: Flow | None) -> tuple[Change, ...]:
    """Return what differs between two states of a flow, its own fields first, then its tasks'."""
    return (*_flow_changes(before, after), *_task_changes(_tasks(before), _tasks(after)))


def field_names(flow: Flow) -> tuple[FieldPath, ...]:
    """Return every field that a flow has, those of its tasks included."""
    of_tasks = (FieldPath(name, task.task_id) for task in flow.tasks for name in TASK_FIELDS)
    return (*(FieldPath(name) for name in FLOW_FIELDS), *of_tasks)


def has_field(flow: Flow | None, field: FieldPath) -> bool:
    """Say whether a flow has a field; it has not those of a task before that is linked."""
    return _holder(flow, field) is not None


def value_of(flow: Flow | None, field: FieldPath) -> Value:
    """Return what a field of a flow holds, None if the flow has no such field."""
    holder = _holder(flow, field)
    return None if holder is None else _value(holder, field.name)


def _holder(flow: Flow | None, field: FieldPath) -> Flow | Task | None:
    if flow is None or field.task_id is None:
        return flow
    return find_task(flow.tasks, field.task_id)


def _flow_changes(before: Flow | None, after: Flow | None) -> Iterator[Change]:
    if before is not after:
        yield from _differing(before, after, (FieldPath(name) for name in FLOW_FIELDS))


def _task_changes(before: dict[TaskId, Task], after: dict[TaskId, Task]) -> Iterator[Change]:
    for task_id in before | after:
        old, new = before.get(task_id), after.get(task_id)
        # PERF: a step leaves all tasks but one the same objects; a flow may have thousands.
        if old is not new:
            yield from _differing(old, new, (FieldPath(name, task_id) for name in TASK_FIELDS))


def _differing(
    old: Flow | Task | None, new: Flow | Task | None, named: Iterable[FieldPath]
) -> Iterator[Change]:
    for field in named:
        was, is_now = _value(old, field.name), _value(new, field.name)
        if was != is_now:
            yield Change(field, was, is_now)


def _value(holder: Flow | Task | None, name: str) -> Value:
    return None if holder is None else cast("Value", getattr(holder, name))


def _tasks(flow: Flow | None) -> dict[TaskId, Task]:
    # NOTE: only a forged history links a task twice; the first one counts, as for `find_task`.
    found: dict[TaskId, Task] = {}
    for task in () if flow is None else flow.tasks:
        found.setdefault(task.task_id, task)
    return found
