"""A head, a body and a silence each have their time."""

import socket
import time
from collections.abc import Iterator
from itertools import chain, repeat
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

from tests.server.running import (
    Clock,
    CountedTicket,
    Ledger,
    await_turn,
    echo,
    eventually,
    is_over,
    serving,
)
from tests.server.wire import Caller, request

UNFINISHED = request("Content-Length: 1000")


def drip(caller: Caller, data: Iterator[bytes]) -> float:
    """Send `data` bit by bit until the server says something; return the seconds until then."""
    begin = time.monotonic()
    caller.socket.settimeout(0.02)
    for part in data:
        caller.send(part)
        try:
            caller.socket.recv(1, socket.MSG_PEEK)
        except TimeoutError:
            continue
        break
    caller.socket.settimeout(20.0)
    return time.monotonic() - begin


def assert_timed_out(caller: Caller) -> None:
    answer = caller.answer()
    assert (answer.status, answer.code) == (408, "request_timeout")
    assert answer.headers["connection"] == "close"
    assert caller.rest() == b""


def test_a_dripping_head_is_answered_at_its_deadline() -> None:
    with serving(head_seconds=0.5) as running, running.calling() as caller:
        seconds = drip(caller, chain((b"GET / HTTP/1.1\r\nX: ",), repeat(b"x")))
        assert_timed_out(caller)
    assert 0.4 < seconds < 1.5


def test_a_dripping_body_is_answered_at_its_deadline() -> None:
    ledger = Ledger()
    with serving(body_seconds=0.5, admit=ledger.admit) as running, running.calling() as caller:
        seconds = drip(caller, chain((UNFINISHED,), repeat(b"x")))
        assert_timed_out(caller)
        assert ledger.releases == [1]
    assert 0.4 < seconds < 1.5


def test_a_dripping_chunked_body_is_answered_at_its_deadline() -> None:
    head = request("Transfer-Encoding: chunked")
    with serving(body_seconds=0.5) as running, running.calling() as caller:
        seconds = drip(caller, chain((head,), repeat(b"1;ext\r\nx\r\n")))
        assert_timed_out(caller)
    assert 0.4 < seconds < 1.5


def test_a_deadline_is_a_total_and_comes_when_it_is_due() -> None:
    clock = Clock()
    with serving(clock=clock, body_seconds=15.0) as running, running.calling() as caller:
        caller.send(UNFINISHED)
        await_turn(running)
        for _ in range(14):
            clock.advance(1.0)
            caller.send(b"x")
            await_turn(running)
        caller.socket.settimeout(0)
        with pytest.raises(BlockingIOError):
            caller.socket.recv(1)
        caller.socket.settimeout(20.0)
        clock.advance(1.0)
        assert_timed_out(caller)


def test_the_body_of_a_stranger_may_have_less_time() -> None:
    clock = Clock()
    ticket = CountedTicket(body_bounds=(100, 2.0), is_authenticated=False)
    server = serving(clock=clock, admit=lambda _: ticket, body_seconds=15.0)
    with server as running, running.calling() as caller:
        caller.send(UNFINISHED)
        await_turn(running)
        clock.advance(2.0)
        assert_timed_out(caller)


def test_a_head_has_its_time_from_its_own_first_byte() -> None:
    clock = Clock()
    options: dict[str, Any] = {"head_seconds": 10.0, "idle_seconds": 50.0}
    with serving(clock=clock, **options) as running, running.calling() as caller:
        await_turn(running)
        clock.advance(40.0)
        assert caller.ask(request()).status == 200
        await_turn(running)
        clock.advance(40.0)
        caller.send(b"GET")
        await_turn(running)
        clock.advance(9.0)
        caller.send(b" / HTTP/1.1\r\n")
        await_turn(running)
        clock.advance(2.0)
        assert_timed_out(caller)


def test_an_idle_connection_is_closed_without_a_word() -> None:
    with serving(idle_seconds=0.3) as running, running.calling() as caller:
        assert caller.ask(request()).keeps_alive
        assert is_over(caller)


def test_a_connection_on_which_nothing_ever_comes_is_closed_without_a_word() -> None:
    with serving(idle_seconds=0.3) as running, running.calling() as caller:
        assert is_over(caller)


def test_empty_lines_do_not_keep_a_connection_open() -> None:
    with serving(idle_seconds=0.3, head_seconds=60.0) as running, running.calling() as caller:
        drip(caller, chain((b"\r",), repeat(b"\n\r")))
        assert is_over(caller)


def test_an_application_may_take_longer_than_any_deadline_of_the_caller() -> None:
    clock = Clock()

    def slow(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        clock.advance(1_000.0)
        await_looks(clock)
        return echo(environ, start_response)

    with serving(slow, clock=clock) as running, running.calling() as caller:
        assert caller.ask(request()).status == 200


def large(_: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    start_response("200 OK", [])
    return [b"x" * 32_000_000]


def await_looks(clock: Clock) -> None:
    """Wait until the server has looked at its deadlines, at the time that the clock shows."""
    seen = clock.reads
    eventually(lambda: clock.reads > seen + 5)


def test_a_caller_that_does_not_take_its_answer_is_closed() -> None:
    clock, ledger = Clock(), Ledger()
    server = serving(large, clock=clock, write_seconds=30.0, admit=ledger.admit)
    with server as running, running.calling() as caller:
        caller.send(request())
        caller.socket.recv(1, socket.MSG_PEEK)
        for _ in range(3):  # by then the system's own buffers are full
            clock.advance(31.0)
            await_looks(clock)
        assert ledger.releases == [1]
        with pytest.raises((ConnectionResetError, AssertionError)):
            caller.answer()


def test_a_slow_reader_gets_its_whole_answer_and_then_its_time_to_ask_again() -> None:
    clock = Clock()
    options: dict[str, Any] = {"write_seconds": 30.0, "idle_seconds": 5.0}
    with serving(large, clock=clock, **options) as running, running.calling() as caller:
        caller.send(request())
        for _ in range(3):
            caller.take(4_000_000)
            clock.advance(12.0)
            await_looks(clock)
        assert len(caller.answer().body) == 32_000_000
        clock.advance(1.0)
        await_looks(clock)
        assert caller.ask(request()).status == 200
