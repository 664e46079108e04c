"""What is ours is not taken for the file of checkpoints: not by `check`, not at the start."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from adapters.audit.keys import Signer
from adapters.cli import Startable, Unstartable
from adapters.composition.check import check_configuration
from domain.flow.commands import CreateFlow
from tests.cli.workbench import seeding
from tests.settings.workbench import SECRET, with_routes, written
from tests.whole.gateway import ROOT

SIGNER: Final = Signer.generate("flows.example")
PLACE: Final = "taskflow.audit.checkpoints"


def configured(folder: Path, checkpoints: str, store: str = "t.db", *, signed: bool = True) -> Path:
    """Write a configuration with a store and a file of checkpoints, and its signing key."""
    key = folder / "signing.key"
    key.write_text(SIGNER.secret_text())
    key.chmod(0o600)
    provider = {"source": "file", "path": str(key), "mode": "singleValue"}
    reference = {"source": "file", "provider": "signing", "id": "value"}
    return written(
        folder,
        with_routes(
            {"zapier": {"sessionKey": "agent:main:main", "secret": SECRET}},
            secrets={"providers": {"signing": provider}},
            taskflow={
                "store": {"url": f"sqlite:///{store}"},
                "audit": {"checkpoints": checkpoints, **({"key": reference} if signed else {})},
            },
        ),
    )


def program(*argv: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - this very program
        [sys.executable, "-m", "app", *argv],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def problem(config: Path) -> str:
    """Return the one reason why a configuration cannot be started with."""
    report = check_configuration(config)
    assert isinstance(report, Unstartable)
    (finding,) = report.problems
    assert finding.field == PLACE
    return finding.sentence


def advice(config: Path) -> list[str]:
    report = check_configuration(config)
    assert isinstance(report, Startable)
    return [one.sentence for one in report.advice if one.field == "taskflow.audit"]


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("t.db", "the store"),
        ("./t.db", "the store"),
        ("../{folder}/t.db", "the store"),
        ("t.db-wal", "a file of the store"),
        ("t.db-shm", "a file of the store"),
        ("t.db-journal", "a file of the store"),
        ("t.db.lock", "the lock of the store"),
        ("t.db.refusals", "the refusals of the store"),
        ("t.db.refusals-wal", "a file of the refusals"),
        ("gateway.json5", "the configuration"),
        ("signing.key", "a file of secrets"),
    ],
)
def test_a_file_of_ours_is_not_that_of_the_checkpoints(
    tmp_path: Path, name: str, what: str, *, signed: bool
) -> None:
    config = configured(tmp_path, name.format(folder=tmp_path.name), signed=signed)
    assert f" is {what}: name another file for the checkpoints" in problem(config)


@pytest.mark.parametrize("link", [os.link, os.symlink])
def test_a_link_to_the_store_is_the_store(
    tmp_path: Path, link: Callable[[Path, Path], None]
) -> None:
    (tmp_path / "t.db").write_bytes(b"SQLite format 3\0")
    link(tmp_path / "t.db", tmp_path / "log")
    assert f"{tmp_path}/log is the store" in problem(configured(tmp_path, "log"))


def test_the_tiles_of_other_checkpoints_are_no_checkpoints(tmp_path: Path) -> None:
    config = configured(tmp_path, "other.tiles")
    assert advice(config) == []
    (tmp_path / "other").touch()
    assert f"{tmp_path}/other.tiles is the tiles of {tmp_path}/other" in problem(config)


def test_the_tiles_are_not_put_over_the_store(tmp_path: Path) -> None:
    config = configured(tmp_path, "log", store="log.tiles")
    assert f"{tmp_path}/log.tiles is the store" in problem(config)


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize(
    ("make", "clause"),
    [
        (lambda path: path.write_text("x\n"), "is not a file of checkpoints"),
        (lambda path: path.write_bytes(bytes(99)), "is not a file of checkpoints"),
        (Path.mkdir, "is a folder"),
        (os.mkfifo, "is a pipe"),
        (lambda path: path.symlink_to("/dev/null"), "is a device"),
        (lambda path: path.symlink_to("nowhere"), "is a link that leads nowhere"),
        (lambda path: sparse(path, 1 << 34), "is not a file of checkpoints"),
    ],
)
def test_a_file_of_another_kind_is_not_that_of_the_checkpoints(
    tmp_path: Path, make: Callable[[Path], object], clause: str, *, signed: bool
) -> None:
    make(tmp_path / "log")
    assert clause in problem(configured(tmp_path, "log", signed=signed))


def test_a_file_that_is_not_there_or_empty_is_right(tmp_path: Path) -> None:
    config = configured(tmp_path, "log")
    assert advice(config) == []
    (tmp_path / "log").touch()
    assert advice(config) == []


def test_checkpoints_of_another_key_are_warned_of(tmp_path: Path) -> None:
    seed(tmp_path / "t.db")
    assert program("audit", "keygen", "other", "--name", "other", cwd=tmp_path).returncode == 0
    signing = ("--key", "other", "--checkpoints", "log", "--database", "sqlite:///t.db")
    assert program("audit", "checkpoint", *signing, cwd=tmp_path).returncode == 0
    (sentence,) = advice(configured(tmp_path, "log"))
    expected = f"{tmp_path}/log: its last checkpoint is not by the key {SIGNER.verifier}: name"
    assert sentence.startswith(f"no checkpoint will be signed: {expected} another file")


def test_a_folder_that_is_missing_is_warned_of(tmp_path: Path) -> None:
    (sentence,) = advice(configured(tmp_path, "missing/log"))
    expected = f"{tmp_path}/missing/log: No such file or directory"
    assert sentence == f"no checkpoint will be signed: {expected}"


def test_neither_check_nor_the_gateway_nor_a_command_touches_the_store(tmp_path: Path) -> None:
    seed(tmp_path / "t.db")
    config = configured(tmp_path, "t.db")
    before = (tmp_path / "t.db").read_bytes()
    checked = program("check", "--config", str(config))
    assert checked.returncode == 2
    for argv in (("serve", "--port", "0"), ("audit", "checkpoint")):
        ran = program(*argv, "--config", str(config))
        assert (ran.returncode, ran.stdout) == (2, "")
        assert f"{PLACE}: {tmp_path}/t.db is the store: name another" in ran.stderr
        assert len(ran.stderr.splitlines()) == 1
    assert (tmp_path / "t.db").read_bytes() == before


def test_the_store_that_counts_is_the_one_of_the_command_line(tmp_path: Path) -> None:
    config = configured(tmp_path, "other.db")
    assert advice(config) == []
    store = ("--database", f"sqlite:///{tmp_path}/other.db")
    ran = program("serve", "--config", str(config), *store, "--port", "0")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert f"{PLACE}: {tmp_path}/other.db is the store" in ran.stderr
    assert not (tmp_path / "other.db").exists()


def sparse(path: Path, size: int) -> None:
    """Make a large file that takes no room."""
    path.touch()
    os.truncate(path, size)


def seed(path: Path) -> None:
    """Make a store of one flow."""
    with seeding(f"sqlite:///{path}") as bench:
        bench.execute(CreateFlow(goal="one", controller_id="webhooks/a"))
