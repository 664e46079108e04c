"""Two gateways that share their limits, on a real server that is killed and started again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from adapters.cli import Unstartable
from adapters.composition.check import check_configuration
from tests.shared_limits.server import Valkey
from tests.whole.callers import Caller
from tests.whole.gateway import READY_SECONDS, ROOT, GatewayFailedError, RunningGateway
from tests.whole.metered import ADMIN, metrics_of

PASSWORD = "the-password-of-valkey"
OF_ENVIRONMENT = "${VALKEY_PASSWORD}"


@contextmanager
def _two(
    folder: Path, valkey: Valkey, while_gone: str = "local", **limits: object
) -> Iterator[tuple[RunningGateway, RunningGateway]]:
    shared: dict[str, Any] = {"url": valkey.url, "whileGone": while_gone, "deadlineSeconds": 1}
    shared |= {} if valkey.password is None else {"password": OF_ENVIRONMENT}
    made = []
    for name in ("one", "other"):
        (folder / name).mkdir()
        own = {**ADMIN, "limits": {"shared": shared, **limits}}
        gateway = RunningGateway.of_contract(folder / name, own)
        gateway.environment = {**gateway.environment, "VALKEY_PASSWORD": PASSWORD}
        made.append(gateway)
    with made[0] as one, made[1] as other:
        _wait_until_shared(one, other)
        yield one, other


def _wait_until_shared(*gateways: RunningGateway) -> None:
    for gateway in gateways:
        gateway.wait_until(lambda it=gateway: _is_sharing(it))  # type: ignore[misc]


def _is_sharing(gateway: RunningGateway) -> bool:
    return metrics_of(gateway).value("taskflow_limits_shared") == 1


def _statuses(gateways: tuple[RunningGateway, ...], count: int) -> list[int]:
    found = []
    for number in range(count):
        with Caller(gateways[number % len(gateways)].place) as caller:
            found.append(caller.act("list_flows").status)
    return found


def test_a_client_has_one_rate_at_all_gateways_and_keeps_it_over_a_kill(tmp_path: Path) -> None:
    with Valkey(tmp_path, PASSWORD) as valkey, _two(tmp_path, valkey, rateRequests=6) as both:
        assert _statuses(both, 10) == [200] * 6 + [429] * 4
        valkey.kill()
        assert _statuses(both, 14) == [200] * 12 + [429] * 2
        valkey.start()
        _wait_until_shared(*both)
        assert _statuses(both, 10) == [200] * 6 + [429] * 4
        for gateway in both:
            assert "limits are not shared now (while gone: local)" in gateway.logs
            assert PASSWORD not in gateway.logs


@pytest.mark.parametrize(("while_gone", "status"), [("refuse", 429), ("allow", 200)])
def test_what_happens_while_the_server_is_gone_is_configured(
    tmp_path: Path, while_gone: str, status: int
) -> None:
    with Valkey(tmp_path) as valkey, _two(tmp_path, valkey, while_gone, rateRequests=2) as both:
        assert _statuses(both, 3) == [200, 200, 429]
        valkey.kill()
        assert _statuses(both, 8) == [status] * 8


def test_requests_in_flight_are_counted_at_all_gateways(tmp_path: Path) -> None:
    with Valkey(tmp_path) as valkey, _two(tmp_path, valkey, inFlight=2) as both:
        one, other = both
        with Caller(one.place) as first, Caller(other.place) as second, Caller(one.place) as third:
            first.begin("list_flows")
            second.begin("list_flows")
            one.wait_until(lambda: valkey.places() == 2)
            assert third.act("list_flows").status == 429
            second.close()
            one.wait_until(lambda: valkey.places() == 1)
            assert third.act("list_flows").status == 200


def test_a_gateway_starts_while_the_server_is_not_there(tmp_path: Path) -> None:
    valkey = Valkey(tmp_path)
    own = {"limits": {"shared": {"url": valkey.url}, "rateRequests": 1}}
    with RunningGateway.of_contract(tmp_path, own) as gateway:
        assert _statuses((gateway,), 2) == [200, 429]


def test_check_says_where_limits_are_counted(tmp_path: Path) -> None:
    own = {"limits": {"shared": {"url": "redis://valkey/0"}}}
    gateway = RunningGateway.of_contract(tmp_path, own)
    command = [sys.executable, "-m", "app", "check", "--json", "--config", str(gateway.config)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - our own program
    said = json.loads(done.stdout)["options"]["sharedLimits"]
    assert said == "counted together at redis://valkey/0, while it is gone: local"


def test_without_its_package_a_gateway_says_which_one_to_install(tmp_path: Path) -> None:
    missing = "raise ModuleNotFoundError('No module named redis', name='redis')"
    (tmp_path / "redis.py").write_text(missing, encoding="utf-8")
    own = {"limits": {"shared": {"url": "redis://valkey/0"}}}
    gateway = RunningGateway.of_contract(tmp_path, own)
    ended = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "app", "serve", "--config", str(gateway.config), "--port", "0"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(tmp_path), "ORACLE_ENV_SECRET": "x"},
        capture_output=True,
        text=True,
        check=False,
        timeout=READY_SECONDS,
    )
    said = "taskflow.limits.shared needs a package that is not installed"
    assert ended.returncode == 2
    assert ended.stderr.splitlines()[-1].startswith(f"taskflow: {said}")


def test_a_password_that_is_not_found_stops_the_start(tmp_path: Path) -> None:
    shared = {"url": "redis://valkey/0", "password": "${NO_SUCH_PASSWORD}"}
    gateway = RunningGateway.of_contract(tmp_path, {"limits": {"shared": shared}})
    with pytest.raises(GatewayFailedError, match=r"taskflow\.limits\.shared\.password: "):
        gateway.start()
    report = check_configuration(gateway.config)
    assert isinstance(report, Unstartable)
    (problem,) = report.problems
    assert problem.field == "taskflow.limits.shared.password"
