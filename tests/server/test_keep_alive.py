"""Several requests on one connection, and how each answer ends."""

import select
import tempfile
import tracemalloc
from collections.abc import Iterator
from contextlib import ExitStack
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

from tests.server.running import Clock, Ledger, await_turn, is_over, serving
from tests.server.wire import flood, request

TURNED_AWAY = (429, (), b"Too many")


def test_answers_to_requests_sent_ahead_come_in_order() -> None:
    targets = [f"/{number}" for number in range(50)]
    with serving() as running, running.calling() as caller:
        caller.send(b"".join(request(target=target, body=b"x" * 300) for target in targets))
        answers = [caller.answer() for _ in targets]
    assert [answer.json["variables"]["PATH_INFO"] for answer in answers] == targets


def test_a_connection_lasts_for_many_requests() -> None:
    with serving() as running, running.calling() as caller:
        for number in range(200):
            body = b"%d" % number
            assert caller.ask(request(body=body)).json["body"] == body.decode()


@pytest.mark.parametrize("option", ["close", "Close", "x, close", "keep-alive, close"])
def test_a_caller_may_ask_for_the_end(option: str) -> None:
    with serving() as running, running.calling() as caller:
        assert not caller.ask(request(f"Connection: {option}") * 2).keeps_alive
        assert is_over(caller)


@pytest.mark.parametrize("blank", ["\x85", "\xa0"])
def test_an_option_has_no_blanks_but_those_of_http(blank: str) -> None:
    with serving() as running, running.calling() as caller:
        assert caller.ask(request(f"Connection: close{blank}")).keeps_alive


def test_http_1_0_ends_after_one_request_unless_asked() -> None:
    with serving() as running, running.calling() as caller:
        assert caller.ask(request("Connection: Keep-Alive", version="1.0")).keeps_alive
        assert not caller.ask(request(version="1.0")).keeps_alive
        assert is_over(caller)


@pytest.mark.parametrize(
    ("seconds", "announced"), [(75.0, "timeout=75"), (1.9, "timeout=1"), (0.9, None)]
)
def test_an_answer_on_a_kept_connection_says_for_how_long(
    seconds: float, announced: str | None
) -> None:
    with serving(idle_seconds=seconds) as running, running.calling() as caller:
        for version in ("1.1", "1.0"):
            answer = caller.ask(request("Connection: Keep-Alive", version=version))
            assert answer.headers.get("keep-alive") == announced
        assert "keep-alive" not in caller.ask(request("Connection: close")).headers
    with (
        serving(idle_seconds=seconds, admit=lambda _: TURNED_AWAY) as running,
        running.calling() as caller,
    ):
        assert caller.ask(request()).headers.get("keep-alive") == announced
        assert "keep-alive" not in caller.ask(b"nonsense\r\n").headers


def test_a_request_may_come_a_little_after_the_time_that_was_announced() -> None:
    clock = Clock()
    with serving(clock=clock, idle_seconds=10.0) as running, running.calling() as caller:
        for _ in range(2):
            assert caller.ask(request()).headers["keep-alive"] == "timeout=10"
            await_turn(running)
            clock.advance(10.5)
            await_turn(running)
        assert caller.ask(request()).keeps_alive
        # NOTE: a worker may still be at its end when its answer is here, so the time begins later.
        while not select.select([caller.socket], [], [], 0.05)[0]:
            clock.advance(11.5)
        assert is_over(caller)


def test_long_idle_connections_make_room_where_all_are_in_use(
    expected_logs: pytest.LogCaptureFixture,
) -> None:
    clock = Clock()
    began = clock.now
    with (
        serving(clock=clock, admit=Ledger().admit, connections=2, idle_seconds=60.0) as running,
        ExitStack() as stack,
    ):
        first, second = (stack.enter_context(running.calling()) for _ in range(2))
        assert first.ask(request()).status == second.ask(request()).status == 200
        third = stack.enter_context(running.calling())
        third.send(request())
        while not select.select([third.socket], [], [], 0.05)[0]:
            assert second.ask(request()).status == 200
            clock.advance(1.0)
            assert clock.now < began + 50.0
        assert third.answer().status == 200
        assert clock.now >= began + 5.0
        assert is_over(first)
        assert second.ask(request()).status == 200
    assert [record.levelname for record in expected_logs.records] == ["WARNING"]


def test_a_refused_tunnel_ends_the_connection() -> None:
    """What follows CONNECT is meant for whom the tunnel would lead to."""
    with serving() as running, running.calling() as caller:
        assert not caller.ask(request(method="CONNECT") * 2).keeps_alive
        assert is_over(caller)


