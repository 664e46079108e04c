"""The whole program, as a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.workbench import flow_id

ROOT = Path(__file__).parents[2]
SECRET = "a-secret-of-more-than-16-characters"
CONFIG = """{
  plugins: {entries: {webhooks: {config: {routes: {
    zapier: {sessionKey: "agent:main:main", secret: "%s"},
    n8n: {sessionKey: "agent:main:n8n", secret: "${TASKFLOW_TEST_UNSET}"},
  }}}}},
}
"""


def taskflow(*argv: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "app", *argv]
    return subprocess.run(  # noqa: S603 - this very program
        command, cwd=ROOT, capture_output=True, encoding="utf-8", timeout=60, check=False
    )


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "gateway.json5"
    path.write_text(CONFIG % SECRET, encoding="utf-8")
    path.chmod(0o600)
    return path


def test_a_real_configuration_is_checked_without_a_word_of_its_secrets(config: Path) -> None:
    tables, document = (
        taskflow("check", "--config", str(config), *argv) for argv in ((), ("--json",))
    )
    assert (tables.returncode, tables.stderr) == (1, "")
    assert "1 route would be served, 1 skipped" in tables.stdout
    report = json.loads(document.stdout)
    assert [route["routeId"] for route in report["routes"]] == ["zapier"]
    assert [finding["line"] for finding in report["advice"]] == [3]
    assert SECRET not in tables.stdout + tables.stderr + document.stdout + document.stderr


def test_a_key_that_others_can_exchange_signs_nothing(seeded: str, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o700)
    key, log = shared / "signing.key", tmp_path / "log"
    assert taskflow("audit", "keygen", str(key), "--name", "flows.example").returncode == 0
    sign = ("audit", "checkpoint", "--database", seeded, "--checkpoints", str(log))
    shared.chmod(0o777)
    refused = taskflow(*sign, "--key", str(key))
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == (
        f"taskflow: the file {key} is not safe: the folder {shared} can be written by its group "
        f"or by others (mode 0777): chmod go-w {shared}\n"
    )
    assert not log.exists()
    shared.chmod(0o700)
    assert taskflow(*sign, "--key", str(key)).returncode == 0


def test_a_key_may_be_handed_over_without_a_file_of_its_own(seeded: str, tmp_path: Path) -> None:
    """As `--key <(...)` and `--key /dev/stdin` do."""
    key = tmp_path / "signing.key"
    assert taskflow("audit", "keygen", str(key), "--name", "flows.example").returncode == 0
    sign = (*("audit", "checkpoint"), "--database", seeded, "--checkpoints", str(tmp_path / "log"))
    done = subprocess.run(  # noqa: S603 - this very program
        [sys.executable, "-m", "app", *sign, "--key", "/dev/stdin"],
        cwd=ROOT,
        input=key.read_bytes(),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_real_store_is_read_and_changed(seeded: str) -> None:
    store = ("--database", seeded)
    cancelled = taskflow("flows", "cancel", flow_id(7), *store, "--json")
    assert (cancelled.returncode, cancelled.stderr) == (0, "")
    shown = taskflow("flows", "show", flow_id(7), "--history", "--json", *store)
    history = json.loads(shown.stdout)["history"]
    assert [step["actor"]["kind"] for step in history] == ["route", "route", "operator", "operator"]
    rebuilt = taskflow("store", "rebuild", *store)
    assert "nothing had to change" in rebuilt.stdout


def test_a_damaged_store_is_trouble_told_in_one_sentence(seeded: str, path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"Answer the customer", b'Answer " customer##'))
    ran = taskflow("flows", "show", flow_id(7), "--database", seeded)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith("taskflow: ")
    assert len(ran.stderr.splitlines()) == 1
