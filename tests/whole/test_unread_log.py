"""A gateway whose log or output nobody reads, or nobody can: it serves, and it stops when asked."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.whole.callers import Caller
from tests.whole.gateway import ROOT, Place, RunningGateway
from tests.whole.vitals import eventually

DRAIN_SECONDS = 2.0
STOP_WITHIN = DRAIN_SECONDS + 4.0
"""Seconds: the drain, one more for the log, and what a machine at work needs."""

OWN = {
    "limits": {"rateRequests": 1_000_000, "inFlight": 1_000},
    "server": {"drainSeconds": DRAIN_SECONDS},
}


class Reader:
    """Reads a pipe, at so many bytes a second, from when it is asked to."""

    def __init__(self) -> None:
        self.reading, self.writing = os.pipe()
        self.text = ""
        self._thread = threading.Thread(target=self._read)
        self._pause = 0.0

    def begin(self, pause: float = 0.0) -> None:
        """Read from now on, with a pause between two blocks."""
        self._pause = pause
        self._thread.start()

    def hurry(self) -> None:
        """Read without pauses."""
        self._pause = 0.0

    def close(self) -> None:
        """Close our writing end, and read to the end."""
        os.close(self.writing)
        if self._thread.ident is None:
            self.begin()
        self._thread.join()
        os.close(self.reading)

    def _read(self) -> None:
        while block := os.read(self.reading, 4_096):
            self.text += block.decode()
            time.sleep(self._pause)

    @property
    def requests(self) -> int:
        """How many requests are in the log, or were dropped from it."""
        counted = re.findall(r"WARNING log lines dropped lines=(\d+)\n", self.text)
        return len(re.findall(r" INFO request .*\n", self.text)) + sum(map(int, counted))


@contextmanager
def reader() -> Iterator[Reader]:
    made = Reader()
    yield made
    made.close()


def is_listening(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return False
    return True


def ask(place: Place, many: int) -> None:
    """Send so many requests, the last of them asking whether it lives; all are answered."""
    with Caller(place) as caller:
        assert caller.act("create_flow", goal="unread").status == 200
        for _ in range(many - 2):
            assert caller.act("find_latest_flow").status == 200
    probe = HTTPConnection(place.host, place.port, timeout=10)
    probe.request("GET", "/healthz")
    assert probe.getresponse().status == 200
    probe.close()


def test_a_log_that_nobody_reads_stops_nothing(tmp_path: Path) -> None:
    gateway = RunningGateway.of_contract(tmp_path, OWN)
    with reader() as log:
        gateway.stderr = log.writing
        with gateway:
            ask(gateway.place, 2_000)
            began = time.monotonic()
            assert gateway.stop() == 0
            assert time.monotonic() - began < STOP_WITHIN


@pytest.mark.full
def test_what_a_late_reader_missed_is_counted(tmp_path: Path) -> None:
    gateway = RunningGateway.of_contract(tmp_path, OWN)
    with reader() as log:
        gateway.stderr = log.writing
        with gateway:
            ask(gateway.place, 8_000)
            log.begin()
            ask(gateway.place, 10)
            assert gateway.stop() == 0
    assert log.requests == 8_010
    assert "log lines dropped" in log.text
    assert "INFO stopped drained=True\n" in log.text


@pytest.mark.full
def test_a_log_that_is_read_slowly_under_load_loses_only_what_it_counts(tmp_path: Path) -> None:
    gateway = RunningGateway.of_contract(tmp_path, OWN)
    with reader() as log:
        gateway.stderr = log.writing
        with gateway:
            log.begin(pause=0.05)
            callers = [
                threading.Thread(target=ask, args=(gateway.place, many)) for many in [4_000] * 4
            ]
            for caller in callers:
                caller.start()
            for caller in callers:
                caller.join()
            log.hurry()
            assert gateway.stop() == 0
    assert log.requests == 16_000
    assert "log lines dropped" in log.text
    assert "INFO stopped drained=True\n" in log.text


def closed_pipe() -> int:
    reading, writing = os.pipe()
    os.close(reading)
    return writing


def full_pipe() -> int:
    """Return the writing end of a pipe that is full; its reading end stays open, unread."""
    _, writing = os.pipe()
    os.set_blocking(writing, False)
    while True:
        try:
            os.write(writing, b"x" * 4_096)
        except BlockingIOError:
            os.set_blocking(writing, True)
            return writing


def full_disk() -> int:
    return os.open("/dev/full", os.O_WRONLY)


@pytest.mark.parametrize("dead", [closed_pipe, full_pipe, full_disk])
def test_a_dead_output_is_no_reason_to_stop(tmp_path: Path, dead: Callable[[], int]) -> None:
    gateway = RunningGateway.of_contract(tmp_path, OWN)
    gateway.stdout = dead()
    with gateway:
        ask(gateway.place, 2)
        assert gateway.stop() == 0
    assert re.search(r"INFO listening host=127.0.0.1 port=\d+\n", gateway.logs)


@pytest.mark.parametrize("dead", [closed_pipe, full_pipe, full_disk])
def test_a_dead_log_is_no_reason_to_stop(tmp_path: Path, dead: Callable[[], int]) -> None:
    gateway = RunningGateway.of_contract(tmp_path, OWN)
    gateway.stderr = dead()
    with gateway:
        ask(gateway.place, 20)
        began = time.monotonic()
        assert gateway.stop() == 0
        assert time.monotonic() - began < STOP_WITHIN


@pytest.mark.parametrize("dead", [closed_pipe, full_pipe, full_disk])
def test_a_start_that_fails_beside_a_dead_log_ends(dead: Callable[[], int]) -> None:
    command = [sys.executable, "-m", "app", "serve", "--config", "/no/such/file"]
    ran = subprocess.run(command, cwd=ROOT, stderr=dead(), timeout=20, check=False)  # noqa: S603 - our own
    assert ran.returncode == 2


SIDE_BY_SIDE = """
import os, subprocess, sys
for descriptor in (0, 1, 2):
    os.close(descriptor)
os.execv(sys.executable, [sys.executable, "-m", "app", *sys.argv[1:]])
"""


def test_a_gateway_without_standard_streams_logs_into_no_file_of_its_own(tmp_path: Path) -> None:
    gateway = RunningGateway.of_contract(tmp_path, OWN)
    with gateway:
        assert gateway.stop() == 0
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-c", SIDE_BY_SIDE, "serve", "--config", str(gateway.config)]
    place = ["--database", f"sqlite:///{gateway.database}", "--port", str(port)]
    with subprocess.Popen([*command, *place], cwd=ROOT) as process:  # noqa: S603 - our own
        there = Place(f"http://127.0.0.1:{port}", "127.0.0.1", port)
        eventually(lambda: is_listening(port), "it listens")
        ask(there, 20)
        process.terminate()
        assert process.wait(20) == 0
    for file in tmp_path.iterdir():
        if file.name != "gateway.log":
            assert b"INFO" not in file.read_bytes(), file
