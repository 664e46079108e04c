"""Those who are not known take turns, and who is known does not wait for them."""

from __future__ import annotations

import select
import socket
from contextlib import ExitStack
from typing import Any

import pytest

from adapters.server import Head, RawResponse
from adapters.server.fair_queue import FairQueue, FairQueues
from domain.application.limits import Limits
from tests.server.running import CountedTicket, Ledger, Running, echo, serving
from tests.server.test_strangers import KNOWN, REFUSED, Loop, crowd
from tests.server.wire import Caller, calling, request

MANY = 100
"""More than wait in peace."""


class LoopWithOrder(Loop):
    """A loop that can be held up, and says from where the requests came that it decided on."""

    def __init__(self) -> None:
        super().__init__()
        self.peers: list[str] = []

    def admit(self, head: Head) -> CountedTicket | RawResponse | None:
        """Note who asks."""
        self.peers.append(head.peer)
        return super().admit(head)


def held_up(stack: ExitStack, loop: Loop, running: Running) -> Caller:
    """Hold up the loop by a caller that is known."""
    known = stack.enter_context(running.calling())
    loop.stop(known)
    return known


def answered(callers: list[Caller]) -> int:
    """Count the callers that have an answer, or were closed."""
    return len(select.select([caller.socket for caller in callers], [], [], 0)[0])


def test_a_fair_queue_gives_one_of_each_name_in_the_order_in_which_they_came() -> None:
    queue = FairQueue[str]()
    for item in ("a1", "a2", "a3", "b1", "c1", "b2"):
        queue.put(item[0], item)
    assert (len(queue), queue.count("a"), queue.count("d")) == (6, 3, 0)
    assert queue.take() == "a1"
    queue.put("d", "d1")
    assert [queue.take() for _ in range(6)] == ["b1", "c1", "a2", "d1", "b2", "a3"]
    assert (len(queue), queue.count("a")) == (0, 0)


def test_fair_queues_give_one_of_each_kind_however_many_names_wait_in_another() -> None:
    queues = FairQueues[str](("probe", "refused"))
    for item in ("a1", "a2", "b1", "c1"):
        queues.put("refused", item[0], item)
    queues.put("probe", "d", "d1")
    queues.put("probe", "a", "a3")
    assert (len(queues), queues.count("a"), queues.count("e")) == (6, 3, 0)
    taken = [queues.take() for _ in range(6)]
    assert [item for item in taken if item in {"a1", "b1", "c1", "a2"}] == ["a1", "b1", "c1", "a2"]
    assert {"d1", "a3"} < set(taken[:4])
    assert len(queues) == 0


@pytest.mark.usefixtures("expected_logs")
def test_one_connection_of_an_address_is_taken_in_before_the_second_of_another() -> None:
    if not socket.has_dualstack_ipv6():
        pytest.skip("this system has no IPv6 that serves IPv4, too")
    loop = LoopWithOrder()
    with serving(host="::", admit=loop.admit) as running, ExitStack() as stack:
        known = held_up(stack, loop, running)
        stack.enter_context(crowd(running, MANY, KNOWN))
        other = stack.enter_context(calling(("127.0.0.1", running.server.port)))
        other.send(KNOWN)
        loop.go_on(known)
        assert other.answer().status == 200
    assert loop.peers.index("::ffff:127.0.0.1") in {1, 2, 3}


@pytest.mark.usefixtures("expected_logs")
def test_who_is_known_waits_for_no_refusal_although_it_came_last() -> None:
    loop, refused, seen = Loop(), list[Caller](), list[int]()

    def app(environ: Any, start_response: Any) -> list[bytes]:  # noqa: ANN401 - as WSGI has it
        if environ["PATH_INFO"] == "/known":
            seen.append(answered(refused))
        return echo(environ, start_response)

    with serving(app, admit=loop.admit, in_loop=True) as running, ExitStack() as stack:
        known = held_up(stack, loop, running)
        refused += stack.enter_context(crowd(running, MANY, REFUSED))
        caller = stack.enter_context(running.calling())
        caller.send(request("Content-Length: 1", target="/known") + b"x")
        loop.go_on(known)
        assert caller.answer().status == 200
        assert [caller.answer().status for caller in refused] == [401] * MANY
    assert seen[0] < MANY // 2


