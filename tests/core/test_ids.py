"""Identifiers are types: the type checker refuses one in the place of another."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SWAPPED = """
from domain.application.ports import FlowStore
from domain.flow.ids import FlowId, Owner

def find(store: FlowStore, owner: Owner, flow_id: FlowId) -> None:
    store.find(owner, flow_id)
    store.find(flow_id, owner)
    store.find("agent:main:main", flow_id)
"""


def test_arguments_that_are_swapped_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "swapped.py"
    file.write_text(SWAPPED, encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--no-error-summary", "--no-incremental", str(file)]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)  # noqa: S603 - our own text
    found = [line.partition("error: ")[2] for line in done.stdout.splitlines()]
    swapped = ((1, "FlowId", "Owner"), (2, "Owner", "FlowId"), (1, "str", "Owner"))
    assert [line.removesuffix("  [arg-type]") for line in found] == [
        f'Argument {number} to "find" of "FlowStore" has incompatible type "{given}";'
        f' expected "{due}"'
        for number, given, due in swapped
    ]
