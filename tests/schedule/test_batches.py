"""One thread does all work of a kind: in order, as much at once as waits, and all that it took."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from time import monotonic

import pytest

from adapters.schedule.batches import BatchThread
from domain.application.ports import StoreUnavailable

PATIENCE = 10


class Doubling:
    """Work that waits before its first batch until it may go on, and notes its batches."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.has_begun = Event()
        self.may_go_on = Event()

    def __call__(self, items: Sequence[int]) -> Sequence[int]:
        """Double some numbers; none is a fault."""
        self.batches.append(list(items))
        self.has_begun.set()
        assert self.may_go_on.wait(PATIENCE)
        if 0 in items:
            raise ZeroDivisionError
        return [2 * item for item in items]


def test_what_waits_is_done_as_one_batch_and_each_gets_its_own_result_in_order() -> None:
    work, results = Doubling(), list[object]()
    batches = BatchThread(work, most=4)
    batches.submit(1, results.append)
    assert work.has_begun.wait(PATIENCE)
    for number in range(2, 9):
        batches.submit(number, results.append)
    work.may_go_on.set()
    batches.stop()
    assert work.batches == [[1], [2, 3, 4, 5], [6, 7, 8]]
    assert results == [2, 4, 6, 8, 10, 12, 14, 16]


def test_what_is_submitted_together_is_done_together_however_much_it_is() -> None:
    work = Doubling()
    work.may_go_on.set()
    batches = BatchThread(work, most=2)
    assert batches.do_all([1, 2, 3]) == [2, 4, 6]
    batches.stop()
    assert work.batches == [[1, 2, 3]]


def test_a_batch_is_bounded_by_what_is_in_it_not_by_how_often_it_was_submitted() -> None:
    work = Doubling()
    batches = BatchThread(work, most=3)
    batches.submit(1, print)
    assert work.has_begun.wait(PATIENCE)
    with ThreadPoolExecutor(1) as pool:
        together = pool.submit(batches.do_all, [2, 3, 4])
        _wait_for_one(batches)
        batches.submit(5, print)
        work.may_go_on.set()
        assert together.result(PATIENCE) == [4, 6, 8]
    batches.stop()
    assert work.batches == [[1], [2, 3, 4], [5]]


def test_what_weighs_much_fills_a_batch_by_itself() -> None:
    work = Doubling()
    batches = BatchThread(work, most=3, weigh=lambda item: item)
    batches.submit(1, print)
    assert work.has_begun.wait(PATIENCE)
    for item in (1, 3, 1, 1, 1):
        batches.submit(item, print)
    work.may_go_on.set()
    batches.stop()
    assert work.batches == [[1], [1, 3], [1, 1, 1]]


def test_a_fault_is_the_result_of_its_batch_and_the_thread_goes_on() -> None:
    work = Doubling()
    work.may_go_on.set()
    batches = BatchThread(work)
    assert [type(each) for each in batches.do_all([0, 1])] == [ZeroDivisionError] * 2
    assert batches.do_all([1]) == [2]
    batches.stop()


def test_a_result_that_is_not_taken_keeps_nobody_from_theirs() -> None:
    work, results = Doubling(), list[object]()
    batches = BatchThread(work)

    def gone(_result: object) -> None:
        raise BrokenPipeError

    batches.submit(1, gone)
    batches.submit(2, results.append)
    work.may_go_on.set()
    batches.stop()
    assert results == [4]


def test_after_its_end_nothing_is_taken_that_nobody_would_do() -> None:
    work = Doubling()
    work.may_go_on.set()
    batches = BatchThread(work)
    batches.stop()
    batches.stop()
    with pytest.raises(StoreUnavailable, match="has stopped"):
        batches.submit(1, print)
    assert work.batches == []


def test_many_threads_submit_at_once_and_nothing_is_lost() -> None:
    work = Doubling()
    work.may_go_on.set()
    batches = BatchThread(work)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda number: batches.do_all([number])[0], range(1, 801)))
    batches.stop()
    assert found == [2 * number for number in range(1, 801)]
    assert sum(map(len, work.batches)) == 800


def test_a_batch_waits_for_those_that_were_there_a_moment_ago() -> None:
    work = Doubling()
    batches = BatchThread(work, gather_seconds=PATIENCE)

    def ask_again_and_again(times: int) -> None:
        for _ in range(times):
            assert batches.do_all([1]) == [2]

    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(ask_again_and_again, 51)]
        assert work.has_begun.wait(PATIENCE)
        asked.append(pool.submit(ask_again_and_again, 50))
        _wait_for_one(batches)
        work.may_go_on.set()
        for each in asked:
            each.result()
    batches.stop()
    assert [len(batch) for batch in work.batches] == [1] + [2] * 50


def test_who_asks_alone_waits_for_nobody() -> None:
    work = Doubling()
    work.may_go_on.set()
    batches = BatchThread(work, gather_seconds=PATIENCE)
    began = monotonic()
    for _ in range(3):
        batches.do_all([1])
    assert monotonic() - began < PATIENCE
    batches.stop()


@pytest.mark.parametrize("item", [3, 1])
def test_a_batch_that_is_full_waits_for_nobody(item: int) -> None:
    work, results = Doubling(), list[object]()
    batches = BatchThread(work, most=3, weigh=lambda item: item, gather_seconds=6 * PATIENCE)
    batches.submit(1, results.append)
    assert work.has_begun.wait(PATIENCE)
    for _ in range(6 // item):
        batches.submit(item, results.append)
    work.may_go_on.set()
    eventually = monotonic() + PATIENCE
    while len(results) < 1 + 6 // item:
        assert monotonic() < eventually
    batches.stop()
    assert work.batches == [[1], *[[item] * (3 // item)] * 2]


@pytest.mark.parametrize("ends", [True, False])
def test_those_that_do_not_come_again_are_waited_for_in_vain(*, ends: bool) -> None:
    work, results = Doubling(), list[object]()
    batches = BatchThread(work, gather_seconds=6 * PATIENCE if ends else 0.01)
    for number in (1, 2):
        batches.submit(number, results.append)
        assert work.has_begun.wait(PATIENCE)
    work.may_go_on.set()
    if not ends:
        assert batches.do_all([3]) == [6]
    batches.stop()
    assert results[:2] == [2, 4]


def _wait_for_one(batches: BatchThread[int, int]) -> None:
    deadline = monotonic() + PATIENCE
    while not batches.waiting:
        assert monotonic() < deadline
