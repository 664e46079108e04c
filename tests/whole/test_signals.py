"""What each signal does to a real service, whenever it comes."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.contract.wire_client import Address, HeldRequest, Outgoing, Wire
from tests.whole.callers import Caller
from tests.whole.gateway import ROOT, RunningGateway
from tests.whole.vitals import eventually

DRAIN_SECONDS = 60.0
HARMLESS: dict[str, int] = {
    name: getattr(signal, name)
    for name in ["SIGUSR1", "SIGUSR2", "SIGALRM", "SIGVTALRM", "SIGPROF", "SIGIO"]
}
REAL_TIME: dict[str, int] = (
    {"SIGRTMIN": signal.SIGRTMIN, "SIGRTMIN+3": signal.SIGRTMIN + 3, "SIGRTMAX": signal.SIGRTMAX}
    if sys.platform == "linux"
    else {}
)
SECRET = "a-secret-of-more-than-16-characters"


def gateway_in(folder: Path) -> RunningGateway:
    return RunningGateway.of_contract(folder, {"server": {"drainSeconds": DRAIN_SECONDS}})


def hold(gateway: RunningGateway) -> HeldRequest:
    """Send the head of a request, which is then in flight until its body follows."""
    body = json.dumps({"action": "create_flow", "goal": "held"}).encode()
    headers = (
        ("Authorization", "Bearer plain-secret-zapier"),
        ("Content-Type", "application/json"),
    )
    outgoing = Outgoing("POST", "/plugins/webhooks/zapier", headers, body, declared=len(body))
    held = Wire(Address(gateway.place.host, gateway.place.port)).hold(outgoing)
    with Caller(gateway.place) as caller:  # its head was sent before, so it has been read by then
        assert caller.act("list_flows").status == 200
    return held


def await_line(gateway: RunningGateway, line: str) -> None:
    eventually(lambda: f" {line}" in gateway.logs, f"{line} is logged")


def test_a_signal_that_means_nothing_is_logged_and_cuts_no_request(tmp_path: Path) -> None:
    with gateway_in(tmp_path) as gateway:
        held = hold(gateway)
        for name, number in (HARMLESS | REAL_TIME).items():
            gateway.process.send_signal(number)
            await_line(gateway, f"INFO signal ignored signal={name} times=1\n")
        assert held.finish().status == 200
        assert gateway.stop() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_a_stop_answers_the_request_in_flight(tmp_path: Path, number: signal.Signals) -> None:
    with gateway_in(tmp_path) as gateway:
        held = hold(gateway)
        gateway.process.send_signal(number)
        await_line(gateway, f"INFO stopping signal={number.name} times=1\n")
        assert held.finish().status == 200
        assert gateway.process.wait(DRAIN_SECONDS) == 0
        assert gateway.logs.endswith("INFO stopped drained=True\n")


def test_a_burst_of_signals_is_a_few_lines(tmp_path: Path) -> None:
    with gateway_in(tmp_path) as gateway:
        for _ in range(2_000):
            gateway.process.send_signal(signal.SIGUSR2)
        gateway.process.send_signal(signal.SIGUSR1)
        await_line(gateway, "INFO signal ignored signal=SIGUSR1 times=1\n")
        assert gateway.stop() == 0
    times = re.findall(r"signal=SIGUSR2 times=(\d+)\n", gateway.logs)
    assert len(times) < 100  # at most five a second
    assert sum(map(int, times)) <= 2_000


def test_further_requests_to_stop_do_not_end_a_drain(tmp_path: Path) -> None:
    with gateway_in(tmp_path) as gateway:
        held = hold(gateway)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP):
            gateway.process.send_signal(number)
            await_line(gateway, f"signal={number.name} times=1\n")
        assert held.finish().status == 200
        assert gateway.process.wait(DRAIN_SECONDS) == 0


def test_ctrl_c_during_a_drain_ends_it(tmp_path: Path) -> None:
    with gateway_in(tmp_path) as gateway:
        held = hold(gateway)
        gateway.process.send_signal(signal.SIGTERM)
        await_line(gateway, "INFO stopping signal=SIGTERM times=1\n")
        gateway.process.send_signal(signal.SIGINT)
        assert gateway.process.wait(DRAIN_SECONDS / 2) == 1
        assert "WARNING stopped before every accepted request was answered\n" in gateway.logs
        held.close()


def test_a_hangup_that_nohup_ignores_stays_ignored(tmp_path: Path) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        gateway = gateway_in(tmp_path)
        gateway.start()
    finally:
        signal.signal(signal.SIGHUP, before)
    gateway.process.send_signal(signal.SIGHUP)
    gateway.process.send_signal(signal.SIGUSR1)
    await_line(gateway, "INFO signal ignored signal=SIGUSR1 times=1\n")
    assert gateway.stop() == 0
    assert "SIGHUP" not in gateway.logs


@contextmanager
def starting(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Start a gateway that waits, before it listens, for a command that has its secret."""
    command = folder / "vault"
    answer = json.dumps({"protocolVersion": 1, "values": {"hook": SECRET}})
    wait = f"until [ -e {folder}/go ]; do echo; sleep 0.05; done"
    command.write_text(f"#!/bin/sh\ncat > /dev/null\ntouch {folder}/asked\n{wait}\necho '{answer}'")
    command.chmod(0o700)
    route = {
        "sessionKey": "agent:main:main",
        "secret": {"source": "exec", "provider": "vault", "id": "hook"},
    }
    config = folder / "gateway.json5"
    vault = {"source": "exec", "command": str(command), "timeoutMs": 60_000}
    document = {
        "plugins": {"entries": {"webhooks": {"config": {"routes": {"zapier": route}}}}},
        "secrets": {"providers": {"vault": vault}},
    }
    config.write_text(json.dumps(document), encoding="utf-8")
    config.chmod(0o600)
    serve = [sys.executable, "-m", "app", "serve", "--config", str(config), "--port", "0"]
    with (folder / "gateway.log").open("wb") as log:
        process = subprocess.Popen(serve, cwd=ROOT, stdout=log, stderr=log)  # noqa: S603 - our own
    with process:
        try:
            eventually((folder / "asked").exists, "the command is asked")
            yield process
        finally:
            process.kill()


