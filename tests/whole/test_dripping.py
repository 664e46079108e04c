"""Callers that drip are told that their time is over, and slow nobody down."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import pytest
from attrs import frozen

from tests.whole.answers import envelope_fault
from tests.whole.dripping import (
    Client,
    Dripper,
    Served,
    be_honest,
    body_dripper,
    drip_until_answered,
    head_dripper,
)
from tests.whole.figures import show
from tests.whole.gateway import RunningGateway
from tests.whole.honest import alarms, gateway_under_attack, logged_requests
from tests.whole.vitals import eventually

EARLY, LATE = 0.1, 1.0
MOST_MS = 250.0


@frozen
class Ordeal:
    """What came of it."""

    drippers: Sequence[Dripper]
    honest: Served

    @property
    def seconds(self) -> list[float]:
        """When each dripping caller was answered."""
        return [dripper.seconds or 0.0 for dripper in self.drippers]

    def __str__(self) -> str:
        """Say it in a line."""
        first, last = min(self.seconds), max(self.seconds)
        return (
            f"{len(self.drippers)} dripping callers, answered after {first:.2f} to {last:.2f} s;"
            f" {self.honest.requests} honest requests: p50 {self.honest.p50} ms,"
            f" p99 {self.honest.p99} ms, the slowest {self.honest.slowest} ms"
        )


@contextmanager
def honest_caller(gateway: RunningGateway, pause: float) -> Iterator[list[Served]]:
    """Let somebody ask for flows meanwhile; how that went is there at the end."""
    over, served = Event(), list[Served]()
    with ThreadPoolExecutor(1) as beside:
        asking = beside.submit(be_honest, gateway.place, over, pause)
        try:
            yield served
        finally:
            over.set()
        served.append(asking.result())


def endure(
    gateway: RunningGateway, clients: Sequence[Client], *, every: float, deadline: float
) -> Ordeal:
    """Let half of the clients drip in the head of a request, and half in its body."""
    half = len(clients) // 2
    drippers = [
        *(head_dripper(gateway.place, client) for client in clients[:half]),
        *(body_dripper(gateway.place, client) for client in clients[half:]),
    ]
    with honest_caller(gateway, pause=0.02) as served:
        drip_until_answered(drippers, every, patience=deadline + 10)
    return Ordeal(drippers, served[0])


def assert_all_were_timed_out(ordeal: Ordeal, deadline: float) -> None:
    answers = [dripper.answer() for dripper in ordeal.drippers]
    assert {(answer.status, answer.json["code"]) for answer in answers} == {
        (408, "request_timeout")
    }
    assert [fault for answer in answers if (fault := envelope_fault(answer))] == []
    assert deadline - EARLY <= min(ordeal.seconds) <= max(ordeal.seconds) <= deadline + LATE


def assert_each_is_one_line(gateway: RunningGateway, ordeal: Ordeal) -> None:
    told = [dripper.answer().request_id for dripper in ordeal.drippers]

    def logged() -> list[str]:
        return [request_id for request_id, status in logged_requests(gateway) if status == 408]

    # NOTE: lines are written together, a little after the answers.
    eventually(lambda: len(logged()) >= len(told), "each is logged")
    assert sorted(logged()) == sorted(told)
    assert alarms(gateway) == []


def test_dripping_callers_are_timed_out_while_an_honest_one_is_served(tmp_path: Path) -> None:
    clients = [Client(forwarded=f"198.51.100.{number}") for number in range(60)]
    with gateway_under_attack(tmp_path, inFlight=1) as gateway:
        ordeal = endure(gateway, clients, every=0.1, deadline=1.0)
        assert_all_were_timed_out(ordeal, 1.0)
        assert_each_is_one_line(gateway, ordeal)
        assert ordeal.honest.p50 < MOST_MS


@pytest.mark.full
def test_five_hundred_dripping_callers_are_timed_out_after_fifteen_seconds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """They come from addresses of their own, of which loopback has so many on Linux only."""
    clients = [Client(source=f"127.0.{1 + n // 250}.{1 + n % 250}") for n in range(500)]
    limits = {"headSeconds": 15, "bodySeconds": 15, "inFlight": 8}
    with gateway_under_attack(tmp_path, **limits) as gateway:
        ordeal = endure(gateway, clients, every=1.0, deadline=15.0)
        show(capsys, ordeal)
        assert_all_were_timed_out(ordeal, 15.0)
        assert_each_is_one_line(gateway, ordeal)
        assert ordeal.honest.p99 < MOST_MS
