"""Many connections at once."""

import socket
import threading
import time
from contextlib import ExitStack

from tests.server.running import Ledger, Running, is_over, serving
from tests.server.wire import Caller, calling, request


def callers(stack: ExitStack, running: Running, count: int) -> list[Caller]:
    return [stack.enter_context(calling(running.address)) for _ in range(count)]


def drip(dripping: list[Caller], until: threading.Event) -> None:
    """Send a byte a turn on every connection."""
    while not until.wait(0.25):
        for caller in dripping:
            try:
                caller.socket.send(b"x", socket.MSG_DONTWAIT)
            except OSError:  # its time was over
                continue


def ask_until(running: Running, until: threading.Event, seconds: list[float]) -> None:
    with calling(running.address) as caller:
        while not until.wait(0.005):
            begin = time.monotonic()
            assert caller.ask(request(body=b"honest")).json["body"] == "honest"
            seconds.append(time.monotonic() - begin)


def test_dripping_callers_are_answered_in_time_and_do_not_slow_an_honest_one() -> None:
    ledger, over = Ledger(), threading.Event()
    seconds: list[float] = []
    with (
        serving(admit=ledger.admit, body_seconds=2.0, connections_per_address=400) as running,
        ExitStack() as stack,
    ):
        dripping = callers(stack, running, 300)
        begin = time.monotonic()
        for caller in dripping:
            caller.send(request("Content-Length: 1000"))
        threads = [
            threading.Thread(target=drip, args=(dripping, over)),
            threading.Thread(target=ask_until, args=(running, over, seconds)),
        ]
        for thread in threads:
            thread.start()
        statuses = [caller.answer().status for caller in dripping]
        took = time.monotonic() - begin
        over.set()
        for thread in threads:
            thread.join()
    assert statuses == [408] * 300
    assert 1.9 < took < 4.0
    assert len(seconds) > 20
    assert sorted(seconds)[len(seconds) * 99 // 100] < 0.5
    assert set(ledger.releases) == {1}


def test_more_connections_than_select_can_hold_are_served() -> None:
    with (
        serving(idle_seconds=60.0, connections_per_address=520) as running,
        ExitStack() as stack,
    ):
        crowd = callers(stack, running, 520)
        for caller in crowd:
            caller.send(request())
        assert [caller.answer().status for caller in crowd] == [200] * 520


def test_a_server_without_work_needs_no_processor() -> None:
    with serving(idle_seconds=60.0) as running, ExitStack() as stack:
        crowd = callers(stack, running, 50)
        for caller in crowd[::2]:
            assert caller.ask(request()).status == 200
        for caller in crowd[1::3]:
            caller.send(request("Content-Length: 5"))
        begin = time.process_time()
        time.sleep(1.0)  # the stretch of time that is measured
        assert time.process_time() - begin < 0.1


def test_a_refused_caller_that_lingers_needs_no_processor() -> None:
    with serving(linger_seconds=1.5) as running, running.calling() as caller:
        assert caller.ask(b"nonsense\r\n").status == 400
        assert is_over(caller)
        caller.send(b"x" * 100_000)
        begin = time.process_time()
        time.sleep(0.5)  # the stretch of time that is measured
        assert time.process_time() - begin < 0.1
