"""How much of a request is read."""

from typing import Any

import pytest

from tests.server.running import Gate, Ledger, serving
from tests.server.wire import Caller, chunked, flood, request

LIMITS: dict[str, Any] = {"body_bytes": 1_000, "head_bytes": 500}


def test_a_body_of_exactly_the_limit_passes() -> None:
    with serving(**LIMITS) as running, running.calling() as caller:
        assert len(caller.ask(request(body=b"x" * 1_000)).json["body"]) == 1_000


def test_a_chunked_body_of_exactly_the_limit_passes() -> None:
    coded = chunked(*[b"x"] * 1_000)
    with serving(**LIMITS) as running, running.calling() as caller:
        answer = caller.ask(request("Transfer-Encoding: chunked") + coded)
        assert len(answer.json["body"]) == 1_000


def assert_too_large(caller: Caller, code: str, status: int) -> None:
    answer = caller.answer()
    assert (answer.status, answer.code) == (status, code)
    assert answer.headers["connection"] == "close"
    assert caller.rest() == b""


def test_a_declared_length_over_the_limit_is_refused_before_admission() -> None:
    ledger = Ledger()
    with serving(admit=ledger.admit, **LIMITS) as running, running.calling() as caller:
        caller.send(request("Content-Length: 1001", "Expect: 100-continue"))
        assert_too_large(caller, "payload_too_large", 413)
    assert ledger.permits == []


def test_a_caller_that_sends_a_whole_large_body_first_still_gets_its_413() -> None:
    body = b"x" * 8_000_000
    with serving() as running, running.calling() as caller:
        caller.send(request(body=body))
        assert_too_large(caller, "payload_too_large", 413)


def test_a_chunked_body_over_the_limit_is_refused_at_the_size_of_the_chunk() -> None:
    ledger = Ledger()
    with serving(admit=ledger.admit, **LIMITS) as running, running.calling() as caller:
        caller.send(
            request("Transfer-Encoding: chunked") + b"3e8\r\n" + b"x" * 1_000 + b"\r\n1\r\n"
        )
        assert_too_large(caller, "payload_too_large", 413)
    assert ledger.releases == [1]


def test_a_head_of_exactly_the_limit_passes() -> None:
    missing = 500 - len(request("X: "))
    with serving(**LIMITS) as running, running.calling() as caller:
        assert caller.ask(request("X: " + "x" * missing)).status == 200
        caller.send(request("X: " + "x" * (missing + 1)))
        assert_too_large(caller, "headers_too_large", 431)


def test_a_head_that_never_ends_is_refused_at_the_limit() -> None:
    with serving() as running, running.calling() as caller:
        caller.send(b"GET / HTTP/1.1\r\nX: " + b"x" * 20_480)
        assert_too_large(caller, "headers_too_large", 431)


def test_a_request_line_that_never_ends_is_refused_at_the_limit() -> None:
    with serving(**LIMITS) as running, running.calling() as caller:
        caller.send(b"GET /" + b"x" * 500)
        assert_too_large(caller, "headers_too_large", 431)


def test_more_than_a_hundred_header_fields_are_refused() -> None:
    with serving() as running, running.calling() as caller:
        assert caller.ask(request(*["A: b"] * 99)).status == 200
        caller.send(request(*["A: b"] * 100))
        assert_too_large(caller, "headers_too_large", 431)


def test_a_caller_that_goes_on_sending_after_its_refusal_is_cut_off() -> None:
    with serving(linger_bytes=100_000, **LIMITS) as running, running.calling() as caller:
        caller.send(request("Content-Length: 1001"))
        assert caller.answer().status == 413
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            flood(caller, b"x" * 65_536)


def test_a_caller_that_does_not_close_after_its_refusal_is_closed() -> None:
    with serving(linger_seconds=0.2, **LIMITS) as running, running.calling() as caller:
        caller.send(request("Content-Length: 1001"))
        assert_too_large(caller, "payload_too_large", 413)
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            flood(caller, b"x")


def test_what_a_caller_sends_ahead_stays_outside() -> None:
    gate = Gate()
    with serving(gate) as running, running.calling() as caller:
        caller.send(request())
        gate.await_entries(1)
        caller.socket.settimeout(0)
        with pytest.raises(BlockingIOError):
            flood(caller, request() * 1_000)
        gate.opened.set()
