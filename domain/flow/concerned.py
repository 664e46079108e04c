"""Which of a flow's tasks a command concerns: it is decided, and answered, with only these."""

from __future__ import annotations

from typing import Final, TypeAlias

from attrs import evolve, frozen

from domain.flow.commands import CancelFlow, Command, LoseTask, RunTask, UpdateTask
from domain.flow.ids import TaskId
from domain.flow.state import Flow
from domain.flow.task import Task


@frozen
class AllTasks:
    """All tasks of a flow."""


@frozen
class TaskWithId:
    """The task with an id."""

    task_id: TaskId


@frozen
class TasksOfRun:
    """The tasks with a run id; none if that is None."""

    run_id: str | None


TaskSelection: TypeAlias = AllTasks | TaskWithId | TasksOfRun

ALL_TASKS: Final = AllTasks()
NO_TASKS: Final = TasksOfRun(None)


def concerned(command: Command) -> TaskSelection:
    """Return the tasks that a command concerns; a cancellation answers with all of them."""
    match command:
        case CancelFlow():
            return ALL_TASKS
        case UpdateTask() | LoseTask():
            return TaskWithId(command.task_id)
        case RunTask():
            return TasksOfRun(command.run_id)
        case _:
            return NO_TASKS


def with_only(flow: Flow, selection: TaskSelection) -> Flow:
    """Return a flow with only those of its tasks with it that are selected."""
    return evolve(flow, tasks=tuple(task for task in flow.tasks if _is_selected(task, selection)))


def _is_selected(task: Task, selection: TaskSelection) -> bool:
    match selection:
        case AllTasks():
            return True
        case TaskWithId(task_id):
            return task.task_id == task_id
        case TasksOfRun(run_id):
            return run_id is not None and task.run_id == run_id
