"""A gateway that starts on a copy says whether it is the store that was signed."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.whole.gateway import ROOT, RunningGateway
from tests.whole.honest import logged
from tests.whole.test_checkpoints import KEY, events_signed, post, signing_gateway, until, verify

AGREES = "store agrees with its last checkpoint"
DIFFERS = "store is not that of its last checkpoint"


def told(gateway: RunningGateway) -> list[Mapping[str, Any]]:
    return [record for record in logged(gateway) if record["event"] in (AGREES, DIFFERS)]


def run(*argv: str, key: bool = False) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own program, with our own arguments
        [sys.executable, "-m", "app", *argv],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, **({"SIGNING_KEY": KEY.secret_text()} if key else {})},
    )


@pytest.fixture(scope="module")
def signed_twice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a gateway whose first event and whose first four are signed; it was stopped."""
    folder = tmp_path_factory.mktemp("signed")
    with signing_gateway(folder) as gateway:
        post(gateway, "first")
        until(lambda: events_signed(gateway) == [1])
        backup = run("store", "backup", f"{folder}/short.db", *database(gateway))
        assert backup.returncode == 0, backup.stderr
        for goal in ("second", "third", "fourth"):
            post(gateway, goal)
        until(lambda: events_signed(gateway)[-1] == 4)
    assert told(gateway) == []
    return folder


@pytest.fixture
def gateway(signed_twice: Path, tmp_path: Path) -> RunningGateway:
    """Such a gateway, which does not run yet."""
    gateway = signing_gateway(tmp_path)
    for name in ("taskflow.db", "short.db", "taskflow.checkpoints"):
        shutil.copyfile(signed_twice / name, tmp_path / name)
    return gateway


def database(gateway: RunningGateway) -> list[str]:
    return ["--database", f"sqlite:///{gateway.database}"]


def test_a_gateway_says_at_its_start_that_its_store_is_the_one_that_was_signed(
    gateway: RunningGateway,
) -> None:
    with gateway:
        until(lambda: bool(told(gateway)))
    (said,) = told(gateway)
    assert (said["level"], said["event"], said["events"]) == ("INFO", AGREES, 4)
    assert "signature" not in said


@pytest.mark.full
def test_a_gateway_without_its_key_takes_the_checkpoint_for_what_it_says(
    gateway: RunningGateway,
) -> None:
    gateway.environment = {**gateway.environment, "SIGNING_KEY": None}
    with gateway:
        until(lambda: bool(told(gateway)))
    (said,) = told(gateway)
    assert (said["event"], said["signature"]) == (AGREES, "not checked")


def test_a_gateway_on_a_short_copy_says_what_is_missing_and_serves(
    gateway: RunningGateway, tmp_path: Path
) -> None:
    shutil.copyfile(tmp_path / "short.db", gateway.database)
    with gateway:
        until(lambda: bool(told(gateway)))
        found = verify(gateway)
        replayed = run(
            "audit", "replay", "--config", str(gateway.config), *database(gateway), key=True
        )
        post(gateway, "still served")
    (said,) = told(gateway)
    assert (said["level"], said["event"]) == ("ERROR", DIFFERS)
    assert said["reason"].startswith("3 events of 4 are missing: it has only 1;")
    assert found.returncode == 1
    assert "log_truncated" in found.stdout
    assert "It is a short copy: 1 of 4 events." in found.stdout
    assert (replayed.returncode, replayed.stderr) == (1, "")
    assert "log_truncated" in replayed.stdout
    assert "all agree" not in replayed.stdout


@pytest.mark.full
def test_a_gateway_on_a_changed_store_says_so(gateway: RunningGateway) -> None:
    with closing(sqlite3.connect(gateway.database)) as store, store:
        store.execute("UPDATE stored_events SET topic = 'other' WHERE rowid = 2")
    with gateway:
        until(lambda: bool(told(gateway)))
    (said,) = told(gateway)
    assert said["reason"].startswith("its first 4 events are not those that were signed;")


def test_a_restored_short_copy_is_said_to_be_short(gateway: RunningGateway, tmp_path: Path) -> None:
    names = [*database(gateway), "--checkpoints", str(tmp_path / "taskflow.checkpoints")]
    key = ["--public-key", str(KEY.verifier)]
    refused = run("store", "restore", f"{tmp_path}/short.db", *names, *key)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "3 events, 3 of them new flows, would be lost" in refused.stderr
    ran = run("store", "restore", f"{tmp_path}/short.db", *names, *key, "--discard-newer")
    assert (ran.returncode, ran.stderr) == (1, "")
    assert "1 checkpoint agrees with it, up to position 1\n" in ran.stdout
    assert "Missing: the last 3 events that a checkpoint covers\n" in ran.stdout