@pytest.mark.usefixtures("expected_logs")
def test_an_open_question_waits_for_no_refusals_of_its_own_address() -> None:
    """A probe has no secret, and is answered all the same."""
    loop, refused, seen = Loop(), list[Caller](), list[int]()

    def app(environ: Any, start_response: Any) -> list[bytes]:  # noqa: ANN401 - as WSGI has it
        seen.append(answered(refused))
        return echo(environ, start_response)

    with serving(app, admit=loop.admit, in_loop=True) as running, ExitStack() as stack:
        known = held_up(stack, loop, running)
        refused += stack.enter_context(crowd(running, MANY, REFUSED))
        caller = stack.enter_context(running.calling())
        caller.send(request(target="/probe"))
        loop.go_on(known)
        assert caller.answer().status == 200
        assert [caller.answer().status for caller in refused] == [401] * MANY
    assert seen[-1] < MANY // 2


@pytest.mark.usefixtures("expected_logs")
@pytest.mark.parametrize(
    ("data", "status"),
    [
        (REFUSED, 401),
        (request("Content-Length: 2", target="/refused") + b"{}", 401),
        (request("Transfer-Encoding: chunked", target="/refused") + b"1\r\nx\r\n0\r\n\r\n", 401),
        (request("Transfer-Encoding: chunked", target="/refused") + b"nonsense\r\n", 401),
        (request("Content-Length: 9", "Expect: 100-continue", target="/refused"), 401),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (request("Content-Length: x"), 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
    ],
)
def test_who_is_refused_in_a_crowd_has_its_answer_and_no_place(data: bytes, status: int) -> None:
    loop = Loop()
    with serving(admit=loop.admit) as running, ExitStack() as stack:
        known = held_up(stack, loop, running)
        refused = stack.enter_context(crowd(running, MANY, data))
        loop.go_on(known)
        for caller in refused[: MANY // 4]:
            answer = caller.answer()
            assert (answer.status, answer.keeps_alive) == (status, False)
            assert caller.rest() == b""


@pytest.mark.usefixtures("expected_logs")
@pytest.mark.parametrize(
    ("framing", "first", "rest"),
    [
        ("Content-Length: 200000", b"x", b"x" * 199_999),
        ("Transfer-Encoding: chunked", b"1\r\n", b"x\r\n0\r\n\r\n"),
        ("Transfer-Encoding: chunked", b"1\r\nx\r\n0\r\n", b"\r\n"),
    ],
)
def test_who_is_refused_in_a_crowd_may_send_the_rest_of_its_body(
    framing: str, first: bytes, rest: bytes
) -> None:
    """The answer is not reset away; what follows the body is the next request."""
    loop = Loop()
    with serving(admit=loop.admit) as running, ExitStack() as stack:
        known = held_up(stack, loop, running)
        callers = stack.enter_context(
            crowd(running, MANY, request(framing, target="/refused") + first)
        )
        loop.go_on(known)
        for caller in callers:
            assert caller.answer().status == 401
        assert callers[0].ask(rest + KNOWN).status == 200


@pytest.mark.usefixtures("expected_logs")
def test_who_sends_too_much_in_a_crowd_has_its_answer() -> None:
    loop = Loop()
    with serving(admit=loop.admit) as running, ExitStack() as stack:
        known = held_up(stack, loop, running)
        callers = stack.enter_context(crowd(running, MANY, request("Content-Length: 300000")))
        loop.go_on(known)
        for caller in callers:
            assert caller.ask(b"x" * 300_000).status == 413
            assert caller.rest() == b""


@pytest.mark.usefixtures("expected_logs")
def test_limits_that_change_hold_in_a_crowd() -> None:
    loop = Loop()
    with serving(admit=loop.admit) as running, ExitStack() as stack:
        known = held_up(stack, loop, running)
        callers = stack.enter_context(crowd(running, MANY, request("Content-Length: 9") + b"x"))
        running.server.limit(Limits(body_bytes=8))
        loop.go_on(known)
        assert [caller.answer().status for caller in callers] == [413] * MANY


@pytest.mark.usefixtures("expected_logs")
def test_what_follows_a_request_that_is_refused_in_a_crowd_is_answered_too() -> None:
    loop = Loop()
    chunked = request("Transfer-Encoding: chunked", target="/refused") + b"1\r\nx\r\n0\r\n\r\n"
    with serving(admit=loop.admit) as running, ExitStack() as stack:
        known = held_up(stack, loop, running)
        callers = stack.enter_context(crowd(running, MANY, chunked + KNOWN))
        loop.go_on(known)
        for caller in callers:
            assert [caller.answer().status for _ in range(2)] == [401, 200]


@pytest.mark.usefixtures("expected_logs")
def test_a_known_caller_of_a_crowd_gives_its_permit_back() -> None:
    ledger, loop = Ledger(), Loop()

    def admit(head: Head) -> CountedTicket | RawResponse | None:
        return ledger.admit(head) if head.path == "/known" else loop.admit(head)

    with serving(admit=admit) as running, ExitStack() as stack:
        known = held_up(stack, loop, running)
        callers = stack.enter_context(crowd(running, MANY, KNOWN))
        loop.go_on(known)
        assert [caller.answer().status for caller in callers] == [200] * MANY
    assert ledger.releases == [1] * MANY


@pytest.mark.usefixtures("expected_logs")
def test_who_is_silent_in_a_crowd_may_ask_later() -> None:
    loop = Loop()
    with serving(admit=loop.admit) as running, ExitStack() as stack:
        known = held_up(stack, loop, running)
        callers = stack.enter_context(crowd(running, MANY))
        loop.go_on(known)
        assert [caller.ask(REFUSED).status for caller in callers] == [401] * MANY


@pytest.mark.usefixtures("expected_logs")
def test_a_stop_answers_those_who_wait_for_their_turn() -> None:
    loop = Loop()
    with serving(admit=loop.admit) as running, ExitStack() as stack:
        known = held_up(stack, loop, running)
        refused = stack.enter_context(crowd(running, MANY, REFUSED))
        running.server.stop()
        loop.go_on(known)
        assert [caller.answer().status for caller in refused] == [401] * MANY
        running.stop()
    assert running.drained == [True]


def test_callers_that_leave_before_they_are_taken_in_take_no_place() -> None:
    loop = Loop()
    with serving(admit=loop.admit, connections_per_address=20) as running:
        with ExitStack() as stack:
            known = held_up(stack, loop, running)
            with crowd(running, 60):
                pass
            loop.go_on(known)
            assert known.ask(KNOWN).status == 200
        with running.calling() as caller:
            assert caller.ask(KNOWN).status == 200


@pytest.mark.usefixtures("expected_logs")
def test_one_address_leaves_others_room_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 60 places to wait one address has 40; what then comes of it is reset."""
    if not socket.has_dualstack_ipv6():
        pytest.skip("this system has no IPv6 that serves IPv4, too")
    monkeypatch.setattr("adapters.server.sockets.WAITING", 60)
    loop = Loop()
    with serving(host="::", admit=loop.admit) as running, ExitStack() as stack:
        known = held_up(stack, loop, running)
        callers = stack.enter_context(crowd(running, MANY, KNOWN))
        other = stack.enter_context(calling(("127.0.0.1", running.server.port)))
        other.send(KNOWN)
        loop.go_on(known)
        assert other.answer().status == 200
        assert sum(is_reset(caller) for caller in callers) >= 20


def is_reset(caller: Caller) -> bool:
    """Say whether a connection was reset, and not answered."""
    try:
        return caller.answer().status != 200
    except ConnectionResetError:
        return True


def test_a_proxy_may_have_all_the_room_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.server.sockets.WAITING", 60)
    loop = Loop()
    with (
        serving(admit=loop.admit, neighbourhood=lambda _: None) as running,
        ExitStack() as stack,
    ):
        known = held_up(stack, loop, running)
        callers = stack.enter_context(crowd(running, MANY, KNOWN))
        loop.go_on(known)
        assert [caller.answer().status for caller in callers] == [200] * MANY
