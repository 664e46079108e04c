"""The wheel installs beside a project that has a `domain` and `adapters` of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from email import message_from_string
from pathlib import Path

import pytest

from tests.kit.page import EXAMPLES, printed_by, program_of

ROOT = Path(__file__).parents[2]
IMPORT_ALL = """
import domain.orders, pkgutil, taskflow_webhooks
for module in pkgutil.walk_packages(taskflow_webhooks.__path__, "taskflow_webhooks."):
    __import__(module.name)
"""
Run = Callable[..., str]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of packages into which the wheel was installed."""
    wheels, packages = tmp_path_factory.mktemp("wheels"), tmp_path_factory.mktemp("packages")
    python = sys.executable
    build = [python, "-m", "hatchling", "build", "-t", "wheel", "-d", str(wheels)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)  # noqa: S603 - our own wheel
    (wheel,) = wheels.iterdir()
    quietly = ["--quiet", "--no-deps", "--no-index", "--no-compile", "--disable-pip-version-check"]
    install = [python, "-m", "pip", "install", *quietly, "--target", str(packages), str(wheel)]
    subprocess.run(install, check=True, capture_output=True)  # noqa: S603 - the same
    return packages


@pytest.fixture
def run(installed: Path, tmp_path: Path) -> Run:
    """Return what runs Python in a project of its own beside the wheel, and returns its output.

    With `-S` no `.pth` file counts, so that the wheel is found and this repository is not.
    """
    for name in ("domain", "adapters"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").touch()
    (tmp_path / "domain" / "orders.py").touch()
    paths = [tmp_path, installed, sysconfig.get_path("purelib")]
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(map(str, paths)),
        "TASKFLOW_N8N_SECRET": "any-secret-of-the-second-route",
    }

    def run(*arguments: str) -> str:
        done = subprocess.run(  # noqa: S603 - our own interpreter
            [sys.executable, "-S", *arguments],
            cwd=tmp_path,
            env=environment,
            check=False,
            capture_output=True,
            text=True,
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    return run


def test_the_wheel_has_one_import_name_and_its_types(installed: Path) -> None:
    packages = {path.name for path in installed.iterdir() if path.suffix != ".dist-info"}
    assert packages == {"bin", "taskflow_webhooks"}
    assert (installed / "taskflow_webhooks" / "py.typed").exists()


def test_the_wheel_says_where_it_belongs(installed: Path) -> None:
    (metadata,) = installed.glob("*.dist-info/METADATA")
    fields = message_from_string(metadata.read_text(encoding="utf-8"))
    assert "Typing :: Typed" in fields.get_all("Classifier", [])
    assert "License-Expression" in fields


def test_every_module_is_imported_beside_a_domain_of_the_project(run: Run) -> None:
    assert run("-c", IMPORT_ALL) == ""


def test_a_worked_example_runs_beside_a_domain_of_the_project(run: Run) -> None:
    example = EXAMPLES["Reading a shrunk failure"]
    assert run("-c", program_of(example)) == printed_by(example)


def test_the_golden_histories_are_found_in_the_wheel(run: Run) -> None:
    count = "from taskflow_webhooks.adapters.testing.corpus import golden_histories as histories"
    shipped = len(list((ROOT / "adapters" / "testing" / "corpus").glob("*.json")))
    assert run("-c", f"{count}; print(len(histories()))") == f"{shipped}\n"


def test_the_openapi_document_is_made_by_the_wheel(run: Run, installed: Path) -> None:
    printed = run(str(installed / "bin" / "taskflow"), "openapi")
    assert printed == (ROOT / "docs" / "openapi.json").read_text(encoding="utf-8")


def test_the_console_script_runs_beside_a_domain_of_the_project(run: Run, installed: Path) -> None:
    taskflow = str(installed / "bin" / "taskflow")
    assert "serve" in run(taskflow, "--help")
    checked = run(taskflow, "check", "--config", str(ROOT / "examples" / "gateway.json5"))
    assert "2 routes would be served" in checked
