"""Who decides on a request, when, and how long its place is held."""

import socket
import threading
import tracemalloc
from collections.abc import Iterator
from select import select
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import pytest

from adapters.server import Admit, Head, RawResponse
from tests.server.running import CountedTicket, Gate, Ledger, echo, eventually, is_over, serving
from tests.server.wire import PATIENCE, Caller, chunked, request

TOO_MANY: RawResponse = (429, (("Retry-After", "3"),), b"Too many")


def constant(answer: RawResponse) -> Admit:
    return lambda _head: answer


refuse = constant(TOO_MANY)


def refuse_x(head: Head) -> RawResponse | None:
    return TOO_MANY if head.path == "/x" else None


def test_admission_sees_a_request_before_its_body() -> None:
    heads: list[Head] = []
    with serving(admit=heads.append) as running, running.calling() as caller:
        caller.send(request("Content-Length: 5", target="/a?b"))
        eventually(lambda: bool(heads))
        assert [(head.method, head.path, head.said.query) for head in heads] == [
            ("POST", "/a", "b")
        ]
        assert caller.ask(b"12345").json["body"] == "12345"
    assert len(heads) == 1


def test_a_refusal_is_given_before_the_body_is_sent() -> None:
    with serving(admit=refuse) as running, running.calling() as caller:
        answer = caller.ask(request("Content-Length: 100000"))
    assert (answer.status, answer.headers["retry-after"], answer.body) == (429, "3", b"Too many")


@pytest.mark.parametrize(
    "body",
    [b"", b"x" * 100_000],
    ids=["without a body", "with a body"],
)
def test_a_connection_is_kept_after_a_refusal(body: bytes) -> None:
    with serving(admit=refuse_x) as running, running.calling() as caller:
        for _ in range(3):
            answer = caller.ask(request(body=body))
            assert (answer.status, answer.keeps_alive) == (429, True)
        assert caller.ask(request(target="/y", body=body)).json["body"] == body.decode()


def test_requests_behind_a_refused_one_are_answered_although_no_more_will_come() -> None:
    with serving(admit=refuse_x) as running, running.calling() as caller:
        caller.send(request(target="/y") + request(target="/x") + request(target="/y"))
        caller.socket.shutdown(socket.SHUT_WR)
        assert [caller.answer().status for _ in range(3)] == [200, 429, 200]


def test_a_connection_is_kept_after_the_refusal_of_a_needless_expectation() -> None:
    with serving(admit=refuse) as running, running.calling() as caller:
        assert caller.ask(request("Expect: 100-continue")).keeps_alive


def test_a_connection_is_kept_after_the_refusal_of_a_chunked_body() -> None:
    refused = request("Transfer-Encoding: chunked") + chunked(b"x" * 5_000)
    with serving(admit=refuse_x) as running, running.calling() as caller:
        assert caller.ask(refused).keeps_alive
        assert caller.ask(request(target="/y")).status == 200


@pytest.mark.parametrize("coded", [b"nonsense\r\n", b"fffff\r\n" + b"x" * 70_000])
def test_a_connection_ends_where_the_end_of_a_refused_body_is_not_to_be_found(
    coded: bytes,
) -> None:
    refused = request("Transfer-Encoding: chunked")
    with serving(admit=refuse) as running, running.calling() as caller:
        assert caller.ask(refused + coded + request(target="/y")).status == 429
        assert is_over(caller)


def test_a_refused_caller_that_waits_for_100_continue_is_answered_and_closed() -> None:
    with serving(admit=refuse) as running, running.calling() as caller:
        answer = caller.ask(request("Content-Length: 5", "Expect: 100-continue"))
        assert (answer.status, answer.keeps_alive) == (429, False)
        assert is_over(caller)


@pytest.mark.parametrize("option", ["close", "keep-alive"])
def test_a_refused_caller_may_send_everything_before_it_reads(option: str) -> None:
    """More than the system's own buffers hold, both ways."""
    size = 16_000_000
    refused = request(f"Connection: {option}", body=b"x" * size)
    sizes: dict[str, Any] = {"body_bytes": size, "linger_bytes": 2 * size}
    admit = constant((429, (), b"y" * size))
    with serving(admit=admit, **sizes) as running, running.calling() as caller:
        assert len(caller.ask(refused).body) == size


