"""The worked examples of `docs/testing.md` do what the page says."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.kit.page import EXAMPLES, PAGE, blocks_of, in_repository

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("title", EXAMPLES)
def test_an_example_prints_what_the_page_says(title: str) -> None:
    scope: dict[str, Any] = {"__name__": "example"}
    printed = ""
    for kind, text in blocks_of(in_repository(EXAMPLES[title])):
        if kind == "text":
            assert printed == text
            printed = ""
            continue
        assert printed == "", "what a block prints is shown beneath it"
        with contextlib.redirect_stdout(io.StringIO()) as output:
            exec(compile(text, title, "exec"), scope)  # noqa: S102 - our own page
        printed = output.getvalue()
    assert printed == ""


def test_there_are_three_examples() -> None:
    assert list(EXAMPLES) == [
        "Testing a new rule",
        "Testing a new store",
        "Reading a shrunk failure",
    ]


def test_the_line_to_paste_shows_the_failure() -> None:
    (line,) = re.findall(
        r"^python -m adapters.testing.replay .*$", in_repository(PAGE), re.MULTILINE
    )
    _, *arguments = shlex.split(line)
    shown = subprocess.run(  # noqa: S603 - our own page
        [sys.executable, *arguments], cwd=ROOT, check=False, capture_output=True, text=True
    )
    assert shown.returncode == 1
    assert shown.stdout in PAGE


def test_every_module_that_the_page_names_is_there() -> None:
    (table,) = re.findall(r"^\| module \|.*?\n\n", PAGE, re.MULTILINE | re.DOTALL)
    cells = [row.split("|")[1] for row in table.strip().splitlines()[2:]]
    named = [word for cell in cells for word in re.findall(r"`(\w+)`", cell)]
    kit = ROOT / "adapters" / "testing"
    missing = [name for name in named if not list(kit.glob(f"{name}*"))]
    assert (len(named) > 8, missing) == (True, [])
