"""Strangers' connections, however many and however often, do not keep an honest caller waiting."""

from __future__ import annotations

import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest
from attrs import frozen

from tests.whole.answers import read_answers
from tests.whole.crowding import PHASES, crowding
from tests.whole.dripping import Served, be_honest
from tests.whole.figures import show
from tests.whole.gateway import Place, RunningGateway
from tests.whole.honest import UNLIMITED, logged, received
from tests.whole.vitals import Vitals, eventually

PROBE = b"GET /healthz HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n\r\n"
SHUT_OUT_SECONDS, MOST_MIB = 10.0, 256.0
"""Who waits for so long is shut out; how fast it is otherwise is a figure that is shown."""


@frozen
class Crowded:
    """How it went."""

    what: str
    opened: int
    honest: Served
    probes: list[float]
    memory_mib: float

    def __str__(self) -> str:
        """Say it in a line."""
        return (
            f"{self.what}: {self.opened} connections, {self.honest.requests} honest requests:"
            f" p50 {self.honest.p50} ms, p99 {self.honest.p99} ms; {len(self.probes)} probes,"
            f" the slowest {max(self.probes) * 1000:.0f} ms; {self.memory_mib} MiB"
        )


def probe_until(place: Place, over: Event) -> list[float]:
    """Ask whether the gateway is well, again and again."""
    took: list[float] = []
    while not over.wait(0.05):
        began = time.monotonic()
        with socket.create_connection((place.host, place.port), 20) as sock:
            sock.sendall(PROBE)
            (answer,) = read_answers(received(sock))
        assert answer.status == 200
        took.append(time.monotonic() - began)
    return took


def crowded(
    gateway: RunningGateway, phase: str, *, count: int, seconds: float, source: str = ""
) -> Crowded:
    """Crowd a gateway for some seconds, and ask it meanwhile."""
    place, over = gateway.place, Event()
    with crowding(place, count, phase, source) as opened, ThreadPoolExecutor(2) as beside:
        eventually(lambda: Vitals.of(gateway.pid).sockets > 30, "the crowd is there")
        honest = beside.submit(be_honest, place, over, 0.01)
        probes = beside.submit(probe_until, place, over)
        over.wait(seconds)
        memory = Vitals.of(gateway.pid).memory_mib
        over.set()
        served, probed = honest.result(), probes.result()
    return Crowded(phase, opened[0], served, probed, memory)


def gateway_of(folder: Path, **server: object) -> RunningGateway:
    """Make a gateway that limits nobody's rate, with the default time for a head."""
    own = {"limits": UNLIMITED, "server": {"coreDumps": True, **server}}
    gateway = RunningGateway.of_contract(folder, own)
    gateway.options = ("--json",)
    return gateway


@pytest.mark.full
@pytest.mark.skipif(sys.platform != "linux", reason="memory and sockets are read from /proc")
@pytest.mark.parametrize("source", ["", "127.0.0.9"], ids=["same address", "another address"])
@pytest.mark.parametrize("phase", PHASES)
def test_2600_sockets_that_open_again_keep_nobody_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], phase: str, source: str
) -> None:
    with gateway_of(tmp_path) as gateway:
        result = crowded(gateway, phase, count=2_600, seconds=8, source=source)
        show(capsys, result)
        warnings = [record for record in logged(gateway) if "gave way" in record["event"]]
    assert result.honest.p99 < 1000 * SHUT_OUT_SECONDS
    assert max(result.probes) < SHUT_OUT_SECONDS
    assert result.memory_mib < MOST_MIB
    assert len(warnings) <= 2


@pytest.mark.skipif(sys.platform != "linux", reason="memory and sockets are read from /proc")
def test_a_crowd_that_opens_again_whatever_is_closed_keeps_nobody_out(tmp_path: Path) -> None:
    with gateway_of(tmp_path, connections=100) as gateway:
        result = crowded(gateway, "half a head", count=300, seconds=1)
        assert result.honest.requests > 3
        assert len(result.probes) > 3
        assert Vitals.of(gateway.pid).sockets < 150
