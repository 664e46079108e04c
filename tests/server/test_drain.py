"""A stop answers what was accepted, and takes in nothing new."""

import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

from adapters.server import Head, HttpServer, RawResponse, ServerOptions
from domain.flow.ids import RequestId
from tests.server.running import (
    Gate,
    Ledger,
    Running,
    admit_all,
    echo,
    envelope,
    eventually,
    is_over,
    reset,
    serving,
)
from tests.server.wire import PATIENCE, calling, request


def is_refused(address: tuple[str, int]) -> bool:
    try:
        socket.create_connection(address, timeout=PATIENCE).close()
    except ConnectionError:
        return True
    return False


def begin_to_stop(running: Running) -> None:
    running.server.stop()
    eventually(lambda: is_refused(running.address))


def test_accepted_requests_are_answered_the_queued_ones_too() -> None:
    gate, ledger = Gate(), Ledger()
    with serving(gate, threads=1, admit=ledger.admit) as running, ExitStack() as stack:
        callers = [stack.enter_context(running.calling()) for _ in range(10)]
        for caller in callers:
            caller.send(request())
        eventually(lambda: len(ledger.permits) == 10)
        begin_to_stop(running)
        gate.opened.set()
        answers = [caller.answer() for caller in callers]
    assert [(answer.status, answer.keeps_alive) for answer in answers] == [(200, False)] * 10
    assert ledger.releases == [1] * 10
    assert running.drained == [True]


def test_a_request_whose_head_was_complete_may_finish_its_body() -> None:
    ledger = Ledger()
    with serving(admit=ledger.admit) as running, running.calling() as caller:
        caller.send(request("Content-Length: 5"))
        eventually(lambda: len(ledger.permits) == 1)
        begin_to_stop(running)
        answer = caller.ask(b"12345")
        assert (answer.json["body"], answer.keeps_alive) == ("12345", False)
        assert is_over(caller)
    assert running.drained == [True]


def test_idle_and_unfinished_connections_are_closed_at_once() -> None:
    with serving(idle_seconds=600.0, head_seconds=600.0) as running, ExitStack() as stack:
        idle, kept, unfinished = (stack.enter_context(running.calling()) for _ in range(3))
        assert kept.ask(request()).keeps_alive
        unfinished.send(b"GET / HTTP/1.1\r\n")
        begin = time.monotonic()
        running.stop()
        assert time.monotonic() - begin < 5
        assert is_over(idle)
        assert is_over(kept)
        assert is_over(unfinished)
    assert running.drained == [True]


def test_requests_that_were_sent_before_the_stop_are_answered() -> None:
    """Also those that still lie in the backlog, or in the buffer of their socket."""
    busy, free = threading.Event(), threading.Event()

    def admit(head: Head) -> RawResponse | None:
        """Hold up the thread that reads, so that it has much to read when it hears of the stop."""
        if head.path == "/wait":
            busy.set()
            assert free.wait(PATIENCE)
        return (429, (), b"") if head.path == "/refused" else None

    with serving(admit=admit) as running, ExitStack() as stack:
        holder, kept, refused = (stack.enter_context(running.calling()) for _ in range(3))
        assert kept.ask(request()).keeps_alive
        assert refused.ask(request()).keeps_alive
        holder.send(request(target="/wait"))
        assert busy.wait(PATIENCE)
        new = stack.enter_context(running.calling())
        kept.send(request())
        new.send(request())
        refused.send(request(target="/refused"))
        running.server.stop()
        free.set()
        answers = [caller.answer() for caller in (holder, kept, new, refused)]
        assert [answer.status for answer in answers] == [200, 200, 200, 429]
        assert [answer.keeps_alive for answer in answers] == [False] * 4