def test_a_hangup_during_the_start_does_not_end_it(tmp_path: Path) -> None:
    log = tmp_path / "gateway.log"
    with starting(tmp_path) as process:
        process.send_signal(signal.SIGHUP)
        (tmp_path / "go").touch()
        eventually(lambda: "signal=SIGHUP times=1" in log.read_text(), "the signal is logged")
        process.send_signal(signal.SIGTERM)
        assert process.wait(DRAIN_SECONDS) == 0


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 0), (signal.SIGQUIT, 0), (signal.SIGINT, 130)]
)
def test_a_stop_during_the_start_ends_it_at_once(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    with starting(tmp_path) as process:
        process.send_signal(number)
        assert process.wait(DRAIN_SECONDS) == code
    log = (tmp_path / "gateway.log").read_text()
    assert "Traceback" not in log
    assert "listening" not in log


def test_the_auditors_pages_do_the_same(tmp_path: Path) -> None:
    password = {"audit": {"pages": {"password": SECRET}}}
    gateway = RunningGateway.of_contract(tmp_path, password)
    with gateway:
        gateway.stop()
    gateway.command = ("audit", "serve")
    with gateway:
        gateway.process.send_signal(signal.SIGHUP)
        await_line(gateway, "INFO signal ignored signal=SIGHUP times=1\n")
        gateway.process.send_signal(signal.SIGQUIT)
        assert gateway.process.wait(DRAIN_SECONDS) == 0
    assert gateway.logs.endswith("INFO stopped drained=True\n")
