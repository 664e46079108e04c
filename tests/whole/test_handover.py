"""One gateway takes a store over from another that stops, or says who still has it."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.whole.gateway import GatewayFailedError, RunningGateway
from tests.whole.vitals import eventually


def successor(folder: Path, seconds: int) -> RunningGateway:
    """Make another gateway of the same configuration on the same store."""
    gateway = RunningGateway.of_contract(folder)
    gateway.options = ("--wait", str(seconds))
    gateway.log_name = "successor.log"
    return gateway


def starts_in_vain(gateway: RunningGateway) -> None:
    with pytest.raises(GatewayFailedError):
        gateway.start()


def test_a_gateway_waits_for_the_store_of_one_that_stops(tmp_path: Path) -> None:
    last, following = RunningGateway.of_contract(tmp_path), successor(tmp_path, 60)
    last.start()
    starting = threading.Thread(target=following.start)
    starting.start()
    line = f"waiting for the store pid={last.pid} seconds=60"
    eventually(lambda: line in following.logs, "the next gateway says for whom it waits")
    assert following.process.poll() is None
    assert last.stop() == 0
    starting.join()
    assert following.logs.count("waiting for the store") == 1
    assert following.stop() == 0


@pytest.mark.parametrize("seconds", [0, 1])
def test_a_store_that_is_not_given_back_is_refused_in_the_end(tmp_path: Path, seconds: int) -> None:
    with RunningGateway.of_contract(tmp_path) as last:
        following = successor(tmp_path, seconds)
        with pytest.raises(GatewayFailedError, match=rf"in use by .* \(pid {last.pid}\)"):
            following.start()
        assert following.process.returncode == 2
        assert following.logs.count("waiting for the store") == seconds
        assert last.process.poll() is None


def test_a_gateway_that_waits_can_be_stopped(tmp_path: Path) -> None:
    with RunningGateway.of_contract(tmp_path):
        following = successor(tmp_path, 60)
        starting = threading.Thread(target=starts_in_vain, args=(following,))
        starting.start()
        eventually(lambda: "waiting for the store" in following.logs, "the next gateway waits")
        following.process.terminate()
        starting.join()
        assert following.process.returncode == 0
