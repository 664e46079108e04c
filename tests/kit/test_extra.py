"""What the kit needs beside the service: Hypothesis, and that only to make things up."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WITHOUT = "import sys; sys.modules['hypothesis'] = None; import adapters.testing.{name}"
PLAIN = [
    *("answers", "clock", "corpus", "corpus.record", "differences", "drivers", "examples"),
    *("failing", "ids", "invariants", "json_format", "linearizability", "memory", "model", "names"),
    *("replay", "scenario", "shrinking", "states", "steps", "targeting", "trial"),
]


def _imports(name: str) -> bool:
    command = [sys.executable, "-c", WITHOUT.format(name=name)]
    return subprocess.run(command, cwd=ROOT, check=False, capture_output=True).returncode == 0  # noqa: S603 - our own interpreter


def test_all_but_the_strategies_and_the_machine_do_without_hypothesis() -> None:
    assert _imports(", adapters.testing.".join(PLAIN))
    kit = {file.stem for file in (ROOT / "adapters" / "testing").iterdir()}
    assert kit - {"__init__", "__pycache__", "reproducing", *PLAIN} == {"machine", "strategies"}


@pytest.mark.parametrize("name", ["strategies.alphabet", "machine"])
def test_the_strategies_and_the_machine_need_it(name: str) -> None:
    assert not _imports(name)


def test_the_extra_asks_for_the_hypothesis_that_our_own_tests_use() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        extras = tomllib.load(file)["project"]["optional-dependencies"]
    (hypothesis,) = extras["testing"]
    assert hypothesis in extras["dev"]
