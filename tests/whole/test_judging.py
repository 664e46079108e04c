"""The judge of malformed requests is no friend of the gateway."""

from __future__ import annotations

import pytest

from tests.whole.answers import NotAnAnswerError, envelope_fault, read_answers
from tests.whole.campaign import judge
from tests.whole.honest import creating, webhook
from tests.whole.malformed import Attempt, Ending, draw
from tests.whole.reading import Rest, read

ONE = webhook(creating("one"))
CHUNKED = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
BODY = b'{"ok":false,"code":"bad_request","error":"why","result":{}}'


def answer(status: int = 400, connection: str = "close", body: bytes = BODY) -> bytes:
    lines = (
        *(f"HTTP/1.1 {status} Some Phrase", "Content-Type: application/json"),
        *("X-Request-Id: 00000000-0000-4000-8000-000000000000", f"Connection: {connection}"),
        *(f"Content-Length: {len(body)}", "", ""),
    )
    return "\r\n".join(lines).encode() + body


def faults(data: bytes, received: bytes, kind: str = "test") -> list[str]:
    attempt = Attempt(1, kind, (data,), Ending.HALF_CLOSE)
    return list(judge(attempt, read(data), read_answers(received)))


def test_an_attempt_is_drawn_alike_again() -> None:
    assert [draw(number) for number in range(200)] == [draw(number) for number in range(200)]


@pytest.mark.parametrize(
    ("data", "goals", "rest"),
    [
        (ONE * 2, ["one", "one"], Rest.NOTHING),
        (b"\r\n" + ONE + b"GET /", ["one"], Rest.INCOMPLETE),
        (ONE + b"nonsense\r\n\r\n" + ONE, ["one"], Rest.MALFORMED),
        (ONE.replace(b"Length: ", b"Length: +"), [], Rest.MALFORMED),
        (webhook(ONE), [], Rest.NOTHING),
        (CHUNKED + b"1\r\n{\r\n1;x\r\n}\r\n0\r\nX: y\r\n\r\n" + ONE, ["one"], Rest.NOTHING),
        (CHUNKED + b"1\n{\r\n0\r\n\r\n" + ONE, [], Rest.MALFORMED),
        (CHUNKED + b"0\r\nContent-Length: 1\r\n\r\n" + ONE, [], Rest.MALFORMED),
        (CHUNKED + b"5\r\n{", [], Rest.INCOMPLETE),
    ],
)
def test_the_second_reading_finds_what_nobody_can_read_otherwise(
    data: bytes, goals: list[str], rest: Rest
) -> None:
    reading = read(data)
    assert (list(reading.goals()), reading.rest) == (goals, rest)


def test_what_is_answered_as_it_should_be_has_no_fault() -> None:
    assert faults(b"nonsense\r\n\r\n", answer()) == []
    assert faults(ONE[:-1], b"") == []


@pytest.mark.parametrize(
    ("data", "received"),
    [
        (ONE, b""),
        (ONE, answer(500)),
        (ONE, answer() * 2),
        (ONE * 2, answer(connection="keep-alive")),
        (b"nonsense\r\n\r\n", b""),
        (ONE, answer(body=b'{"ok":false,"error":"why","code":"x","result":{}}')),
        (ONE, answer(200)),
        (ONE, answer(connection="maybe")),
    ],
)
def test_what_is_answered_otherwise_is_a_fault(data: bytes, received: bytes) -> None:
    assert faults(data, received)


def test_an_honest_caller_must_be_served() -> None:
    assert faults(ONE, answer(), "honest") == ["an honest caller was not served"]


@pytest.mark.parametrize(
    "received", [b"HTTP/1.0 200 OK\r\n\r\n", answer()[:-1], b"x", answer() + b"more"]
)
def test_what_is_no_answer_is_not_read_as_one(received: bytes) -> None:
    with pytest.raises(NotAnAnswerError):
        read_answers(received)


def test_an_answer_to_head_has_no_body() -> None:
    (read_answer,) = read_answers(answer().removesuffix(BODY))
    assert (read_answer.body, envelope_fault(read_answer)) == (b"", None)
