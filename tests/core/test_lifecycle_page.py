"""`docs/lifecycle.md` is up to date, and its diagrams are what `decide` does."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from adapters.presentation.lifecycle_page import render
from adapters.testing.states import LifecycleCase, lifecycle_cases
from domain.flow.commands import COMMANDS
from domain.flow.refusals import Refusal
from domain.flow.state import Flow
from domain.flow.status import ACTIVE, LIVE, FlowStatus
from domain.flow.task import find_task

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "lifecycle.md"

Arrow = tuple[str, str, str]
"""From, to, and what is written on it."""


def test_the_page_is_what_the_table_says() -> None:
    stale = "docs/lifecycle.md is out of date: run `make docs` and commit what it writes"
    assert PAGE.read_text(encoding="utf-8") == render(), stale


def test_the_module_prints_the_page() -> None:
    command = [sys.executable, "-m", "adapters.presentation.lifecycle_page"]
    printed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True)  # noqa: S603 - our own interpreter and module
    assert printed.stdout.decode() == render()


def test_the_overview_has_a_line_for_every_status_and_a_column_for_every_command() -> None:
    lines = [line.split(" | ") for line in render().split("## The table")[0].splitlines()]
    table = [cells for cells in lines if len(cells) > 1]
    assert [cells[0] for cells in table] == [
        "| from",
        "| ---",
        "| no flow",
        *(f"| `{status}`" for status in FlowStatus),
    ]
    assert {len(cells) for cells in table} == {1 + len(COMMANDS)}


def test_the_flow_diagram_draws_every_step_between_statuses_that_decide_takes_and_no_other() -> (
    None
):
    drawn = {arrow for arrow in _arrows(0, "live", LIVE) if arrow[0] != arrow[1]}
    taken = {step for trial in lifecycle_cases() for step in _flow_step(trial)}
    assert drawn == taken


def test_the_task_diagram_draws_every_step_of_a_task_that_decide_takes_and_no_other() -> None:
    taken = {step for trial in lifecycle_cases() for step in _task_steps(trial)}
    assert set(_arrows(1, "active", ACTIVE)) == taken


def _arrows(at: int, frame: str, inside: frozenset[str]) -> list[Arrow]:
    """Read the arrows of a diagram, with those of the frame drawn out for each status inside."""
    diagram = render().split("```mermaid\n")[at + 1].split("```")[0]
    found = re.findall(r"^ *(\S+) --> (\S+) : (.+)$", diagram, re.MULTILINE)
    return [
        (source, target, label)
        for sources, targets, labels in found
        for source in (inside if sources == frame else {sources})
        for target in (inside if targets == frame else {targets})
        for label in labels.split(", ")
    ]


def _flow_step(trial: LifecycleCase) -> set[Arrow]:
    if isinstance(trial.decided.decision, Refusal):
        return set()
    before, after = _status(trial.before), trial.decided.flow.status
    return set() if before == after else {(before, after, type(trial.command).__name__)}


def _status(flow: Flow | None) -> str:
    return "[*]" if flow is None else flow.status


def _task_steps(trial: LifecycleCase) -> set[Arrow]:
    if isinstance(trial.decided.decision, Refusal) or trial.before is None:
        return set()
    steps: set[Arrow] = set()
    for task in trial.decided.flow.tasks:
        known = find_task(trial.before.tasks, task.task_id)
        if known != task and trial.decided.events:
            name = type(trial.decided.events[0]).__name__
            steps.add(("[*]" if known is None else known.status, task.status, name))
    return {step for step in steps if step[2] != "TaskDescribed"}
