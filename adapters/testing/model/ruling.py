"""What the model says of a command."""

from __future__ import annotations

from typing import TypeAlias

from attrs import frozen

from adapters.testing.model.life import Life


@frozen
class No:
    """A refusal: its code and its sentence."""

    code: str
    reason: str


Verdict: TypeAlias = Life | No
"""What a flow becomes, or why not."""


@frozen
class Ruling:
    """What a command leads to: the flow thereafter, why not, and the task that it was about."""

    life: Life | None
    no: No | None = None
    task_id: str | None = None