def test_an_answer_that_had_begun_before_the_stop_ends_its_connection() -> None:
    begun, opened = threading.Event(), threading.Event()

    def streaming(_: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", [])
        yield b"begun, "
        begun.set()
        assert opened.wait(PATIENCE)
        yield b"ended"

    with serving(streaming, idle_seconds=600.0) as running, running.calling() as caller:
        caller.send(request())
        assert begun.wait(PATIENCE)
        begin_to_stop(running)
        opened.set()
        assert caller.answer().body == b"begun, ended"
        assert is_over(caller)


def large(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    start_response("200 OK", [])
    return [b"x" * 16_000_000 if environ["PATH_INFO"] == "/x" else b""]


def test_an_answer_that_is_being_taken_at_the_stop_is_taken_whole() -> None:
    with serving(large, threads=1) as running, running.calling() as caller:
        caller.send(request())
        caller.take(1)
        with running.calling() as other:
            for _ in range(2):  # after that the worker, too, has done with the first
                assert other.ask(request(target="/y")).status == 200
        begin_to_stop(running)
        assert len(caller.answer().body) == 16_000_000
        assert is_over(caller)
    assert running.drained == [True]


def test_an_answer_that_nobody_takes_is_counted_as_not_given(
    expected_logs: pytest.LogCaptureFixture,
) -> None:
    with serving(large, drain_seconds=0.3) as running, running.calling() as caller:
        caller.send(request())
        caller.take(1)
        running.stop()
    assert running.drained == [False]
    assert len(expected_logs.records) == 1


def test_a_caller_that_has_its_last_answer_and_does_not_close_hardly_holds_up_a_stop() -> None:
    with serving(linger_seconds=600.0) as running, running.calling() as caller:
        assert caller.ask(b"nonsense\r\n").status == 400
        assert is_over(caller)
        running.stop()


def test_the_rest_of_a_refused_body_does_not_hold_up_a_stop() -> None:
    def refuse(_head: Head) -> RawResponse:
        return (429, (), b"")

    with serving(admit=refuse, body_seconds=600.0) as running, running.calling() as caller:
        assert caller.ask(request("Content-Length: 5")).status == 429
        running.server.stop()
        assert is_over(caller)


def test_a_request_that_was_sent_between_an_answer_and_the_stop_is_answered() -> None:
    """Its caller had the answer while the worker that gave it was not quite done."""
    answered, opened = threading.Event(), threading.Event()

    class Lasting(list[bytes]):
        def close(self) -> None:
            answered.set()
            assert opened.wait(PATIENCE)

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        return Lasting(echo(environ, start_response))

    with serving(app) as running, running.calling() as caller:
        assert caller.ask(request()).keeps_alive
        assert answered.wait(PATIENCE)
        caller.send(request(body=b"sent before the stop"))
        begin_to_stop(running)
        opened.set()
        answer = caller.answer()
        assert (answer.json["body"], answer.keeps_alive) == ("sent before the stop", False)
        assert is_over(caller)
    assert running.drained == [True]


def test_accepted_requests_run_although_their_callers_have_gone() -> None:
    gate, ledger = Gate(), Ledger()

    def slow(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        time.sleep(0.02)  # work that outlasts the connections
        return gate(environ, start_response)

    with serving(slow, threads=1, admit=ledger.admit) as running:
        for _ in range(20):
            sock = socket.create_connection(running.address)
            sock.sendall(request())
            reset(sock)
        eventually(lambda: bool(ledger.permits))
        begin_to_stop(running)
        gate.opened.set()
    gate.await_entries(len(ledger.permits))
    assert set(ledger.releases) == {1}
    assert running.drained == [True]


def test_a_drain_ends_when_its_time_is_over(expected_logs: pytest.LogCaptureFixture) -> None:
    gate, ledger = Gate(), Ledger()
    server = serving(gate, threads=1, drain_seconds=0.3, admit=ledger.admit)
    with server as running, ExitStack() as stack:
        stuck, queued, half = (stack.enter_context(running.calling()) for _ in range(3))
        stuck.send(request())
        gate.await_entries(1)
        queued.send(request())
        half.send(request("Content-Length: 5"))
        eventually(lambda: len(ledger.permits) == 3)
        running.stop()
        assert is_over(stuck)
        assert is_over(queued)
        assert is_over(half)
        assert sorted(ledger.releases) == [0, 1, 1]
        gate.opened.set()
        eventually(lambda: ledger.releases == [1, 1, 1])
    assert running.drained == [False]
    assert "stopped before every accepted request was answered" in expected_logs.text


@pytest.mark.parametrize("data", [request(), request("Content-Length: 5")])
def test_a_drain_says_whether_any_request_is_left(
    data: bytes, expected_logs: pytest.LogCaptureFixture
) -> None:
    """Whether a worker has it, or its body is not complete."""
    gate, ledger = Gate(), Ledger()
    server = serving(gate, drain_seconds=0.2, admit=ledger.admit)
    with server as running, running.calling() as caller:
        caller.send(data)
        eventually(lambda: bool(ledger.permits))
        running.stop()
        gate.opened.set()
        eventually(lambda: ledger.releases == [1])
    assert running.drained == [False]
    assert len(expected_logs.records) > 0


def test_under_load_every_request_that_ran_was_answered() -> None:
    ran: list[str] = []
    answered: list[str] = []
    ledger = Ledger()

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        ran.append(environ["PATH_INFO"])
        return echo(environ, start_response)

    def keep_asking(address: tuple[str, int], name: int) -> None:
        for number in range(100_000):
            try:
                with calling(address) as caller:
                    for again in range(3):
                        target = f"/{name}/{number}/{again}"
                        caller.send(request(target=target, body=b"x" * 100))
                        assert caller.answer().status == 200
                        answered.append(target)
            except (ConnectionError, AssertionError):
                return

    with serving(app, admit=ledger.admit) as running:
        threads = [
            threading.Thread(target=keep_asking, args=(running.address, name)) for name in range(6)
        ]
        for thread in threads:
            thread.start()
        eventually(lambda: len(answered) > 300)
        running.stop()
        for thread in threads:
            thread.join()
    assert sorted(ran) == sorted(answered)
    assert set(ledger.releases) == {1}
    assert running.drained == [True]


def test_a_server_may_be_stopped_before_it_runs_and_after_it_ended() -> None:
    server = HttpServer(
        echo,
        ServerOptions(port=0),
        admit=admit_all,
        render_error=envelope,
        new_id=lambda: RequestId("r"),
    )
    assert not is_refused((server.host, server.port))
    server.stop()
    assert server.run()
    server.stop()
    assert is_refused((server.host, server.port))


def test_a_port_in_use_is_an_os_error() -> None:
    with serving() as running, pytest.raises(OSError, match="in use"):
        HttpServer(
            echo,
            ServerOptions(port=running.server.port),
            admit=admit_all,
            render_error=envelope,
            new_id=lambda: RequestId("r"),
        )


PROGRAM = """
import signal, sys, time
from adapters.server import HttpServer, ServerOptions
from tests.server.running import admit_all, echo, envelope

def app(environ, start_response):
    print("at work", flush=True)
    time.sleep(0.3)
    return echo(environ, start_response)

server = HttpServer(app, ServerOptions(port=0), admit=admit_all, render_error=envelope, new_id=str)
signal.signal(signal.SIGTERM, lambda *_: server.stop())
print(server.port, flush=True)
sys.exit(0 if server.run() else 3)
"""


def test_a_signal_handler_may_stop_the_server_in_its_own_thread() -> None:
    command = [sys.executable, "-c", PROGRAM]
    with subprocess.Popen(  # noqa: S603 - our own program
        command, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        address = "127.0.0.1", int(process.stdout.readline())
        with calling(address) as caller:
            caller.send(request())
            assert process.stdout.readline() == "at work\n"
            process.send_signal(signal.SIGTERM)
            assert caller.answer().status == 200
        assert process.wait(PATIENCE) == 0
