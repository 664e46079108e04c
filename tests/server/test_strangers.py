"""Strangers take places only for as long as nobody else wants them."""

import select
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from adapters.server import Head, RawResponse
from tests.server.running import (
    Clock,
    CountedTicket,
    Gate,
    Running,
    await_turn,
    echo,
    eventually,
    reset,
    serving,
)
from tests.server.wire import PATIENCE, Caller, calling, request

UNAUTHORIZED = (401, (), b"Who are you?")


def admit(head: Head) -> CountedTicket | RawResponse | None:
    """Know who asks for `/known`, turn away who asks for `/refused`, and find out later else."""
    if head.path == "/refused":
        return UNAUTHORIZED
    return CountedTicket() if head.path == "/known" else None


KNOWN, REFUSED = request(target="/known"), request(target="/refused")
PHASES = {
    "silent": b"",
    "a blank line": b"\r\n",
    "half a head": b"POST /known HTTP/1.1\r\nHost: ex",
    "a hello of TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64),
    "refused": REFUSED,
    "refused, with half a body": request("Content-Length: 9", target="/refused") + b"x",
    "refused, with half a head": REFUSED + b"POST /known",
    "half a body": request("Content-Length: 9") + b"x",
    "half a chunk": request("Transfer-Encoding: chunked") + b"9\r\nx",
    "an expectation": request("Content-Length: 9", "Expect: 100-continue"),
    "an expectation that is refused": request(
        "Content-Length: 9", "Expect: 100-continue", target="/refused"
    ),
    "nonsense": b"nonsense\r\n",
    "answered": request(),
}
"""What strangers send, and then nothing more."""


class Loop:
    """An admission that can hold up the server's loop, so that what is sent then comes at once."""

    def __init__(self) -> None:
        self.stands, self.goes = threading.Event(), threading.Event()

    def admit(self, head: Head) -> CountedTicket | RawResponse | None:
        """Admit as `admit` does, but hold up the loop for `/stop`."""
        if head.path == "/stop":
            self.stands.set()
            assert self.goes.wait(PATIENCE)
            return CountedTicket()
        return admit(head)

    def stop(self, known: Caller) -> None:
        """Hold up the loop."""
        known.send(request(target="/stop"))
        assert self.stands.wait(PATIENCE)

    def go_on(self, known: Caller) -> None:
        """Let the loop go on."""
        self.goes.set()
        assert known.answer().status == 200


@contextmanager
def crowd(running: Running, count: int, data: bytes = b"") -> Iterator[list[Caller]]:
    """Open connections, one after the other, that send something and no more."""
    with ExitStack() as stack:
        callers = []
        for _ in range(count):
            callers.append(stack.enter_context(running.calling()))
            callers[-1].send(data)
            if data == request():
                select.select([callers[-1].socket], [], [], PATIENCE)
        yield callers


def are_open(callers: list[Caller]) -> list[bool]:
    """Say of each connection whether the server has left it open."""
    closed, _, _ = select.select([caller.socket for caller in callers], [], [], 0)
    return [caller.socket not in closed for caller in callers]


def is_gone(caller: Caller) -> bool:
    """Wait until the server has closed a connection, read or unread."""
    try:
        return caller.rest() == b""
    except ConnectionResetError:
        return True


@pytest.mark.usefixtures("expected_logs")
@pytest.mark.parametrize("data", PHASES.values(), ids=PHASES)
@pytest.mark.parametrize("limits", [(8, 100), (100, 8)], ids=["all", "of one address"])
def test_in_no_phase_can_strangers_keep_a_newcomer_out(
    data: bytes, limits: tuple[int, int]
) -> None:
    connections, per_address = limits
    options = {"connections": connections, "connections_per_address": per_address}
    with serving(admit=admit, **_options(options)) as running, crowd(running, 30, data):
        for _ in range(3):
            with running.calling() as caller:
                assert caller.ask(KNOWN).status == 200


def _options(options: dict[str, int]) -> dict[str, Any]:
    return {**options, "head_seconds": 60.0, "body_seconds": 60.0, "linger_seconds": 60.0}


@pytest.mark.usefixtures("expected_logs")
def test_the_first_of_those_without_a_whole_head_gives_way_first() -> None:
    with (
        serving(admit=admit, connections=6) as running,
        crowd(running, 2, request()) as answered,
        crowd(running, 4, b"POST") as halves,
    ):
        assert [caller.answer().status for caller in answered] == [200, 200]
        with crowd(running, 2) as newcomers:
            assert [is_gone(half) for half in halves[:2]] == [True, True]
            assert all(are_open([*answered, *halves[2:], *newcomers]))


@pytest.mark.usefixtures("expected_logs")
def test_those_who_were_answered_give_way_where_the_newcomer_is_alone_without_a_head() -> None:
    with serving(admit=admit, connections=4) as running, ExitStack() as stack:
        refused = [stack.enter_context(running.calling()) for _ in range(4)]
        assert [caller.ask(REFUSED).status for caller in refused] == [401] * 4
        with running.calling() as newcomer:
            assert is_gone(refused[0])
            assert newcomer.ask(request()).status == 200
            assert all(are_open(refused[1:]))


