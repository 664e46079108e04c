"""How many tasks a flow has, by what they are; kept, so that nobody has to look at all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from attrs import frozen

from domain.flow.status import ACTIVE, Runtime, TaskStatus
from domain.flow.task import Task

_STATUSES: Final = tuple(TaskStatus)
_RUNTIMES: Final = tuple(Runtime)
_ACTIVE: Final = tuple(map(_STATUSES.index, ACTIVE))


@frozen(kw_only=True)
class TaskCounts:
    """The counts of tasks by status and by runtime, each in the order of its enumeration."""

    statuses: tuple[int, ...] = (0,) * len(_STATUSES)
    runtimes: tuple[int, ...] = (0,) * len(_RUNTIMES)

    @property
    def total(self) -> int:
        """How many there are."""
        return sum(self.statuses)

    @property
    def active(self) -> int:
        """How many have not ended."""
        return sum(self.statuses[number] for number in _ACTIVE)

    @property
    def by_status(self) -> Mapping[TaskStatus, int]:
        """How many there are of each status."""
        return dict(zip(_STATUSES, self.statuses, strict=True))

    @property
    def by_runtime(self) -> Mapping[Runtime, int]:
        """How many there are of each runtime."""
        return dict(zip(_RUNTIMES, self.runtimes, strict=True))

    def changed(self, before: Iterable[Task], after: Iterable[Task]) -> TaskCounts:
        """Return the counts after some of the tasks have become others."""
        statuses, runtimes = list(self.statuses), list(self.runtimes)
        for tasks, step in ((before, -1), (after, 1)):
            for task in tasks:
                statuses[_STATUSES.index(task.status)] += step
                runtimes[_RUNTIMES.index(task.runtime)] += step
        return TaskCounts(statuses=tuple(statuses), runtimes=tuple(runtimes))


NO_TASKS: Final = TaskCounts()