def test_the_body_of_a_refused_request_is_not_kept() -> None:
    refused = request(body=b"x" * 16_000_000)
    with serving(admit=refuse, body_bytes=16_000_000) as running, running.calling() as caller:
        tracemalloc.start()
        assert caller.ask(refused).status == 429
        assert caller.ask(request()).status == 429
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 4_000_000


def test_a_refused_caller_that_never_sends_its_body_is_closed() -> None:
    with serving(admit=refuse, body_seconds=0.3) as running, running.calling() as caller:
        assert caller.ask(request("Content-Length: 5")).status == 429
        assert is_over(caller)


def test_a_refusal_of_head_has_no_body() -> None:
    with serving(admit=refuse) as running, running.calling() as caller:
        for _ in range(2):
            caller.send(request(method="HEAD"))
            answer = caller.answer("HEAD")
            assert (answer.status, answer.headers["content-length"]) == (429, "8")


def test_many_refusals_sent_ahead_are_answered_in_order() -> None:
    def numbered(head: Head) -> RawResponse:
        return (429, (("Number", head.said.query),), b"")

    with serving(admit=numbered) as running, running.calling() as caller:
        caller.send(b"".join(request(target=f"/x?{number}") for number in range(500)))
        assert [caller.answer().headers["number"] for _ in range(500)] == [
            str(number) for number in range(500)
        ]


def test_a_fault_in_admission_is_logged_once_and_answered(
    expected_logs: pytest.LogCaptureFixture,
) -> None:
    def broken(_head: Head) -> None:
        raise ZeroDivisionError

    with serving(admit=broken) as running, running.calling() as caller:
        answer = caller.ask(request())
        assert (answer.status, answer.code) == (500, "internal_error")
        assert caller.ask(request()).status == 500
    failures = [record for record in expected_logs.records if record.levelname == "ERROR"]
    assert [record.getMessage() for record in failures] == [
        "admission of request r1 failed",
        "admission of request r2 failed",
    ]


# The permit


def assert_released_once(ledger: Ledger) -> None:
    eventually(lambda: all(ledger.releases))
    assert set(ledger.releases) == {1}


def test_a_place_is_held_from_the_head_to_the_answer() -> None:
    ledger, gate = Ledger(), Gate()
    with serving(gate, admit=ledger.admit) as running, running.calling() as caller:
        caller.send(request("Content-Length: 1"))
        eventually(lambda: ledger.releases == [0])
        caller.send(b"x")
        gate.await_entries(1)
        assert ledger.releases == [0]
        gate.opened.set()
        assert caller.answer().status == 200
        assert ledger.releases == [1]
    assert ledger.releases == [1]


def test_the_body_of_a_stranger_may_be_bounded_more_tightly() -> None:
    def admit(head: Head) -> CountedTicket | None:
        return CountedTicket(body_bounds=(10, 1e6)) if head.path == "/x" else None

    with serving(admit=admit) as running:
        for target, length, status in (("/x", 10, 200), ("/x", 11, 413), ("/y", 11, 200)):
            with running.calling() as caller:
                framed = request("Transfer-Encoding: chunked", target=target)
                assert caller.ask(framed + chunked(b"x" * length)).status == status
        with running.calling() as caller:  # several chunks count together
            framed = request("Transfer-Encoding: chunked", target="/x")
            assert caller.ask(framed + b"6\r\n123456\r\n5\r\n").status == 413


