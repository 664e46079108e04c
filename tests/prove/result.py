"""What a proof tells while it runs, and at its end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from attrs import frozen

Progress: TypeAlias = Callable[[int, int], None]
"""Told of how much is done, of how much (0: not known)."""

SHOWN: Final = 20
"""How many losses are kept with their words; all of them are counted."""


@frozen(kw_only=True)
class Result:
    """What a proof tried, how much of it, and what was lost or violated: nothing, one hopes.

    `counts` are numbers by their names; `violations` are sentences, each with what reproduces it;
    `notes` say what was abstracted, left out, or expected to be lost.
    """

    tried: str
    counts: Mapping[str, int]
    violations: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


Proof: TypeAlias = Callable[[float, Progress], Result]
"""Runs at a scale (1.0: full size)."""


@frozen
class Ran:
    """A proof that was run."""

    name: str
    result: Result
    seconds: float


def unseen(_done: int, _of: int) -> None:
    """Tell nobody of the progress."""


def scaled(most: int, scale: float, *, least: int = 1) -> int:
    """Return how much of the full size a scale asks for."""
    return max(least, round(most * scale))
