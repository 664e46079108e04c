"""What the model says of a command."""

from __future__ import annotations

from typing import TypeAlias

from attrs import frozen

from adapters.testing.model.life import Life
from domain.flow.ids import TaskId


@frozen
class No:
    """A refusal: its code and its sentence."""

    code: str
    reason: str


Verdict: TypeAlias = Life | No
"""What a flow becomes, or why not."""

Ruling: TypeAlias = tuple[Verdict, TaskId | None]
"""What becomes of a command, and the task that it is about, be it there or made by it."""
