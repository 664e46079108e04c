"""A public name stands for one thing in the domain and the adapters together."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]

TWICE: Final = {
    "WireObject": "the kit is a caller: it has no name in common with the webhooks that it tries",
    "cancel_pending": "what a flow is, and the response that says so",
    "config_of": "of a file, and of what was read of one",
    "counted": "the stand-alone verifier imports nothing of ours",
    "kind_of": "of a file, and of a value in a configuration",
    "lose_task": "the model says again what the decider says",
    "main": "two modules that are run",
    "one_of": "of an option, and of a field",
    "text": "of a setting, and of a field",
}
"""The names that are defined in two modules, each with its reason; at most ten."""


def public_names(root: Path) -> dict[str, list[str]]:
    """Return the modules that define each public name, but for constants and type variables."""
    found: dict[str, list[str]] = defaultdict(list)
    for folder in ("domain", "adapters"):
        for file in sorted((root / folder).rglob("*.py")):
            for name in {_name(node) for node in ast.parse(file.read_text("utf-8")).body}:
                if name is not None and not name.startswith("_") and not name.isupper():
                    found[name].append(str(file.relative_to(root)))
    return found


def _name(node: ast.stmt) -> str | None:
    match node:
        case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
            return name
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return name
        case _:
            return None


def test_a_public_name_stands_for_one_thing() -> None:
    twice = {name for name, files in public_names(ROOT).items() if len(files) > 1}
    assert twice == TWICE.keys()
    assert len(TWICE) <= 10


def test_a_name_that_is_defined_twice_is_found(tmp_path: Path) -> None:
    domain = "class Flow: ...\nT = TypeVar('T')\nMOST: Final = 1"
    adapters = "Flow: TypeAlias = int\nOwner = NewType('Owner', str)"
    for room, text in (("domain", domain), ("adapters", adapters)):
        (tmp_path / room).mkdir()
        (tmp_path / room / "it.py").write_text(f"{text}\n_Own: TypeAlias = int\n", "utf-8")
    assert public_names(tmp_path) == {
        "Flow": ["domain/it.py", "adapters/it.py"],
        "Owner": ["adapters/it.py"],
    }
