"""A gateway that signs its log by itself, with auditors beside it and an intruder after it."""

from __future__ import annotations

import fcntl
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from adapters.audit.keys import Signer
from adapters.composition.jobs import checkpoint_job
from adapters.composition.stores import settings_of
from adapters.store import StoreAuditLog, open_for_reading
from domain.flow.commands import CreateFlow
from tests.audit.test_checkpointing import grow
from tests.cli.workbench import seeding
from tests.whole.gateway import ROOT, RunningGateway
from tests.whole.honest import ask, creating, logged, webhook

KEY: Final = Signer.generate("flows.example")
PATIENCE: Final = 20.0


def signing_gateway(folder: Path, **own: object) -> RunningGateway:
    """Make a gateway that signs every 0.6 s, if something has happened."""
    audit = {"key": "${SIGNING_KEY}", "everyMinutes": 0.01, **own}
    gateway = RunningGateway.of_contract(folder, {"audit": audit})
    gateway.environment = {**gateway.environment, "SIGNING_KEY": KEY.secret_text()}
    gateway.options = ("--json",)
    return gateway


def post(gateway: RunningGateway, goal: str) -> None:
    answer = ask(gateway.place, webhook(creating(goal), "Connection: close"))
    assert answer.status == 200


def until(happened: Callable[[], bool]) -> None:
    """Wait until something has happened, which it must."""
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def events_signed(gateway: RunningGateway) -> list[int]:
    return [record["events"] for record in logged(gateway) if record["event"] == "checkpoint"]


def verify(gateway: RunningGateway, *options: str) -> subprocess.CompletedProcess[str]:
    """Verify with the public key alone, as an auditor does who has no other."""
    store = ["--database", f"sqlite:///{gateway.database}"]
    file = ["--checkpoints", str(gateway.folder / "taskflow.checkpoints")]
    key = ["--public-key", str(KEY.verifier)]
    return subprocess.run(  # noqa: S603 - our own program, with our own arguments
        [sys.executable, "-m", "app", "audit", "verify", *store, *file, *key, *options],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )


def test_a_gateway_signs_what_has_happened_and_an_auditor_beside_it_finds_it_so(
    tmp_path: Path,
) -> None:
    with signing_gateway(tmp_path) as gateway:
        post(gateway, "first")
        until(lambda: events_signed(gateway) == [1])
        post(gateway, "second")
        until(lambda: events_signed(gateway) == [1, 2])
        beside = verify(gateway)
    assert (beside.returncode, beside.stderr) == (0, "")
    assert "2 checkpoints agree with it" in beside.stdout
    with closing(sqlite3.connect(gateway.database)) as store, store:
        store.execute("UPDATE stored_events SET state = replace(state, 'first', 'other')")
        store.execute("UPDATE stored_events SET state = CAST(state AS BLOB)")
    after = verify(gateway)
    assert after.returncode == 1
    assert "history_changed" in after.stdout
    assert KEY.secret_text() not in gateway.logs


def test_a_gateway_that_cannot_sign_says_so_and_serves_on(tmp_path: Path) -> None:
    with signing_gateway(tmp_path, checkpoints="no/such/folder/log") as gateway:
        post(gateway, "first")
        until(lambda: "checkpoint failed" in gateway.logs)
        post(gateway, "second")
    faults = [one for one in logged(gateway) if one["event"] == "checkpoint failed"]
    assert {fault["level"] for fault in faults} == {"ERROR"}
    assert not any(record.get("status") == 500 for record in logged(gateway))


def test_a_running_gateway_writes_behind_nothing_that_is_not_its_own(tmp_path: Path) -> None:
    file = tmp_path / "taskflow.checkpoints"
    with signing_gateway(tmp_path) as gateway:
        post(gateway, "first")
        until(lambda: events_signed(gateway) == [1])
        ours = file.read_bytes()
        converted = ours.replace(b"\n", b"\r\n")
        file.write_bytes(converted)
        post(gateway, "second")
        until(lambda: "its lines end in CR LF" in gateway.logs)
        assert file.read_bytes() == converted
        file.write_bytes(ours + b"flows.example\n2\n")
        until(lambda: events_signed(gateway) == [1, 2])
    assert file.read_bytes().startswith(ours)
    assert (tmp_path / "taskflow.checkpoints.torn-1").read_bytes() == b"flows.example\n2\n"
    kept = f"{file}: its last checkpoint was torn; what there was of it is in {file}.torn-1"
    records = {record["event"]: record["level"] for record in logged(gateway)}
    assert (records["checkpoint failed"], records[kept]) == ("ERROR", "WARNING")