def test_a_caller_that_shuts_its_side_after_its_request_still_gets_the_answer() -> None:
    with serving() as running, running.calling() as caller:
        caller.send(request(body=b"x"))
        caller.socket.shutdown(1)
        assert caller.answer().status == 200
        assert is_over(caller)


def test_an_answer_to_head_has_the_length_but_not_the_body() -> None:
    with serving() as running, running.calling() as caller:
        for _ in range(2):
            caller.send(request(method="HEAD"))
            answer = caller.answer("HEAD")
            assert (answer.status, answer.keeps_alive) == (200, True)
            assert int(answer.headers["content-length"]) > 0


def streaming(_: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
    start_response("200 OK", [])
    yield b"one "
    yield b""
    yield b"two"


def test_an_answer_of_unknown_length_is_chunked() -> None:
    with serving(streaming) as running, running.calling() as caller:
        for _ in range(2):
            answer = caller.ask(request())
            assert (answer.headers["transfer-encoding"], answer.body) == ("chunked", b"one two")


def test_an_answer_of_unknown_length_to_http_1_0_ends_with_the_connection() -> None:
    with serving(streaming) as running, running.calling() as caller:
        caller.send(request("Connection: keep-alive", version="1.0"))
        answer = caller.answer()
        assert (answer.body, answer.keeps_alive) == (b"one two", False)


def test_an_answer_of_unknown_length_to_head_has_no_body() -> None:
    with serving(streaming) as running, running.calling() as caller:
        for _ in range(2):
            caller.send(request(method="HEAD"))
            assert caller.answer("HEAD").keeps_alive
        assert caller.ask(request()).body == b"one two"


def test_an_answer_without_content_has_no_body() -> None:
    def nothing(_: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        start_response("204 No Content", [])
        return []

    with serving(nothing) as running, running.calling() as caller:
        for _ in range(2):
            answer = caller.ask(request())
            assert set(answer.headers) == {"date", "connection", "keep-alive"}
            assert answer.keeps_alive


def test_what_the_application_declares_and_what_it_writes_may_not_differ() -> None:
    def app(_: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        start_response("200 OK", [("Content-Length", "5")])
        return [b"123", b"4567"]

    with serving(app) as running, running.calling() as caller:
        assert caller.ask(request()).body == b"12345"
        assert caller.ask(request()).body == b"12345"


def test_an_answer_that_is_shorter_than_declared_ends_the_connection(
    expected_logs: pytest.LogCaptureFixture,
) -> None:
    def app(_: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        start_response("200 OK", [("Content-Length", "5")])
        return [b"123"]

    with serving(app) as running, running.calling() as caller:
        caller.send(request())
        assert caller.rest().endswith(b"\r\n\r\n123")
    assert [record.name for record in expected_logs.records] == ["taskflow.server"]


def test_a_caller_that_does_not_read_its_answers_is_not_given_more_of_them() -> None:
    """Memory holds the answer that waits, and no worker waits to write another."""
    ran = []

    def large(_: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        ran.append(True)
        start_response("200 OK", [])
        return [b"x" * 1_000_000]

    with serving(large, threads=1) as running, ExitStack() as stack:
        greedy, other = (stack.enter_context(running.calling()) for _ in range(2))
        greedy.send(request() * 100)
        counts = [0]
        while counts[-10:] != counts[-1:] * 10:
            other.ask(request())
            counts.append(len(ran) - len(counts))
        assert counts[-1] < 50
        for _ in range(100):
            assert len(greedy.answer().body) == 1_000_000


def test_what_is_sent_ahead_of_an_answer_that_waits_stays_outside() -> None:
    def large(_: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        start_response("200 OK", [])
        return [b"x" * 16_000_000]

    with serving(large) as running, running.calling() as caller:
        caller.socket.settimeout(0.5)
        with pytest.raises(TimeoutError):
            flood(caller, request() * 1_000)


def test_an_answer_is_never_spooled_to_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")

    def large(_: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        start_response("200 OK", [])
        return [b"x" * 16_000_000]

    with serving(large) as running, running.calling() as caller:
        assert len(caller.ask(request()).body) == 16_000_000


def test_the_memory_of_a_connection_does_not_grow_with_its_answers() -> None:
    block = b"x" * 100_000

    def large(_: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        start_response("200 OK", [])
        return [block]

    with serving(large) as running, running.calling() as caller:
        caller.ask(request())
        tracemalloc.start()
        for _ in range(200):
            assert len(caller.ask(request()).body) == len(block)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 20 * len(block)
