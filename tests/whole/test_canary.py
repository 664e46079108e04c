"""A marked secret is found nowhere that anybody looks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.whole.broken_configurations import BREAKS
from tests.whole.canaries import ENVIRONMENT, FORMS, SECRETS, configured, traces
from tests.whole.gateway import ROOT, RunningGateway
from tests.whole.provocations import Provoked, lead_lives, provoke
from tests.whole.stored import read_contents

CODES = {
    *("", "bad_request", "request_timeout", "payload_too_large", "headers_too_large"),
    *("expectation_failed", "not_implemented", "route_not_found", "method_not_allowed"),
    *("rate_limited", "unsupported_media_type", "too_many_in_flight", "unauthorized"),
    *("invalid_json", "invalid_request", "not_found", "revision_conflict", "terminal"),
    *("cancel_pending", "cancel_requested", "task_not_found", "task_terminal"),
    *("action_not_allowed", "idempotency_key_reused", "persist_failed", "internal_error"),
}


def test_a_trace_is_found_in_whatever_form_it_is() -> None:
    for name, form in FORMS.items():
        assert name in traces(b"before " + form + b" after")
    assert traces(json.dumps(SECRETS).encode()) != []
    assert traces(b"nothing of the kind") == []


@pytest.mark.parametrize("options", [(), ("--json",)], ids=["text", "json"])
def test_a_running_gateway_shows_no_secret(tmp_path: Path, options: tuple[str, ...]) -> None:
    gateway = configured(tmp_path)
    gateway.options = options
    with gateway:
        provoked = provoke(gateway)
        assert provoked.codes == CODES
        assert [trace for answer in provoked.answers for trace in traces(answer)] == []
        assert _traces_in_files(gateway, "gateway.log", "taskflow.db", "taskflow.db-wal") == []
    assert "Traceback" in gateway.logs
    assert _traces_in_files(gateway, "gateway.log", "taskflow.db") == []


def _traces_in_files(gateway: RunningGateway, *names: str) -> list[tuple[str, str]]:
    """Return the traces in what a gateway logs and stores, each with its file, byte for byte."""
    files = [gateway.folder / "gateway.log", *gateway.folder.glob("taskflow.db*")]
    assert {file.name for file in files} >= set(names)
    return [(file.name, trace) for file in files for trace in traces(file.read_bytes())]


def test_the_commands_show_no_secret(tmp_path: Path) -> None:
    gateway = configured(tmp_path)
    with gateway:
        lead_lives(Provoked(gateway))
    flow_id = read_contents(gateway.database).records[0].flow_id
    show = ("flows", "show", flow_id, "--history")
    commands = (("check",), ("check", "--json"), show, (*show, "--json"), ("flows", "list"))
    shown = "".join(_printed(gateway, *command) for command in commands)
    assert flow_id in shown
    assert "missing" in shown
    assert traces(shown.encode()) == []


def test_a_broken_configuration_is_told_by_the_commands_without_a_secret(tmp_path: Path) -> None:
    gateway = configured(tmp_path)
    document = json.loads(gateway.config.read_text(encoding="utf-8"))
    for change in BREAKS.values():
        with suppress(KeyError, TypeError, AttributeError):  # what another has broken before
            change(document)
    gateway.config.write_text(json.dumps(document, indent=1), encoding="utf-8")
    shown = "".join(
        _printed(gateway, *command) for command in (("check",), ("check", "--json"), ("serve",))
    )
    assert "routes.inline" in shown
    assert traces(shown.encode()) == []


def _printed(gateway: RunningGateway, *command: str) -> str:
    """Run a command on a gateway's configuration, and return all that it prints."""
    ended = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "app", *command, "--config", str(gateway.config)],
        cwd=ROOT,
        env={**os.environ, **ENVIRONMENT},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert ended.returncode in {0, 1, 2}, ended.stdout
    return ended.stdout
