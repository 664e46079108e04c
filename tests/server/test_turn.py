"""Workers compute one after the other, and nobody waits for long."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any, Final

import pytest

from adapters.server.turn import Turn

LONG: Final = 30.0
"""Seconds that nothing here takes, unless it is broken."""


def asked(turn: Turn, answer: Callable[[], None]) -> None:
    """Let an application answer within its turn."""

    def app(_environ: dict[str, Any], _start: object) -> Iterable[bytes]:
        answer()
        return []

    turn.over(app)({}, lambda *_: lambda _data: None)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as made:
        yield made


def test_a_worker_waits_for_the_one_that_computes(pool: ThreadPoolExecutor) -> None:
    turn, begun, other = Turn(LONG), Event(), Event()

    def first() -> bool:
        begun.set()
        return other.wait(0.1)

    seen: list[bool] = []
    one = pool.submit(asked, turn, lambda: seen.append(first()))
    begun.wait(LONG)
    two = pool.submit(asked, turn, other.set)
    one.result(LONG)
    two.result(LONG)
    assert (seen, other.is_set()) == ([False], True)


def test_nobody_waits_longer_than_the_patience(pool: ThreadPoolExecutor) -> None:
    turn, begun, other = Turn(0.001), Event(), Event()

    def first() -> None:
        begun.set()
        assert other.wait(LONG)

    one = pool.submit(asked, turn, first)
    begun.wait(LONG)
    pool.submit(asked, turn, other.set).result(LONG)
    one.result(LONG)


def test_whoever_waits_lets_another_compute_and_goes_on_in_turn(pool: ThreadPoolExecutor) -> None:
    turn, waiting, other, order = Turn(LONG), Event(), Event(), list[str]()

    def first() -> None:
        with turn.given_up():
            waiting.set()
            assert other.wait(LONG)
        order.append("first")

    def second() -> None:
        other.set()
        order.append("second")

    one = pool.submit(asked, turn, first)
    waiting.wait(LONG)
    pool.submit(asked, turn, second).result(LONG)
    one.result(LONG)
    assert order == ["second", "first"]


def test_a_thread_without_the_turn_takes_none_by_waiting(pool: ThreadPoolExecutor) -> None:
    turn, done = Turn(LONG), Event()
    with turn.given_up():
        pass
    pool.submit(asked, turn, done.set).result(LONG)
    assert done.is_set()


def test_an_application_that_fails_gives_up_its_turn(pool: ThreadPoolExecutor) -> None:
    turn, done = Turn(LONG), Event()

    def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        pool.submit(asked, turn, fail).result(LONG)
    pool.submit(asked, turn, done.set).result(LONG)
    assert done.is_set()
