"""Which of a flow's tasks commands concern: they are decided, and answered, with only these."""

from __future__ import annotations

from typing import Final, TypeAlias, assert_never

from attrs import frozen

from domain.flow.commands import CancelFlow, Command, LoseTask, RunTask, UpdateTask
from domain.flow.ids import TaskId
from domain.flow.replace import replace
from domain.flow.state import Flow
from domain.flow.task import Task, is_active, stale_since
from domain.flow.values import Timestamp


@frozen
class AllTasks:
    """All tasks of a flow."""


@frozen
class SomeTasks:
    """The tasks with some ids, and those with some run ids."""

    ids: frozenset[TaskId] = frozenset()
    runs: frozenset[str] = frozenset()


@frozen
class ActiveTasks:
    """The tasks that have not ended; if a moment is given, those without news since then."""

    stale_before: Timestamp | None = None


TaskSelection: TypeAlias = AllTasks | SomeTasks | ActiveTasks

ALL_TASKS: Final = AllTasks()


def concerned(*commands: Command) -> TaskSelection:
    """Return the tasks that commands concern; a cancellation answers with all of them."""
    ids: set[TaskId] = set()
    runs: set[str] = set()
    for command in commands:
        match command:
            case CancelFlow():
                return ALL_TASKS
            case UpdateTask() | LoseTask():
                ids.add(command.task_id)
            case RunTask(run_id=str(run_id)):
                runs.add(run_id)
            case _:
                pass
    return SomeTasks(frozenset(ids), frozenset(runs))


def with_only(flow: Flow, selection: TaskSelection) -> Flow:
    """Return a flow with only those of its tasks with it that are selected."""
    return replace(flow, tasks=tuple(task for task in flow.tasks if _is_selected(task, selection)))


def _is_selected(task: Task, selection: TaskSelection) -> bool:
    match selection:
        case AllTasks():
            return True
        case SomeTasks(ids, runs):
            return task.task_id in ids or task.run_id in runs
        case ActiveTasks(moment):
            return is_active(task) and (moment is None or stale_since(task) <= moment)
        case _:
            assert_never(selection)
