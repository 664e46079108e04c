"""A gateway that is told to stop under load answers what it accepted, and takes in nothing new."""

from __future__ import annotations

import json
import random
import signal
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from tests.contract.wire_client import Address, HeldRequest, Outgoing, Wire
from tests.whole.callers import Document, Request
from tests.whole.gateway import LOOK_EVERY_SECONDS, Place, RunningGateway
from tests.whole.stored import assert_holds_exactly, assert_nothing_to_rebuild
from tests.whole.writers import Acknowledged, Writer, crowd, writing

DRAIN_SECONDS = 10.0
OWN = {
    "limits": {"rateRequests": 1_000_000, "inFlight": 100},
    "server": {"drainSeconds": DRAIN_SECONDS},
}
HEADERS = (
    ("Authorization", "Bearer plain-secret-zapier"),
    ("Content-Type", "application/json"),
)


def test_a_stop_under_load_loses_nothing_that_was_accepted(tmp_path: Path) -> None:
    _stop_again_and_again(tmp_path, seed=0, rounds=3)


@pytest.mark.full
@pytest.mark.parametrize("seed", range(1, 6))
def test_ten_stops_under_load_lose_nothing_that_was_accepted(tmp_path: Path, seed: int) -> None:
    _stop_again_and_again(tmp_path, seed=seed, rounds=10)


def _stop_again_and_again(folder: Path, *, seed: int, rounds: int) -> None:
    """Stop a gateway several times on one file, and compare the file with what callers know.

    The load and the moments of the stops follow from the seed, which the name of the test shows.
    """
    choice = random.Random(seed)  # noqa: S311 - moments, no secret
    gateway = RunningGateway.of_contract(folder, OWN)
    writers = crowd(seed, choice.randrange(4, 9))
    held: list[Acknowledged] = []
    with gateway:
        for number in range(rounds):
            slow = Request({"action": "create_flow", "goal": "slow"}, f"s{seed}slow{number}")
            result = _stop(gateway, writers, slow, seconds=choice.uniform(0.02, 0.4))
            held.append(Acknowledged(slow, result))
            told = [entry for writer in writers for entry in writer.acknowledged]
            assert [writer.faults for writer in writers if writer.faults] == []
            # What had no answer has no effect: what a caller sends again is not done twice.
            assert_holds_exactly(gateway.database, [*told, *held])
            gateway.start()
    assert_nothing_to_rebuild(gateway.database)
    assert "ERROR" not in gateway.logs
    assert "stopped before" not in gateway.logs


def _stop(
    gateway: RunningGateway, writers: Sequence[Writer], slow: Request, *, seconds: float
) -> Document:
    """Stop a gateway under load; a slow caller, whose result is returned, holds the drain up."""
    with writing(writers, gateway.place):
        held = _hold(gateway.place, slow)
        threading.Event().wait(seconds)
        stopped_at = time.monotonic()
        gateway.process.send_signal(signal.SIGTERM)
        _await_refusal(gateway.place)
        assert gateway.process.poll() is None
        answer = held.finish()
        code = gateway.process.wait(DRAIN_SECONDS)
    assert code == 0
    assert time.monotonic() - stopped_at < DRAIN_SECONDS
    unanswered = [writer for writer in writers if 0 < writer.sent_at < stopped_at]
    assert [(writer.name, stopped_at - writer.sent_at) for writer in unanswered] == []
    result: Document = json.loads(answer.body)["result"]
    return result


def _hold(place: Place, slow: Request) -> HeldRequest:
    """Send the head of a request, and keep its body back."""
    body = json.dumps(slow.document).encode()
    headers = (*HEADERS, *slow.headers.items())
    outgoing = Outgoing("POST", "/plugins/webhooks/zapier", headers, body, declared=len(body))
    return Wire(Address(place.host, place.port)).hold(outgoing)


def _await_refusal(place: Place) -> None:
    """Wait until new connections are refused."""
    address = Address(place.host, place.port)
    deadline = time.monotonic() + DRAIN_SECONDS
    while time.monotonic() < deadline:
        with suppress(ConnectionResetError):  # it waited where the gateway listened no more
            try:
                address.connect(DRAIN_SECONDS).close()
            except ConnectionRefusedError:
                return
        time.sleep(LOOK_EVERY_SECONDS)
    pytest.fail("new connections are still taken in")
