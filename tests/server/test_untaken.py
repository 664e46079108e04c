"""An answer counts until its caller has taken it, and has its time for that."""

import socket
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

from tests.server.running import Clock, Ledger, eventually, serving
from tests.server.test_deadlines import await_looks
from tests.server.wire import Caller, calling, request

LARGE = 32_000_000


def large(_: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    start_response("200 OK", [("Content-Length", str(LARGE))])
    return [b"x" * LARGE]


def begun(caller: Caller) -> None:
    """Ask for an answer and see it begin."""
    caller.send(request())
    caller.socket.recv(1, socket.MSG_PEEK)


def test_a_place_is_held_until_the_answer_is_taken() -> None:
    clock, ledger = Clock(), Ledger()
    with serving(large, clock=clock, admit=ledger.admit) as running, running.calling() as caller:
        begun(caller)
        await_looks(clock)
        assert ledger.releases == [0]
        assert len(caller.answer().body) == LARGE
        assert ledger.releases == [1], "a caller that has its answer finds its place free"


def test_a_place_is_free_when_a_caller_leaves_its_answer() -> None:
    ledger = Ledger()
    with serving(large, admit=ledger.admit) as running:
        with running.calling() as caller:
            begun(caller)
        eventually(lambda: ledger.releases == [1])


def test_an_answer_that_is_taken_bit_by_bit_has_an_end() -> None:
    clock, ledger = Clock(), Ledger()
    server = serving(
        large, clock=clock, admit=ledger.admit, write_seconds=30.0, answer_seconds=60.0
    )
    with server as running, running.calling() as caller:
        begun(caller)
        for _ in range(5):
            caller.take(4_000_000)
            clock.advance(12.5)
            await_looks(clock)
        eventually(lambda: ledger.releases == [1])
        with pytest.raises((ConnectionResetError, AssertionError)):
            caller.answer()


def test_each_answer_of_a_connection_has_its_own_time() -> None:
    clock = Clock()
    with (
        serving(large, clock=clock, answer_seconds=60.0) as running,
        running.calling() as caller,
    ):
        for _ in range(3):
            begun(caller)
            clock.advance(25.0)
            await_looks(clock)
            assert len(caller.answer().body) == LARGE


def test_where_too_much_waits_who_has_most_to_take_gives_way() -> None:
    clock, ledger = Clock(), Ledger()
    options: dict[str, Any] = {"waiting_bytes": 2 * LARGE + 10_000, "idle_seconds": 1_000.0}
    server = serving(large, clock=clock, admit=ledger.admit, **options)
    with server as running, calling(running.address) as slow, calling(running.address) as one:
        begun(slow)
        slow.take(8_000_000)
        begun(one)
        await_looks(clock)
        assert ledger.releases == [0, 0]
        with running.calling() as other:
            begun(other)
            eventually(lambda: sum(ledger.releases) == 1)
            assert ledger.releases[0] == 0
            assert len(slow.answer().body) == LARGE


def test_one_answer_may_wait_however_large_it_is() -> None:
    with serving(large, waiting_bytes=1_000) as running, running.calling() as caller:
        begun(caller)
        assert len(caller.answer().body) == LARGE
