"""What happens when the application, a caller or the machine fails."""

import resource
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import pytest

from adapters.server import RawResponse, Rejection, ServerOptions
from adapters.server.listener import Listener
from adapters.server.ports import Terms
from domain.flow.ids import RequestId
from tests.server.running import (
    Gate,
    Ledger,
    admit_all,
    echo,
    envelope,
    eventually,
    is_over,
    reset,
    serving,
)
from tests.server.wire import PATIENCE, calling, request


def raising(error: BaseException) -> WSGIApplication:
    def app(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        if environ["PATH_INFO"] == "/fail":
            raise error
        return echo(environ, start_response)

    return app


def silent(_environ: WSGIEnvironment, _start_response: StartResponse) -> list[bytes]:
    return [b"nothing was started"]


def splitting(_: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    start_response("200 OK", [("X-A", "b\r\nX-B: c")])
    return []


def beyond_latin_1(_: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    start_response("200 OK", [("X-A", "\u20ac")])
    return [b"x"]


@pytest.mark.parametrize(
    "app",
    [
        raising(ZeroDivisionError()),
        raising(OSError(28, "No space left on device")),
        raising(RecursionError()),
        silent,
        splitting,
        beyond_latin_1,
    ],
)
def test_a_fault_of_the_application_is_logged_once_and_answered(
    app: WSGIApplication, expected_logs: pytest.LogCaptureFixture
) -> None:
    ledger = Ledger()
    with serving(app, admit=ledger.admit) as running, running.calling() as caller:
        answer = caller.ask(request(target="/fail"))
        assert (answer.status, answer.code) == (500, "internal_error")
        assert answer.headers["x-request-id"] == "r1"
        assert is_over(caller)
    (record,) = expected_logs.records
    assert (record.name, record.getMessage()) == ("taskflow.server", "request r1 failed")
    assert record.__dict__["request_id"] == "r1"
    assert record.exc_info
    assert ledger.releases == [1]


def test_a_fault_after_the_answer_began_ends_the_connection(
    expected_logs: pytest.LogCaptureFixture,
) -> None:
    def app(_: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", [])
        yield b"begun"
        raise ZeroDivisionError

    with serving(app) as running, running.calling() as caller:
        caller.send(request())
        assert caller.rest().endswith(b"\r\n\r\n5\r\nbegun\r\n")
    assert [record.getMessage() for record in expected_logs.records] == ["request r1 failed"]


def test_a_worker_outlives_an_application_that_wants_to_exit(
    expected_logs: pytest.LogCaptureFixture,
) -> None:
    ledger = Ledger()
    with serving(
        raising(SystemExit()), threads=1, idle_seconds=600.0, admit=ledger.admit
    ) as running:
        with running.calling() as caller:
            caller.send(request(target="/fail"))
            assert is_over(caller)
        with running.calling() as caller:
            assert caller.ask(request()).status == 200
    assert [record.levelname for record in expected_logs.records] == ["ERROR"]
    assert ledger.releases == [1, 1]


def test_the_iterable_of_the_application_is_closed() -> None:
    closed = []

    class Parts(list[bytes]):
        def close(self) -> None:
            closed.append(True)

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        return Parts(echo(environ, start_response))

    with serving(app) as running, running.calling() as caller:
        assert caller.ask(request()).status == 200
    assert closed == [True]


def test_whoever_words_a_refusal_is_told_all_of_it() -> None:
    told: list[Rejection] = []

    def render(rejection: Rejection) -> RawResponse:
        told.append(rejection)
        return envelope(rejection)

    with serving(render_error=render) as running, running.calling() as caller:
        caller.send(b"nonsense\r\n\r\n")
        assert caller.answer().status == 400
    (rejection,) = told
    assert (rejection.status, rejection.code) == (400, "bad_request")
    assert rejection.peer == "127.0.0.1"


def test_a_fault_in_wording_a_refusal_costs_one_connection(
    expected_logs: pytest.LogCaptureFixture,
) -> None:
    def broken(_rejection: Rejection) -> RawResponse:
        raise ZeroDivisionError

    server = serving(render_error=broken, head_seconds=0.2)
    with server as running, ExitStack() as stack:
        for data in (b"nonsense\r\n", b"GET /", request() + b"nonsense\r\n"):
            caller = stack.enter_context(running.calling())
            caller.send(data)
            caller.rest()
        with running.calling() as caller:
            assert caller.ask(request()).status == 200
    assert [record.getMessage() for record in expected_logs.records] == ["a connection failed"] * 3


def test_a_fault_in_accepting_a_connection_does_not_end_the_listening(
    expected_logs: pytest.LogCaptureFixture,
) -> None:
    terms = Terms(
        options=ServerOptions(port=0),
        admit=admit_all,
        render_error=envelope,
        new_id=lambda: RequestId("r"),
        clock=time.monotonic,
        neighbourhood=str,
    )
    listener = Listener(echo, terms)
    try:
        _ = 1 / 0
    except ZeroDivisionError:
        listener.handle_error()
    listener.handle_close()
    address = listener.effective_host, int(listener.effective_port)
    socket.create_connection(address, timeout=PATIENCE).close()
    listener.shut(0)
    (record,) = expected_logs.records
    assert record.getMessage() == "a connection could not be accepted"


@pytest.mark.parametrize("option", ["close", "keep-alive"])
def test_callers_that_vanish_while_they_are_served_are_not_worth_a_word(option: str) -> None:
    gate, ledger = Gate(), Ledger()
    with serving(gate, admit=ledger.admit, threads=2) as running:
        socks = [socket.create_connection(running.address) for _ in range(20)]
        for sock in socks:
            sock.sendall(request(f"Connection: {option}"))
        eventually(lambda: len(ledger.permits) == 20)
        for sock in socks:
            reset(sock)
        gate.opened.set()
        eventually(lambda: ledger.releases == [1] * 20)
        with running.calling() as caller:
            assert caller.ask(request()).status == 200


def test_callers_that_reset_at_once_do_not_disturb_the_others() -> None:
    with serving() as running:
        for _ in range(300):
            reset(socket.create_connection(running.address))
        with running.calling() as caller:
            assert caller.ask(request()).status == 200


def test_urgent_data_closes_the_connection() -> None:
    """It would wake the poll for ever."""
    with serving(idle_seconds=600.0) as running, running.calling() as caller:
        assert caller.ask(request()).status == 200
        caller.socket.send(b"!", socket.MSG_OOB)
        with pytest.raises((ConnectionResetError, AssertionError)):
            caller.answer()


def test_a_caller_beyond_the_limit_of_connections_waits_for_its_turn(
    expected_logs: pytest.LogCaptureFixture,
) -> None:
    with (
        serving(admit=Ledger().admit, connections=2, idle_seconds=60.0) as running,
        ExitStack() as stack,
    ):
        first, second = (stack.enter_context(running.calling()) for _ in range(2))
        assert first.ask(request()).status == second.ask(request()).status == 200
        third = stack.enter_context(running.calling())
        third.send(request())
        for _ in range(10):
            assert second.ask(request()).status == 200
        third.socket.settimeout(0)
        with pytest.raises(BlockingIOError):
            third.socket.recv(1)
        third.socket.settimeout(PATIENCE)
        first.socket.close()
        assert third.answer().status == 200
    (record,) = expected_logs.records
    assert record.getMessage() == "all 2 connections are in use"


def test_a_process_without_free_descriptors_serves_on_when_it_has_some_again(
    expected_logs: pytest.LogCaptureFixture,
) -> None:
    with serving() as running, socket.socket() as sock:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (sock.fileno(), hard))
        try:
            sock.connect(running.address)
            eventually(lambda: bool(expected_logs.records))
            time.sleep(1.0)  # the stretch of time that is measured
            assert len(expected_logs.records) < 4
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        with calling(running.address) as caller:
            assert caller.ask(request()).status == 200
    assert {record.levelname for record in expected_logs.records} == {"WARNING"}