def test_a_gateway_without_its_key_warns_at_the_start(tmp_path: Path) -> None:
    gateway = signing_gateway(tmp_path)
    gateway.environment = {**gateway.environment, "SIGNING_KEY": None}
    with gateway:
        post(gateway, "first")
    warning = (
        "no checkpoint will be signed: taskflow.audit.key: the environment variable SIGNING_KEY"
        " is not set"
    )
    assert warning in [record["event"] for record in logged(gateway)]
    assert not (tmp_path / "taskflow.checkpoints").exists()


def test_a_key_that_does_not_fit_its_file_is_said_at_the_start_until_it_is_named(
    tmp_path: Path,
) -> None:
    file = tmp_path / "taskflow.checkpoints"
    with signing_gateway(tmp_path) as gateway:
        post(gateway, "first")
        until(lambda: events_signed(gateway) == [1])
    ours = file.read_bytes()
    successor = Signer.generate("flows.example")
    rotated = {"SIGNING_KEY": successor.secret_text()}
    gateway.environment = {**gateway.environment, **rotated}
    with gateway:
        post(gateway, "second")
        until(lambda: "checkpoint failed" in gateway.logs)
    warning = (
        f"no checkpoint will be signed: {file}: its last checkpoint is not by the key"
        f" {successor.verifier}: "
    )
    warnings = [one["event"] for one in logged(gateway) if one["level"] == "WARNING"]
    assert any(event.startswith(warning) for event in warnings)
    assert file.read_bytes() == ours
    folder = tmp_path / "named"
    folder.mkdir()
    named = signing_gateway(folder, checkpoints=str(file), previousKeys=[str(KEY.verifier)])
    named.environment = {**named.environment, **rotated}
    gateway.database.rename(named.database)
    with named:
        until(lambda: events_signed(named) == [2])
    assert "no checkpoint will be signed" not in named.logs
    database = f"sqlite:///{named.database}"
    both = verify(gateway, "--public-key", str(successor.verifier), "--database", database)
    assert (both.returncode, "2 checkpoints agree with it" in both.stdout) == (0, True), both


@pytest.mark.full
def test_a_suspended_append_of_somebody_else_keeps_no_gateway_from_stopping(tmp_path: Path) -> None:
    file = tmp_path / "taskflow.checkpoints"
    with file.open("wb") as held, signing_gateway(tmp_path) as gateway:
        fcntl.flock(held, fcntl.LOCK_EX)
        post(gateway, "signed later")
        until(
            lambda: any("another process" in record.get("reason", "") for record in logged(gateway))
        )
        assert gateway.stop() == 0
    assert file.read_bytes() == b""


def test_a_gateway_that_stops_does_not_hash_its_log_to_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = signing_gateway(tmp_path)
    for name, value in gateway.environment.items():
        if value is not None:
            monkeypatch.setenv(name, value)
    settings = settings_of(gateway.config)
    with seeding(f"sqlite:///{gateway.database}") as bench:
        bench.execute(CreateFlow(goal="again and again", controller_id="webhooks/a"))
    grow(gateway.database, 10_000)
    with closing(open_for_reading(f"sqlite:///{gateway.database}")) as store:
        checkpoint_job(settings, StoreAuditLog(store), lambda: True)()
        assert not settings.checkpoints.file.exists()
        checkpoint_job(settings, StoreAuditLog(store), lambda: False)()
    assert settings.checkpoints.file.stat().st_size > 0


def test_checkpoints_that_are_removed_under_a_gateway_are_missed(tmp_path: Path) -> None:
    file = tmp_path / "taskflow.checkpoints"
    with signing_gateway(tmp_path) as gateway:
        post(gateway, "first")
        until(lambda: 1 in events_signed(gateway))
        older = file.read_bytes()
        post(gateway, "second")
        until(lambda: 2 in events_signed(gateway))
        for content, before in ((older, 1), (b"", 0)):
            file.write_bytes(content)
            post(gateway, "next")
            lost = f"lost what was signed since {before} events"
            until(lambda: any(lost in record.get("reason", "") for record in logged(gateway)))  # noqa: B023 - used at once
