"""An application in the I/O thread: it answers at once, or puts its answer off."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from attrs import define, field

from adapters.server.completion import Completion
from adapters.server.ports import PiecewiseResponse
from tests.server.running import (
    Clock,
    Gate,
    Ledger,
    Running,
    echo,
    eventually,
    is_over,
    reset,
    serving,
)
from tests.server.test_deadlines import await_looks
from tests.server.test_drain import begin_to_stop
from tests.server.wire import PATIENCE, request

LARGE = 8_000_000


def saying(text: bytes) -> Callable[[], PiecewiseResponse]:
    return lambda: (200, (("X-Made-In", threading.current_thread().name),), (text, b"!"))


def fail() -> PiecewiseResponse:
    raise ZeroDivisionError


@define
class PuttingOff:
    """An application that puts off each answer but those to `/now`."""

    put_off: list[tuple[str, Completion]] = field(factory=list)
    thread: str = ""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        """Answer like `echo`, or later."""
        self.thread = threading.current_thread().name
        if environ["PATH_INFO"] == "/now":
            return echo(environ, start_response)
        self.put_off.append((environ["PATH_INFO"], environ["taskflow.later"]()))
        return []

    def await_requests(self, count: int) -> list[Completion]:
        """Wait until so many answers were put off in all, and return them in order of paths."""
        eventually(lambda: len(self.put_off) == count)
        return [completion for _, completion in sorted(self.put_off, key=lambda each: each[0])]


@contextmanager
def putting_off(**options: Any) -> Iterator[tuple[PuttingOff, Running, Ledger]]:  # noqa: ANN401 - of ServerOptions
    app, ledger = PuttingOff(), Ledger()
    with serving(app, admit=ledger.admit, in_loop=True, **options) as running:
        yield app, running, ledger


def test_an_answer_at_once_is_made_in_the_thread_that_reads() -> None:
    with putting_off() as (app, running, ledger), running.calling() as caller:
        for number in range(3):
            assert caller.ask(request(target="/now")).status == 200
            assert ledger.releases == [1] * (number + 1)
        assert app.thread == running.thread.name


def test_a_request_behind_another_is_answered_in_its_turn() -> None:
    with putting_off() as (_, running, ledger), running.calling() as caller:
        caller.send(request(target="/now", body=b"1") * 50)
        assert [caller.answer().json["body"] for _ in range(50)] == ["1"] * 50
        assert ledger.releases == [1] * 50


def test_an_answer_that_is_put_off_keeps_nobody_waiting_and_its_permit() -> None:
    with putting_off() as (app, running, ledger), running.calling() as caller:
        caller.send(request(target="/later"))
        (completion,) = app.await_requests(1)
        with running.calling() as other:
            assert other.ask(request(target="/now")).status == 200
        assert ledger.releases == [0, 1]
        completion.answer(saying(b"done"))
        answer = caller.answer()
        assert (answer.status, answer.body, answer.keeps_alive) == (200, b"done!", True)
        assert answer.headers["x-made-in"] == running.thread.name
        assert ledger.releases == [1, 1]
        assert caller.ask(request(target="/now")).status == 200


def test_what_is_released_together_wakes_the_loop_once(monkeypatch: pytest.MonkeyPatch) -> None:
    woken: list[bool] = []
    with putting_off() as (app, running, _), ExitStack() as stack:
        callers = [stack.enter_context(running.calling()) for _ in range(20)]
        for number, caller in enumerate(callers):
            caller.send(request(target=f"/{number:02}"))
        completions = app.await_requests(20)
        listener = running.server._listener  # noqa: SLF001 - how often it is woken shows nowhere else
        pull, gate = listener.pull_trigger, Gate()
        listener.call_soon(next(iter(listener.channels())), partial(gate, HELD, _start))  # type: ignore[arg-type]
        gate.await_entries(1)

        def counted() -> None:
            woken.append(True)
            pull()

        monkeypatch.setattr(listener, "pull_trigger", counted)
        for completion in completions:
            completion.answer(saying(b"done"))
        gate.opened.set()
        assert [caller.answer().body for caller in callers] == [b"done!"] * 20
        assert len(woken) == 1


def test_what_is_put_off_begins_when_all_is_read_that_callers_have_sent() -> None:
    events: list[str] = []

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        if environ["PATH_INFO"] == "/now":
            return echo(environ, start_response)
        completion: Completion = environ["taskflow.later"]()
        events.append("read")
        completion.begin_soon(partial(events.append, "begun"))
        completion.begin_soon(partial(completion.answer, saying(b"done")))
        return []

    with serving(app, in_loop=True) as running, ExitStack() as stack:
        callers = [stack.enter_context(running.calling()) for _ in range(20)]
        for caller in callers:
            assert caller.ask(request(target="/now")).status == 200
        listener, gate = running.server._listener, Gate()  # noqa: SLF001 - else it takes one by one
        listener.call_soon(next(iter(listener.channels())), partial(gate, HELD, _start))  # type: ignore[arg-type]
        gate.await_entries(1)
        for caller in callers:
            caller.send(request(target="/later"))
        gate.opened.set()
        assert [caller.answer().body for caller in callers] == [b"done!"] * 20
    assert events == ["read"] * 20 + ["begun"] * 20


HELD: WSGIEnvironment = {"wsgi.input": io.BytesIO()}


def _start(*_: object) -> Callable[[bytes], object]:
    return lambda _: None


def test_a_caller_that_leaves_does_not_keep_its_answer_from_being_made() -> None:
    made: list[bool] = []
    with putting_off() as (app, running, ledger):
        with running.calling() as caller:
            caller.send(request(target="/later"))
            (completion,) = app.await_requests(1)
            reset(caller.socket)
        assert ledger.releases == [0]

        def make() -> PiecewiseResponse:
            made.append(True)
            return saying(b"")()

        completion.answer(make)
        eventually(lambda: ledger.releases == [1])
        assert made == [True]


def test_a_second_answer_is_ignored() -> None:
    with putting_off() as (app, running, ledger), running.calling() as caller:
        caller.send(request(target="/later"))
        (completion,) = app.await_requests(1)
        completion.answer(saying(b"first"))
        completion.answer(saying(b"second"))
        assert caller.answer().body == b"first!"
        assert caller.ask(request(target="/now")).status == 200
        assert ledger.releases == [1, 1]


@pytest.mark.parametrize("how", [Completion.answer, Completion.answer_aside])
def test_a_fault_in_making_an_answer_is_logged_once_and_answered(
    how: Callable[..., None], expected_logs: pytest.LogCaptureFixture
) -> None:
    with putting_off() as (app, running, ledger), running.calling() as caller:
        caller.send(request(target="/later"))
        how(app.await_requests(1)[0], fail)
        answer = caller.answer()
        assert (answer.status, answer.code) == (500, "internal_error")
        assert is_over(caller)
        assert ledger.releases == [1]
    assert [record.getMessage() for record in expected_logs.records] == ["request r1 failed"]


def test_an_application_that_fails_after_it_put_its_answer_off_is_answered_500_once(
    expected_logs: pytest.LogCaptureFixture,
) -> None:
    put_off: list[Completion] = []

    def app(environ: WSGIEnvironment, _: StartResponse) -> list[bytes]:
        put_off.append(environ["taskflow.later"]())
        raise ZeroDivisionError

    with serving(app, in_loop=True) as running, running.calling() as caller:
        caller.send(request())
        assert caller.answer().status == 500
        put_off[0].answer(saying(b"late"))
        assert is_over(caller)
    assert len(expected_logs.records) == 1


def test_an_answer_to_head_has_a_length_and_no_body() -> None:
    with putting_off() as (app, running, _), running.calling() as caller:
        caller.send(request(target="/later", method="HEAD"))
        app.await_requests(1)[0].answer(saying(b"done"))
        assert caller.answer("HEAD").headers["content-length"] == "5"
        assert caller.ask(request(target="/now")).status == 200


def test_what_takes_long_is_made_by_a_worker_and_the_urgent_by_another() -> None:
    gate = Gate()
    order: list[str] = []

    def held() -> PiecewiseResponse:
        gate(HELD, _start)
        return saying(b"held")()

    def noting(name: str) -> Callable[[], PiecewiseResponse]:
        def make() -> PiecewiseResponse:
            order.append(name)
            return saying(name.encode())()

        return make

    with putting_off(threads=1) as (app, running, _), ExitStack() as stack:
        callers = [stack.enter_context(running.calling()) for _ in range(4)]
        for number, caller in enumerate(callers):
            caller.send(request(target=f"/{number}"))
        first, *others = app.await_requests(4)
        first.answer_aside(held)
        gate.await_entries(1)
        for number, completion in enumerate(others):
            completion.answer_aside(noting(f"{number}"), urgent=number == 2)
        assert callers[3].answer().body == b"2!", "it waits for none of the others"
        gate.opened.set()
        answers = [caller.answer() for caller in callers[:3]]
    assert [answer.body for answer in answers] == [b"held!", b"0!", b"1!"]
    assert order == ["2", "0", "1"]
    assert all(answer.headers["x-made-in"] != running.thread.name for answer in answers)


def test_a_drain_waits_for_an_answer_that_is_put_off() -> None:
    with putting_off() as (app, running, ledger), ExitStack() as stack:
        callers = [stack.enter_context(running.calling()) for _ in range(3)]
        for number, caller in enumerate(callers):
            caller.send(request(target=f"/{number}"))
        completions = app.await_requests(3)
        reset(callers[2].socket)
        begin_to_stop(running)
        for completion in completions[:2]:
            completion.answer(saying(b"done"))
        answers = [caller.answer() for caller in callers[:2]]
        assert [(answer.status, answer.keeps_alive) for answer in answers] == [(200, False)] * 2
        assert running.thread.is_alive(), "it waits for what its caller does not wait for"
        completions[2].answer_aside(saying(b"done"))
    assert running.drained == [True]
    assert ledger.releases == [1, 1, 1]


def test_a_drain_that_ends_before_an_answer_says_so(
    expected_logs: pytest.LogCaptureFixture,
) -> None:
    with putting_off(drain_seconds=0.2) as (app, running, ledger), running.calling() as caller:
        caller.send(request(target="/later"))
        (completion,) = app.await_requests(1)
        running.stop()
        assert is_over(caller)
        completion.answer(saying(b"too late"))
    assert running.drained == [False]
    assert ledger.releases == [0]
    assert len(expected_logs.records) == 1


def test_a_large_answer_that_nobody_takes_holds_up_nobody() -> None:
    clock = Clock()
    options: dict[str, Any] = {"clock": clock, "waiting_bytes": 2 * LARGE + 10_000}
    with putting_off(**options) as (app, running, ledger), ExitStack() as stack:
        slow = [stack.enter_context(running.calling()) for _ in range(3)]
        for number, caller in enumerate(slow):
            caller.send(request(target=f"/{number}"))
            pieces = (b"x" * (LARGE - 1), b"y")  # the system may take half of it at once
            app.await_requests(number + 1)[-1].answer(lambda pieces=pieces: (200, (), pieces))  # type: ignore[misc]
            caller.socket.recv(1)
        with running.calling() as other:
            assert other.ask(request(target="/now")).status == 200
        eventually(lambda: sum(ledger.releases) == 2)
        await_looks(clock)
        assert ledger.releases.count(0) == 2, "of three, one is given up; two wait"


def test_a_permit_is_released_with_the_last_bytes() -> None:
    with putting_off() as (app, running, ledger), running.calling() as caller:
        caller.send(request(target="/later"))
        app.await_requests(1)[0].answer(lambda: (200, (), (b"x" * LARGE, b"y")))
        caller.take(1_000)
        assert ledger.releases == [0]
        body = caller.answer().body
        assert (len(body), ledger.releases) == (LARGE + 1, [1])


def test_a_half_closed_caller_has_all_its_answers() -> None:
    with putting_off() as (app, running, _), running.calling() as caller:
        caller.send(request(target="/now") + request(target="/later") + request(target="/now"))
        caller.socket.shutdown(1)
        app.await_requests(1)[0].answer(saying(b"done"))
        assert [caller.answer().status for _ in range(3)] == [200] * 3
        assert caller.rest() == b""


def test_an_answer_may_come_before_the_application_returns() -> None:
    def app(environ: WSGIEnvironment, _: StartResponse) -> list[bytes]:
        thread = threading.Thread(
            target=environ["taskflow.later"]().answer, args=(saying(b"early"),)
        )
        thread.start()
        thread.join(PATIENCE)
        return []

    with serving(app, in_loop=True) as running, running.calling() as caller:
        for _ in range(3):
            assert caller.ask(request()).body == b"early!"