def streaming(_: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
    start_response("200 OK", [])
    yield b"one"
    yield b"two"


@pytest.mark.parametrize("app", [echo, streaming])
@pytest.mark.parametrize("method", ["POST", "HEAD"])
def test_a_place_is_free_before_the_caller_has_its_answer(
    app: WSGIApplication, method: str
) -> None:
    """So a caller that uses all of its places, and sends again at once, is not refused."""
    had_by_then: list[bytes] = []
    released = threading.Event()

    class Place:
        is_authenticated = True
        body_bounds = None

        def release(self) -> None:
            if select([caller.socket], [], [], 0.1)[0]:
                had_by_then.append(caller.socket.recv(65_536, socket.MSG_PEEK))
            released.set()

    with serving(app, admit=lambda _: Place()) as running, running.calling() as caller:
        caller.send(request("Connection: close", method=method))
        assert released.wait(PATIENCE)
        assert len(b"".join(had_by_then)) < len(caller.rest())


def answered(_caller: Caller) -> None: ...


def reset(caller: Caller) -> None:
    caller.socket.close()


def half_closed(caller: Caller) -> None:
    caller.socket.shutdown(1)


@pytest.mark.parametrize(
    "data",
    [
        request(),
        request("Content-Length: 5"),
        request("Transfer-Encoding: chunked") + b"5\r\n12",
        request("Transfer-Encoding: chunked") + b"nonsense\r\n",
        request("Transfer-Encoding: chunked") + b"fffffff\r\n",
        request(body=b"12345") * 20,
        request("Connection: close", target="/fail"),
    ],
)
@pytest.mark.parametrize("leave", [answered, reset, half_closed])
def test_a_place_is_released_once_however_a_request_ends(
    data: bytes, leave: object, expected_logs: pytest.LogCaptureFixture
) -> None:
    assert callable(leave)
    ledger = Ledger()

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        if environ["PATH_INFO"] == "/fail":
            raise ZeroDivisionError
        return echo(environ, start_response)

    with serving(app, admit=ledger.admit, body_seconds=0.4) as running, running.calling() as caller:
        caller.send(data)
        leave(caller)
        eventually(lambda: bool(ledger.permits))
        assert_released_once(ledger)
    assert_released_once(ledger)
    assert {record.levelname for record in expected_logs.records} <= {"INFO", "ERROR"}


def test_a_request_that_was_sent_ahead_takes_its_place_when_its_turn_comes() -> None:
    ledger, gate = Ledger(), Gate()
    with serving(gate, admit=ledger.admit) as running, running.calling() as caller:
        caller.send(request() * 3)
        gate.await_entries(1)
        assert len(ledger.permits) == 1
        gate.opened.set()
        assert [caller.answer().status for _ in range(3)] == [200] * 3
    assert ledger.releases == [1, 1, 1]


# Expect: 100-continue


def test_100_continue_is_sent_after_admission() -> None:
    heads: list[Head] = []
    with serving(admit=heads.append) as running, running.calling() as caller:
        assert caller.ask(request("Content-Length: 5", "Expect: 100-Continue")).status == 100
        assert len(heads) == 1
        caller.send(b"12")
        with running.calling() as other:
            assert other.ask(request()).status == 200
        assert caller.ask(b"345").json["body"] == "12345"
        assert caller.ask(request(body=b"again")).json["body"] == "again"


def test_100_continue_is_not_sent_to_who_does_not_need_it() -> None:
    with serving() as running, running.calling() as caller:
        without_body = caller.ask(request("Expect: 100-continue"))
        assert (without_body.status, without_body.json["body"]) == (200, "")
        variables = caller.ask(request()).json["variables"]
        assert "HTTP_EXPECT" not in variables
        assert caller.ask(request("Expect: 100-continue", body=b"at once")).status == 200


def test_http_1_0_knows_no_expectation() -> None:
    heads: list[Head] = []
    old = request("Expect: 100-continue, x", "Content-Length: 1", version="1.0")
    with serving(admit=heads.append) as running, running.calling() as caller:
        caller.send(old)
        eventually(lambda: bool(heads))
        assert caller.ask(b"x").status == 200


@pytest.mark.parametrize("value", ["200-ok", "100-continue, more", ""])
def test_another_expectation_cannot_be_met(value: str) -> None:
    ledger = Ledger()
    with serving(admit=ledger.admit) as running, running.calling() as caller:
        answer = caller.ask(request(f"Expect: {value}", "Content-Length: 5"))
        assert (answer.status, answer.code) == (417, "expectation_failed")
        assert is_over(caller)
    assert ledger.permits == []
