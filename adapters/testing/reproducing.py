"""The line that reproduces a failure, and the story that led to it."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from pkgutil import resolve_name
from typing import Any, Final, TypeAlias

from adapters.testing.drivers.driver import DriverFactory
from adapters.testing.model import Rules
from adapters.testing.steps import TrialStep, dump_steps

USUAL: Final = ("adapters.testing.drivers.pure:pure_core", "adapters.testing.model.rules:Rules")
OPTIONS: Final = ("--driver", "--rules")

MakeRules: TypeAlias = Callable[[], Rules]


class ImportNameError(ValueError):
    """A reference to nothing that can be imported."""


def story(steps: Sequence[TrialStep], factory: DriverFactory, rules: MakeRules) -> str:
    """Return what was done, and a line to paste that does it again."""
    lines = "\n".join(f"  {number}. {step}" for number, step in enumerate(steps, 1))
    return f"what was done:\n{lines}\n{reproducer(steps, factory, rules)}"


def reproducer(steps: Sequence[TrialStep], factory: DriverFactory, rules: MakeRules) -> str:
    """Return the line to paste: for the shell where all can be imported, else for the test."""
    text = dump_steps(steps)
    names = (importable_name(factory), importable_name(rules))
    if None in names:
        return f"reproduce, beside your test: replay({text!r}, factory, rules)"
    pairs = zip(OPTIONS, names, USUAL, strict=True)
    chosen = [f"{option} {name}" for option, name, usual in pairs if name != usual]
    return " ".join(["reproduce: python -m adapters.testing.replay", *chosen, shlex.quote(text)])


def importable_name(thing: object) -> str | None:
    """Return `module:name` of something that can be imported by it, else None."""
    module, name = getattr(thing, "__module__", ""), getattr(thing, "__qualname__", "")
    try:
        found = import_name(f"{module}:{name}")
    except ImportNameError:
        return None
    return f"{module}:{name}" if found is thing else None


def import_name(reference: str) -> Callable[..., Any]:
    """Return the callable that `module:name` stands for; raises ImportNameError."""
    try:
        found: object = resolve_name(reference)
    except (ImportError, AttributeError, ValueError):
        found = None
    if not callable(found):
        expected = "expected MODULE:NAME of something that can be imported and called"
        raise ImportNameError(f"{reference!r}: {expected}")
    return found
