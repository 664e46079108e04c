"""The clock of all deadlines: a process that was stopped was not waiting for anybody."""

from __future__ import annotations

import pytest

from adapters.server.listening_clock import ListeningClock


def test_seconds_pass_while_the_loop_reads_the_clock() -> None:
    readings = iter([5.0, 5.2, 6.2, 6.2, 7.1])
    clock = ListeningClock(lambda: next(readings))
    assert [clock() for _ in range(4)] == [5.2, 6.2, 6.2, 7.1]


def test_a_stop_of_the_process_hardly_counts() -> None:
    readings = iter([5.0, 5.2, 65.2, 65.4])
    clock = ListeningClock(lambda: next(readings))
    assert [clock() for _ in range(3)] == pytest.approx([5.2, 5.4, 5.6])


def test_a_loop_that_is_always_late_comes_to_every_deadline() -> None:
    readings = iter(range(0, 1_000, 5))
    clock = ListeningClock(lambda: next(readings))
    assert [clock() for _ in range(100)][-1] > 15