@pytest.mark.usefixtures("expected_logs")
@pytest.mark.parametrize("data", [b"POST", REFUSED, request()], ids=["half", "refused", "answered"])
def test_a_connection_that_was_authenticated_gives_way_to_no_stranger(data: bytes) -> None:
    with serving(admit=admit, connections=4) as running, running.calling() as known:
        assert known.ask(KNOWN).keeps_alive
        with crowd(running, 50, data):
            assert known.ask(KNOWN).keeps_alive
            known.send(request("Content-Length: 1", target="/known"))
            await_turn(running)
            with crowd(running, 50, data):
                assert known.ask(b"x").json["body"] == "x"


@pytest.mark.usefixtures("expected_logs")
def test_the_application_may_find_out_who_asks() -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:  # noqa: ANN401 - as WSGI has it
        if environ["PATH_INFO"] == "/known":
            environ["taskflow.authenticated"]()
        return echo(environ, start_response)

    with serving(app, connections=4) as running, running.calling() as known:
        assert known.ask(KNOWN).status == 200
        with crowd(running, 50, request()):
            assert known.ask(KNOWN).status == 200


@pytest.mark.usefixtures("expected_logs")
def test_a_stranger_whose_request_is_being_answered_gets_the_answer() -> None:
    gate = Gate()
    with (
        serving(gate, admit=admit, connections=3, threads=1) as running,
        running.calling() as working,
    ):
        working.send(request(body=b"slow"))
        gate.await_entries(1)
        with crowd(running, 20, PHASES["half a body"]) as others:
            eventually(lambda: sum(are_open(others)) == 2)
            gate.opened.set()
            assert working.answer().json["body"] == "slow"


@pytest.mark.usefixtures("expected_logs")
def test_one_address_does_not_push_out_another() -> None:
    if not socket.has_dualstack_ipv6():
        pytest.skip("this system has no IPv6 that serves IPv4, too")
    with serving(host="::", connections_per_address=3) as running:
        port = running.server.port
        with calling(("127.0.0.1", port)) as other, crowd(running, 20) as here:
            other.send(b"POST")
            eventually(lambda: sum(are_open(here)) == 3)
            assert are_open([other, *here[-3:]]) == [True] * 4


@pytest.mark.usefixtures("expected_logs")
def test_where_half_heads_come_too_fast_the_last_ones_go_until_a_second_has_passed() -> None:
    clock, loop = Clock(), Loop()
    with (
        serving(clock=clock, connections=5, admit=loop.admit) as running,
        running.calling() as known,
    ):
        assert known.ask(KNOWN).status == 200
        with crowd(running, 4, b"POST") as first:
            loop.stop(known)
            with crowd(running, 20, b"POST") as later:
                loop.go_on(known)
                eventually(lambda: not any(are_open(later)))
                assert all(are_open(first))
            clock.advance(1.0)
            with running.calling() as newcomer:
                newcomer.send(b"POST")
                assert is_gone(first[0])
                assert newcomer.ask(b" / HTTP/1.1\r\nHost: x\r\n\r\n").status == 200


@pytest.mark.usefixtures("expected_logs")
def test_a_newcomer_with_a_whole_head_does_not_give_way_to_one_without() -> None:
    loop = Loop()
    with serving(admit=loop.admit, connections=2) as running, running.calling() as known:
        assert known.ask(KNOWN).status == 200
        with crowd(running, 1, b"POST") as (half,):
            loop.stop(known)
            with running.calling() as newcomer:
                newcomer.send(request())
                loop.go_on(known)
                assert newcomer.answer().status == 200
                assert is_gone(half)


@pytest.mark.usefixtures("expected_logs")
def test_what_the_system_says_of_a_connection_that_gave_way_is_not_taken_for_a_newcomers() -> None:
    """The next connection has the descriptor of one that was closed."""
    loop = Loop()
    with serving(admit=loop.admit, connections=4) as running, running.calling() as known:
        assert known.ask(KNOWN).status == 200
        with crowd(running, 2, b"POST") as (gone, _):
            loop.stop(known)
            reset(gone.socket)
            with crowd(running, 3, KNOWN) as newcomers:
                loop.go_on(known)
                assert newcomers[-1].answer().status == 200


def test_a_proxy_has_as_many_as_it_likes() -> None:
    with (
        serving(connections_per_address=2, neighbourhood=lambda _: None) as running,
        crowd(running, 50, b"POST") as behind,
    ):
        await_turn(running)
        assert all(are_open(behind))


@pytest.mark.usefixtures("expected_logs")
def test_some_places_are_kept_for_newcomers() -> None:
    """Where more callers than that want to keep their connections, the last ones may not."""
    options = {"connections": 64, "connections_per_address": 64}
    with serving(admit=admit, **_options(options)) as running, ExitStack() as stack:
        known = [stack.enter_context(running.calling()) for _ in range(64)]
        assert [caller.ask(KNOWN).keeps_alive for caller in known] == [True] * 63 + [False]
        with running.calling() as probe:
            assert probe.ask(request()).status == 200


def test_however_many_give_way_the_log_says_it_once_a_minute(
    expected_logs: pytest.LogCaptureFixture,
) -> None:
    clock = Clock()
    with serving(clock=clock, connections=2, admit=admit, idle_seconds=600.0) as running:
        for seconds, lines in ((1.0, 1), (1.0, 1), (60.0, 2)):
            with crowd(running, 20, b"POST"):
                await_turn(running)
            clock.advance(seconds)
            await_turn(running)
            await_turn(running)
            said = [record for record in expected_logs.records if "gave way" in record.msg]
            assert [record.levelname for record in said] == ["WARNING"] * lines
