"""A gateway under a service manager: sockets that are handed over, and what it says of itself."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from adapters.cli import CommandError
from adapters.composition.service_manager import handed_over
from tests.store.golden_bytes import old_store
from tests.whole.callers import Caller
from tests.whole.gateway import READY_SECONDS, ROOT, Place, RunningGateway
from tests.whole.metered import fetched
from tests.whole.reloadable import Reloadable, document, route


@contextmanager
def _listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(READY_SECONDS)
        yield listening


def _place(listening: socket.socket) -> Place:
    host, port = listening.getsockname()
    return Place(f"http://{host}:{port}", host, port)


def _activated(folder: Path, sockets: Sequence[socket.socket], names: str) -> RunningGateway:
    folder.mkdir(exist_ok=True)
    numbers = [each.fileno() for each in sockets]
    gateway = RunningGateway.of_contract(folder)
    gateway.module, gateway.pass_fds = "tests.whole.activated", numbers
    gateway.command = (names, ",".join(map(str, numbers)), "serve")
    return gateway


def test_the_sockets_of_a_service_manager_are_served(tmp_path: Path) -> None:
    with (
        _listening() as webhooks,
        _listening() as metrics,
        _activated(tmp_path, [metrics, webhooks], "metrics,taskflow.socket") as gateway,
    ):
        assert gateway.place == _place(webhooks)
        with Caller(gateway.place) as caller:
            assert caller.act("list_flows").status == 200
        assert fetched(f"{_place(metrics).url}/metrics")[0] == 200
        assert fetched(f"{gateway.url}/metrics")[0] == 404


def test_who_connects_between_two_gateways_waits_for_the_next(tmp_path: Path) -> None:
    with _listening() as webhooks:
        gateway = _activated(tmp_path, [webhooks], "taskflow.socket")
        with gateway, Caller(gateway.place) as caller:
            assert caller.act("create_flow", goal="g").status == 200
        with Caller(_place(webhooks)) as caller, ThreadPoolExecutor() as pool:
            answer = pool.submit(caller.act, "list_flows")
            with gateway:
                assert len(answer.result(READY_SECONDS).result["flows"]) == 1


def test_two_gateways_serve_one_socket_and_the_one_goes_on_alone(tmp_path: Path) -> None:
    with _listening() as webhooks:
        gateways = [_activated(tmp_path / name, [webhooks], "") for name in ("one", "other")]
        with gateways[0], gateways[1]:
            assert _answers(webhooks, 60) == [404] * 60
            gateways[0].wait_until(lambda: sum(map(_served, gateways)) == 60)
            assert gateways[0].stop() == 0
            assert _answers(webhooks, 60) == [404] * 60
            gateways[1].wait_until(lambda: sum(map(_served, gateways)) == 120)


def _answers(webhooks: socket.socket, count: int) -> list[int]:
    return [fetched(f"{_place(webhooks).url}/nowhere")[0] for _ in range(count)]


def _served(gateway: RunningGateway) -> int:
    return gateway.logs.count("code=route_not_found")


def test_a_socket_may_be_named_by_its_descriptor(tmp_path: Path) -> None:
    with _listening() as webhooks:
        gateway = RunningGateway.of_contract(tmp_path)
        gateway.pass_fds = [webhooks.fileno()]
        refused = _refused(gateway, "--socket", str(webhooks.fileno()), "--port", "1")
        assert refused == "taskflow: --socket listens already: leave out --host and --port\n"
        command = [sys.executable, "-m", "app", "serve", "--config", str(gateway.config)]
        with subprocess.Popen(  # noqa: S603 - our own program
            [*command, "--socket", str(webhooks.fileno())],
            cwd=ROOT,
            env={**os.environ, "ORACLE_ENV_SECRET": "env-secret-value"},
            pass_fds=gateway.pass_fds,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as process:
            assert process.stdout is not None
            try:
                line = process.stdout.readline()
                assert line == f"listening on {_place(webhooks).url}\n".encode()
                assert fetched(f"{_place(webhooks).url}/healthz")[0] == 200
            finally:
                process.terminate()


def _refused(gateway: RunningGateway, *options: str) -> str:
    command = [sys.executable, "-m", "app", "serve", "--config", str(gateway.config), *options]
    ended = subprocess.run(  # noqa: S603 - our own program
        command,
        cwd=ROOT,
        pass_fds=gateway.pass_fds,
        capture_output=True,
        text=True,
        check=False,
        timeout=READY_SECONDS,
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    return ended.stderr


def _datagram() -> socket.socket:
    return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)


@pytest.mark.parametrize("kind", ["no socket", "not listening", "datagrams"])
def test_what_is_no_listening_socket_is_refused(tmp_path: Path, kind: str) -> None:
    gateway = RunningGateway.of_contract(tmp_path)
    with socket.socket() as fresh, _datagram() as datagrams, gateway.config.open("rb") as file:
        numbers = {
            "no socket": file.fileno(),
            "not listening": fresh.fileno(),
            "datagrams": datagrams.fileno(),
        }
        gateway.pass_fds = [numbers[kind]]
        said = _refused(gateway, "--socket", str(numbers[kind]))
        assert "is not a TCP socket that listens" in said
        assert not gateway.database.exists()


def test_more_sockets_than_are_served_are_refused(tmp_path: Path) -> None:
    with _listening() as one, _listening() as other:
        gateway = _activated(tmp_path, [one, other], "a,b")
        numbers = ",".join(map(str, gateway.pass_fds))
        command = [sys.executable, "-m", gateway.module, "a,b", numbers, "serve"]
        ended = subprocess.run(  # noqa: S603 - our own program
            [*command, "--config", str(gateway.config)],
            cwd=ROOT,
            pass_fds=gateway.pass_fds,
            capture_output=True,
            text=True,
            check=False,
            timeout=READY_SECONDS,
        )
        assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)
        assert "2 sockets were handed over: one is for the webhooks" in ended.stderr


@contextmanager
def _manager(folder: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(folder / "notify"))
        manager.settimeout(READY_SECONDS)
        yield manager


def test_a_service_manager_is_notified_of_start_reload_and_stop(tmp_path: Path) -> None:
    reloadable = Reloadable.in_folder(tmp_path, document({"zapier": route()}))
    gateway = reloadable.gateway
    gateway.environment = {"NOTIFY_SOCKET": str(tmp_path / "notify")}
    with _manager(tmp_path) as manager, gateway:
        assert manager.recv(999) == b"READY=1"
        reloadable.reloaded()
        began, usec = manager.recv(999).decode().split("\nMONOTONIC_USEC=")
        assert began == "RELOADING=1"
        assert int(usec) > 0
        assert manager.recv(999) == b"READY=1\nSTATUS=reload reloaded: 1 route served"
        reloadable.refused("{")
        assert manager.recv(999).startswith(b"RELOADING=1\n")
        assert manager.recv(999).startswith(b"READY=1\nSTATUS=reload refused: ")
        assert gateway.stop() == 0
        assert manager.recv(999) == b"STOPPING=1"


def test_a_service_manager_waits_for_a_store_that_is_upgraded(tmp_path: Path) -> None:
    gateway = RunningGateway.of_contract(tmp_path)
    old_store(gateway.database)
    gateway.environment = {**gateway.environment, "NOTIFY_SOCKET": str(tmp_path / "notify")}
    with _manager(tmp_path) as manager, gateway:
        more, status = manager.recv(999).decode().split("\n")
        assert int(more.removeprefix("EXTEND_TIMEOUT_USEC=")) >= 60_000_000
        assert status == "STATUS=upgrading the store: 3 of 3 flows"
        assert manager.recv(999) == b"READY=1"


def test_a_watchdog_sees_that_the_loop_turns(tmp_path: Path) -> None:
    gateway = RunningGateway.of_contract(tmp_path)
    address = "@" + str(tmp_path)[-60:]
    gateway.environment = {
        **gateway.environment,
        "NOTIFY_SOCKET": address,
        "WATCHDOG_USEC": "400000",
    }
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(f"\0{address[1:]}")
        manager.settimeout(READY_SECONDS)
        with gateway:
            assert manager.recv(999) == b"READY=1"
            assert [manager.recv(999) for _ in range(3)] == [b"WATCHDOG=1"] * 3


def test_a_watchdog_of_another_process_is_not_answered(tmp_path: Path) -> None:
    gateway = RunningGateway.of_contract(tmp_path)
    gateway.environment = {
        **gateway.environment,
        "NOTIFY_SOCKET": str(tmp_path / "notify"),
        "WATCHDOG_USEC": "1",
        "WATCHDOG_PID": "1",
    }
    with _manager(tmp_path) as manager, gateway:
        assert manager.recv(999) == b"READY=1"
        for _ in range(2):  # after a request, the loop looks whether it is time
            assert fetched(f"{gateway.url}/healthz")[0] == 200
        gateway.stop()
        assert manager.recv(999) == b"STOPPING=1"


def test_a_service_manager_that_is_gone_changes_nothing(tmp_path: Path) -> None:
    gateway = RunningGateway.of_contract(tmp_path)
    gateway.environment = {**gateway.environment, "NOTIFY_SOCKET": str(tmp_path / "nobody")}
    with gateway:
        assert fetched(f"{gateway.url}/healthz")[0] == 200
    assert "the service manager was not notified: No such file" in gateway.logs


def test_the_sockets_of_another_process_are_not_served(tmp_path: Path) -> None:
    with _listening() as webhooks:
        gateway = RunningGateway.of_contract(tmp_path)
        others = {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1", "LISTEN_FDNAMES": "a"}
        gateway.environment = {**gateway.environment, **others}
        with gateway:
            assert gateway.place != _place(webhooks)
            assert fetched(f"{gateway.url}/healthz")[0] == 200


@pytest.mark.parametrize("name", ["LISTEN_FDS", "LISTEN_PID"])
@pytest.mark.parametrize("value", ["", "x", "-1", "0", "1 ", "0x1", "²", "1" * 5000])
def test_what_a_service_manager_says_to_us_is_refused_if_it_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    for each, text in {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1", name: value}.items():
        monkeypatch.setenv(each, text)
    with pytest.raises(CommandError, match=f"{name}: expected a number"):
        handed_over(None)


@pytest.mark.parametrize("own", [{"LISTEN_PID": "1", "LISTEN_FDS": "x"}, {"LISTEN_FDS": "x"}])
def test_what_it_says_to_another_process_is_not_read(
    monkeypatch: pytest.MonkeyPatch, own: dict[str, str]
) -> None:
    for name, text in own.items():
        monkeypatch.setenv(name, text)
    assert handed_over(None) == {}
    assert not {"LISTEN_PID", "LISTEN_FDS"} & os.environ.keys()
