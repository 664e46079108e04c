"""The files of `deploy/` say what there is: commands, settings, metrics, files."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path
from typing import Any, Final

import pytest
import yaml  # type: ignore[import-untyped]
from prometheus_client import generate_latest

from adapters.metrics import GatewayMetrics
from adapters.settings import GatewayConfig, load_settings
from tests.whole.callers import Caller
from tests.whole.gateway import READY_SECONDS, ROOT, Place, RunningGateway
from tests.whole.metered import ADMIN, admin_port, fetched

DEPLOY: Final = ROOT / "deploy"
UNITS: Final = DEPLOY / "systemd"
SAFE: Final = 2.0
"""The exposure that `systemd-analyze security` may find."""


def _text(*names: str) -> str:
    return DEPLOY.joinpath(*names).read_text(encoding="utf-8")


def _unit(name: str) -> ConfigParser:
    unit = ConfigParser(strict=False, interpolation=None, delimiters=("=",))
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string((UNITS / name).read_text(encoding="utf-8"))
    return unit


def _documents(*names: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(_text(*names)))


def _exposed() -> set[str]:
    """Return the names of all samples of a gateway's metrics, but for those of the process."""
    metrics = GatewayMetrics()
    metrics.request(route="r", action="a", code=None)
    metrics.request_took(action="a", seconds=0.1)
    metrics.of_store("first").batch(1)
    text = generate_latest(metrics.registry).decode()
    return set(re.findall(r"^(taskflow_\w+)", text, re.MULTILINE))


def _named(text: str) -> set[str]:
    return set(re.findall(r"\btaskflow_[a-z_]+\b", text))


def test_the_dashboard_shows_every_metric_and_no_other() -> None:
    dashboard = json.loads(_text("grafana", "taskflow.json"))
    shown = {
        name
        for panel in dashboard["panels"]
        for target in panel["targets"]
        for name in _named(target["expr"])
    }
    assert shown <= _exposed()
    families = {re.sub(r"_(bucket|sum|count)$", "", name) for name in _exposed()}
    assert families == {re.sub(r"_(bucket|sum|count)$", "", name) for name in shown}
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])


def test_the_operators_page_names_metrics_that_there_are_and_all_of_them() -> None:
    page = (ROOT / "docs" / "production.md").read_text(encoding="utf-8")
    families = {re.sub(r"_(bucket|sum|count)$", "", name) for name in _exposed()}
    assert _named(page) <= _exposed() | families
    table = page.partition("## Metrics and health")[2].partition("## ")[0]
    listed = {f"taskflow_{name}" for name in re.findall(r"`([a-z_]+)`", table)}
    assert families <= listed


@pytest.mark.parametrize("key", ["ExecStart", "ExecReload"])
def test_the_service_runs_commands_that_there_are(key: str) -> None:
    program, command, *options = _unit("taskflow.service")["Service"][key].split()
    assert program == "/opt/taskflow/bin/taskflow"
    help_text = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "app", command, "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert [one for one in options if one.startswith("--") and one not in help_text] == []


def test_the_service_takes_the_sockets_that_there_are() -> None:
    service = _unit("taskflow.service")["Service"]
    assert service["Type"] == "notify"
    sockets = service["Sockets"].split()
    assert sorted(sockets) == sorted(file.name for file in UNITS.glob("*.socket"))
    assert _unit("taskflow-metrics.socket")["Socket"]["FileDescriptorName"] == "metrics"


