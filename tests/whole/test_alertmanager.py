"""A real Alertmanager drives a flow by a map alone: its alert opens it, and its end ends it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final

import pytest

from tests.whole.callers import Caller, Door
from tests.whole.proxies import free_port
from tests.whole.reloadable import OLD, Reloadable, document, route
from tests.whole.vitals import eventually

MAP: Final = {
    "event": "{status}",
    "rules": [
        {
            "on": ["firing"],
            "action": "create_flow",
            "skip": ["correlation_key_taken"],
            "fields": {
                "goal": "{commonAnnotations.summary|an alert}",
                "correlationKey": "{groupKey}",
                "stateJson": {"alerts": "{{json alerts}}", "from": "{externalURL}"},
            },
        },
        {
            "on": ["resolved"],
            "action": "finish_flow",
            "skip": ["not_found"],
            "fields": {"correlationKey": "{groupKey}"},
        },
    ],
}

_CONFIGURATION: Final = """
route: {{receiver: flows, group_by: [alertname], group_wait: 0s, group_interval: 1s}}
receivers:
  - name: flows
    webhook_configs:
      - url: {url}/plugins/webhooks/alerts
        send_resolved: true
        http_config: {{authorization: {{credentials: {secret}}}}}
"""


@pytest.mark.full
def test_an_alert_opens_a_flow_and_its_end_ends_it(tmp_path: Path) -> None:
    made = Reloadable.in_folder(tmp_path, document({"alerts": route(map=MAP), "agent": route()}))
    with made.gateway as gateway, alertmanager(tmp_path, gateway.url) as port:
        alert = {"labels": {"alertname": "DiskFull", "host": "db1"}}
        post(port, {**alert, "annotations": {"summary": "Disk full on db1"}})
        eventually(lambda: len(flows(made)) == 1, "a flow is opened")
        (flow,) = flows(made)
        assert flow["goal"] == "Disk full on db1"
        assert flow["stateJson"]["alerts"][0]["labels"] == alert["labels"]
        others = [{"labels": {"alertname": "DiskFull", "host": host}} for host in ("aa0", "db2")]
        for each in others:
            post(port, each)
        eventually(lambda: made.gateway.logs.count("code=skipped") >= 1, "it gains an alert")
        assert not re.search("status=[45]", made.gateway.logs)
        ended = {"startsAt": "2026-01-01T00:00:00Z", "endsAt": "2026-01-01T00:00:01Z"}
        for each in (alert, *others):
            post(port, {**each, **ended})
        eventually(lambda: flows(made)[0]["status"] == "succeeded", "it is ended")
        assert len(flows(made)) == 1


def flows(made: Reloadable) -> list[dict[str, Any]]:
    with Caller(made.gateway.place, Door("/plugins/webhooks/agent", OLD)) as caller:
        found: list[dict[str, Any]] = caller.act("list_flows").result["flows"]
        return found


@contextmanager
def alertmanager(folder: Path, url: str) -> Iterator[int]:
    """Run an Alertmanager that sends to a gateway; give its port when it is ready."""
    program = shutil.which("prometheus-alertmanager")
    assert program is not None, "python -m tests.whole.install"
    config, port = folder / "alertmanager.yml", free_port()
    config.write_text(_CONFIGURATION.format(url=url, secret=OLD), "utf-8")
    options = {
        "config.file": config,
        "storage.path": folder / "alertmanager",
        "web.listen-address": f"127.0.0.1:{port}",
        "cluster.listen-address": "",
    }
    with (folder / "alertmanager.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - with arguments of ours
            [program, *(f"--{name}={value}" for name, value in options.items())],
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        eventually(lambda: _is_ready(port), "it is ready")
        yield port
    finally:
        process.terminate()
        process.wait()


def _is_ready(port: int) -> bool:
    with suppress(OSError):
        return _asked(port, "GET", "/-/ready") == 200
    return False


def post(port: int, alert: object) -> None:
    """Tell an Alertmanager of an alert."""
    assert _asked(port, "POST", "/api/v2/alerts", json.dumps([alert])) == 200


def _asked(port: int, method: str, path: str, body: str | None = None) -> int:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, body, {"Content-Type": "application/json"})
        return connection.getresponse().status
    finally:
        connection.close()
