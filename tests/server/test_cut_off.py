"""A caller that shuts its side too early is told so; one that is done gets its answers."""

import logging
import socket

import pytest

from adapters.server import Head, RawResponse, Rejection
from tests.server.running import Ledger, echo, envelope, eventually, is_over, serving
from tests.server.wire import Caller, chunked, request

HEAD = "The caller's side was closed before the request head was complete"
BODY = "The caller's side was closed before the request body was complete"

CUT_HEADS = [b"P", b"POST /x", b"POST /x HTTP/1.1\r\nHost: x\r\n", request()[:-1]]
CUT_BODIES = [
    request("Content-Length: 100") + b"x" * 10,
    request("Content-Length: 1"),
    request("Transfer-Encoding: chunked"),
    request("Transfer-Encoding: chunked") + b"5",
    request("Transfer-Encoding: chunked") + b"5\r\nhel",
    request("Transfer-Encoding: chunked") + b"5\r\nhello\r\n",
    request("Transfer-Encoding: chunked") + chunked(b"hello")[:-1],
    request("Transfer-Encoding: chunked") + b"0\r\nX-Trailer: x\r\n",
]


def half_close(caller: Caller, data: bytes) -> None:
    caller.send(data)
    caller.socket.shutdown(socket.SHUT_WR)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [*((data, HEAD) for data in CUT_HEADS), *((data, BODY) for data in CUT_BODIES)],
)
def test_what_is_cut_off_is_refused_once_and_the_answer_arrives(data: bytes, sentence: str) -> None:
    rejections: list[Rejection] = []

    def render(rejection: Rejection) -> RawResponse:
        rejections.append(rejection)
        return envelope(rejection)

    ledger = Ledger()
    with serving(admit=ledger.admit, render_error=render) as running, running.calling() as caller:
        half_close(caller, data)
        answer = caller.answer()
        assert (answer.status, answer.code, answer.keeps_alive) == (400, "bad_request", False)
        assert answer.json["error"] == sentence
        assert is_over(caller)
    assert [rejection.sentence for rejection in rejections] == [sentence]
    assert ledger.releases in ([], [1])


def test_a_request_that_is_cut_off_behind_others_is_refused_after_their_answers() -> None:
    for cut in (*CUT_HEADS, *CUT_BODIES):
        with serving() as running, running.calling() as caller:
            half_close(caller, request(body=b"1") + request(body=b"2") + cut)
            assert [caller.answer().status for _ in range(3)] == [200, 200, 400]
            assert is_over(caller)


@pytest.mark.parametrize("data", [b"", b"\r\n", b"\r\n\r\n", b"\r"])
def test_who_has_begun_no_request_is_left_without_a_word(data: bytes) -> None:
    with serving() as running, running.calling() as caller:
        half_close(caller, data)
        assert is_over(caller)


def test_an_answer_to_head_that_is_cut_off_has_no_body() -> None:
    with serving() as running, running.calling() as caller:
        half_close(caller, request("Content-Length: 9", method="HEAD"))
        assert caller.answer("HEAD").status == 400
        assert is_over(caller)


def test_who_waited_for_100_continue_is_told_after_it() -> None:
    with serving() as running, running.calling() as caller:
        half_close(caller, request("Expect: 100-continue", "Content-Length: 9"))
        assert [caller.answer().status for _ in range(2)] == [100, 400]
        assert is_over(caller)


def refuse(_head: Head) -> RawResponse:
    return 401, (), b"x" * 3_000_000


def test_what_the_head_was_refused_for_is_the_one_answer_and_arrives_whole() -> None:
    """The order of checks stays, and an answer larger than a socket holds is not cut off."""
    with serving(admit=refuse) as running, running.calling() as caller:
        half_close(caller, request("Content-Length: 100") + b"x")
        answer = caller.answer()
        assert (answer.status, len(answer.body)) == (401, 3_000_000)
        assert is_over(caller)


def test_a_caller_that_has_gone_altogether_takes_nothing_with_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    ledger = Ledger()
    with serving(echo, admit=ledger.admit) as running:
        for data in (*CUT_HEADS, *CUT_BODIES):
            with running.calling() as caller:
                caller.send(data)
        eventually(lambda: ledger.releases == [1] * len(CUT_BODIES))
        with running.calling() as caller:
            assert caller.ask(request()).status == 200
    assert not caplog.records
