"""The line that reproduces a failure, and the story that led to it."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from functools import reduce
from importlib import import_module
from typing import Any, Final, TypeAlias

from adapters.testing.drivers.driver import DriverFactory
from adapters.testing.model import Rules
from adapters.testing.steps import Step, write_steps

USUAL: Final = ("adapters.testing.drivers.pure:pure_core", "adapters.testing.model.rules:Rules")
OPTIONS: Final = ("--driver", "--rules")

MakeRules: TypeAlias = Callable[[], Rules]


class NoSuchName(ValueError):  # noqa: N818 - what is wrong
    """A reference to nothing that can be imported."""


def story(steps: Sequence[Step], factory: DriverFactory, rules: MakeRules) -> str:
    """Return what was done, and a line to paste that does it again."""
    told = "\n".join(f"  {number}. {step}" for number, step in enumerate(steps, 1))
    return f"what was done:\n{told}\n{reproducer(steps, factory, rules)}"


def reproducer(steps: Sequence[Step], factory: DriverFactory, rules: MakeRules) -> str:
    """Return the line to paste: for the shell where all can be imported, else for the test."""
    noted = write_steps(steps)
    names = (reference_to(factory), reference_to(rules))
    if None in names:
        return f"reproduce, beside your test: replay({noted!r}, factory, rules)"
    pairs = zip(OPTIONS, names, USUAL, strict=True)
    chosen = [f"{option} {name}" for option, name, usual in pairs if name != usual]
    return " ".join(["reproduce: python -m adapters.testing.replay", *chosen, shlex.quote(noted)])


def reference_to(thing: object) -> str | None:
    """Return `module:name` of something that can be imported by it, else None."""
    module, name = getattr(thing, "__module__", ""), getattr(thing, "__qualname__", "")
    try:
        found = referred(f"{module}:{name}")
    except NoSuchName:
        return None
    return f"{module}:{name}" if found is thing else None


def referred(reference: str) -> Any:  # noqa: ANN401 - whatever has that name
    """Return what `module:name` stands for.

    Raises:
        NoSuchName: if there is nothing of that name.
    """
    module, _, name = reference.partition(":")
    try:
        return reduce(getattr, name.split("."), import_module(module))
    except (ImportError, AttributeError, ValueError) as error:
        expected = "expected MODULE:NAME of something that can be imported"
        raise NoSuchName(f"{reference!r}: {expected}") from error
