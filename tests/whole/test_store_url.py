"""A URL of a store is read, and refused, alike in a configuration and on the command line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from adapters.cli import CommandError
from adapters.composition.stores import database_url
from tests.settings.workbench import refused, written
from tests.whole.gateway import ROOT

REFUSED = (
    "sqlite:///flows.db?mode=ro",
    "sqlite:///flows.db#x",
    "sqlite:///:memory:",
    "sqlite:///",
    "sqlite:////data/",
    "sqlite://flows.db",
    "postgresql://u:canary@db/x",
    "flows.db",
    " ",
    "sqlite:///flows\n.db",
    "sqlite:///flows\0.db",
    "sqlite:///flows\x9b.db",
)


@pytest.mark.parametrize("url", REFUSED)
def test_what_the_one_refuses_the_other_refuses_with_the_same_sentence(
    tmp_path: Path, url: str
) -> None:
    (problem,) = refused(tmp_path, {"taskflow": {"store": {"url": url}}})
    with pytest.raises(CommandError) as error:
        database_url(None, url)
    assert str(error.value).removeprefix("--database: ") == (
        problem.removeprefix("taskflow.store.url: ")
    )
    assert "canary" not in str(error.value)


@pytest.mark.parametrize(
    "url", ["sqlite:///flows.db", "sqlite:////data/50%.db", " sqlite:///flows.db\n"]
)
def test_what_the_one_takes_the_other_takes_as_the_same_store(
    tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = written(tmp_path, {"taskflow": {"store": {"url": url}}})
    assert database_url(None, url) == database_url(config, None)


@pytest.mark.parametrize("url", ["sqlite:///flows\udcff.db", None])
def test_a_store_whose_name_is_not_utf_8_is_refused(tmp_path: Path, url: str | None) -> None:
    folder = tmp_path if url else tmp_path / "\udcff"
    folder.mkdir(exist_ok=True)
    with pytest.raises(CommandError, match="whose name is not UTF-8"):
        database_url(written(folder, "{}"), url)


@pytest.mark.parametrize(
    "command", ["serve --config gateway.json5", "reload", "flows list", "store rebuild"]
)
def test_no_command_opens_what_is_refused(tmp_path: Path, command: str) -> None:
    written(tmp_path, "{}")
    done = subprocess.run(  # noqa: S603 - our own program, with our own arguments
        [sys.executable, "-m", "app", *command.split(), "--database", "sqlite:///x.db?mode=ro"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    expected = (
        "sqlite:///FILE, sqlite:////ABSOLUTE/FILE, or postgresql://USER@HOST/NAME without"
        " a password"
    )
    found = "a URL with a query or a fragment"
    assert done.returncode == 2
    assert done.stderr.endswith(f"--database: expected {expected}, found {found}\n")
    assert [one.name for one in tmp_path.iterdir()] == ["gateway.json5"]
