"""A clock that is set by hand, and ids that are counted."""

from __future__ import annotations

from adapters.testing.clock import ControlledClock
from adapters.testing.ids import CountedIds


def test_a_clock_stands_still_until_it_is_moved() -> None:
    clock = ControlledClock(1_000)
    assert (clock(), clock()) == (1_000, 1_000)
    clock.advance(5)
    assert clock() == 1_005
    clock.step_back(10)
    assert clock() == 995


def test_ids_are_counted_each_kind_by_itself() -> None:
    flows, tasks = CountedIds("flow"), CountedIds("task")
    assert [flows(), tasks(), flows(), tasks()] == ["flow-1", "task-1", "flow-2", "task-2"]