@pytest.mark.full
def test_the_service_is_as_closed_as_it_can_be() -> None:
    judged = subprocess.run(  # noqa: S603 - our own unit
        ["systemd-analyze", "security", "--offline=true", str(UNITS / "taskflow.service")],  # noqa: S607 - installed by `tests/whole/install.py`
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(r"exposure level for taskflow.service: ([\d.]+)", judged.stdout)
    assert found is not None, judged.stderr
    assert float(found[1]) <= SAFE


@pytest.mark.full
def test_systemd_reads_the_units_without_a_complaint(tmp_path: Path) -> None:
    for file in UNITS.iterdir():
        text = file.read_text(encoding="utf-8").replace("/opt/taskflow/bin/taskflow", "/bin/true")
        (tmp_path / file.name).write_text(text, encoding="utf-8")
    judged = subprocess.run(  # noqa: S603 - our own units
        ["systemd-analyze", "verify", *map(str, sorted(tmp_path.iterdir()))],  # noqa: S607 - installed by `tests/whole/install.py`
        capture_output=True,
        text=True,
        check=False,
    )
    own = [line for line in judged.stderr.splitlines() if "taskflow" in line]
    assert own == []


@pytest.mark.full
def test_the_sockets_of_the_real_systemd_are_served(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    gateway = RunningGateway.of_contract(tmp_path)
    url = f"http://127.0.0.1:{port}"
    activate = ["systemd-socket-activate", "-l", f"127.0.0.1:{port}", "-E", "ORACLE_ENV_SECRET=x"]
    serve = [sys.executable, "-m", "app", "serve", "--config", str(gateway.config)]
    with subprocess.Popen(  # noqa: S603 - our own program
        [*activate, *serve], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        assert process.stderr is not None
        try:
            assert b"Listening on" in process.stderr.readline()
            assert fetched(f"{url}/readyz")[0] == 200
        finally:
            process.terminate()
        process.communicate(timeout=READY_SECONDS)
        assert process.returncode == 0


def test_the_image_is_made_of_files_that_there_are() -> None:
    text = _text("Containerfile")
    copied = re.findall(r"^COPY (?!--from)(.+)$", text, re.MULTILINE)
    sources = [source for line in copied for source in line.split()[:-1]]
    assert [source for source in sources if not (ROOT / source).exists()] == []
    assert {"domain", "adapters", "app.py"} <= set(sources)
    assert 'ENTRYPOINT ["/opt/taskflow/bin/taskflow"]' in text
    assert re.search(r"^USER \d+$", text, re.MULTILINE)


def _loaded(text: str, folder: Path) -> GatewayConfig:
    """Load a configuration of ours, its secrets in a file of this machine."""
    secrets = folder / "secrets.json"
    secrets.write_text('{"zapier": "a-long-enough-secret-of-zapier"}', encoding="utf-8")
    secrets.chmod(0o600)
    config = folder / "gateway.json5"
    config.write_text(re.sub(r'"/run/[^"]*"', json.dumps(str(secrets)), text), encoding="utf-8")
    config.chmod(0o600)
    settings = load_settings(config, {})
    assert [route.route_id for route in settings.routes] == ["zapier"]
    return settings


def test_the_gateways_of_compose_have_all_that_they_name(tmp_path: Path) -> None:
    (compose,) = _documents("compose", "compose.yaml")
    services = compose["services"]
    assert set(services) == {
        *("postgres", "valkey", "migrate", "balancer", "gateway-1", "gateway-2")
    }
    for service in services.values():
        assert set(service.get("depends_on", ())) <= set(services)
        assert set(service.get("secrets", ())) <= set(compose["secrets"])
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            known = source in compose["volumes"] or (DEPLOY / "compose" / source).exists()
            assert known, source
    settings = _loaded(_text("compose", "gateway.json5"), tmp_path)
    assert settings.admin is not None
    assert (settings.server.port, settings.admin.port) == (8080, 9464)
    balancer = _text("compose", "haproxy.cfg")
    for name in ("gateway-1", "gateway-2"):
        assert f"server {name} {name}:{settings.server.port}" in balancer
    assert f"check port {settings.admin.port} " in balancer


def test_the_gateways_of_kubernetes_are_probed_where_they_answer(tmp_path: Path) -> None:
    objects = {one["kind"]: one for one in _documents("kubernetes", "taskflow.yaml")}
    settings = _loaded(objects["ConfigMap"]["data"]["gateway.json5"], tmp_path)
    assert settings.admin is not None
    pod = objects["Deployment"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert ports == {"webhooks": settings.server.port, "metrics": settings.admin.port}
    probes = [container[f"{name}Probe"]["httpGet"] for name in ("liveness", "readiness")]
    assert probes == [
        {"path": "/healthz", "port": "metrics"},
        {"path": "/readyz", "port": "metrics"},
    ]
    assert pod["terminationGracePeriodSeconds"] > settings.server.drain_seconds
    labels = objects["Deployment"]["spec"]["template"]["metadata"]["labels"]
    for kind in ("Service", "PodDisruptionBudget"):
        selector = objects[kind]["spec"]["selector"]
        assert selector.get("matchLabels", selector) == labels
    mounted = {mount["name"] for mount in container["volumeMounts"]}
    assert mounted == {volume["name"] for volume in pod["volumes"]}


@pytest.mark.full
def test_the_balancer_leaves_out_a_gateway_that_is_not_ready(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    gateways = []
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        gateways.append(RunningGateway.of_contract(tmp_path / name, ADMIN))
    with gateways[0] as one, gateways[1] as other:
        text = _text("compose", "haproxy.cfg").replace("bind :8080", f"bind 127.0.0.1:{port}")
        text = text.replace("check port 9464 ", "check ")
        for number, gateway in enumerate((one, other), start=1):
            check = f"127.0.0.1:{gateway.place.port} port {admin_port(gateway)}"
            text = text.replace(f"gateway-{number}:8080", check)
        config = tmp_path / "haproxy.cfg"
        config.write_text(text, encoding="utf-8")
        with subprocess.Popen(  # noqa: S603 - our own configuration
            ["haproxy", "-f", str(config)],  # noqa: S607 - installed by `tests/whole/install.py`
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as balancer:
            place = Place(f"http://127.0.0.1:{port}", "127.0.0.1", port)
            try:
                one.wait_until(lambda: _answers(place))
                one.kill()
                for _ in range(20):
                    with Caller(place) as caller:
                        assert caller.act("list_flows").status == 200
                assert fetched(f"{place.url}/metrics")[0] == 403
            finally:
                balancer.terminate()


def _answers(place: Place) -> bool:
    try:
        with Caller(place) as caller:
            return caller.act("list_flows").status == 200
    except Exception:  # noqa: BLE001 - it has not begun yet
        return False
