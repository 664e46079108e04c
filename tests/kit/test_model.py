"""The model knows nothing of what it judges."""

from __future__ import annotations

import ast
from pathlib import Path

from adapters.testing.model import Rules
from domain.flow.commands import COMMANDS, CreateFlow

MODEL = Path(__file__).parents[2] / "adapters" / "testing" / "model"
ASKS: set[str] = {f"domain.flow.{name}" for name in ("commands", "ids", "status", "values")}
"""What the model shares with the core: the words of the questions."""


def imported(file: Path) -> set[str]:
    """Return the modules of the core that a file imports."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    named = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    named |= {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    return {name for name in named if name.startswith("domain")}


def test_the_model_shares_nothing_with_the_core_but_the_questions() -> None:
    files = sorted(MODEL.glob("*.py"))
    assert len(files) > 4
    assert {file.name: imported(file) - ASKS for file in files} == {
        file.name: set() for file in files
    }


def test_the_model_has_a_method_for_every_command() -> None:
    words = {
        *("set_waiting", "resume", "finish", "fail", "request_cancel", "cancel"),
        *("run_task", "update_task", "lose_task", "create"),
        *("resume_early", "follow_link", "expire_wait"),
    }
    assert words <= set(vars(Rules))
    assert len(words) == len(COMMANDS)
    assert CreateFlow in COMMANDS
