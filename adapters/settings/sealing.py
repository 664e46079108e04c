"""How a value that a provider gave becomes a secret, or a reason why it is none."""

from __future__ import annotations

from typing import TypeAlias

from attrs import frozen

from adapters.settings.fields import BLANKS, described
from adapters.settings.secret import Secret


@frozen
class Unresolved:
    """Why a reference gives no secret: a clause for people, never with a value in it."""

    reason: str


Resolution: TypeAlias = Secret | Unresolved


def sealed(value: object, name: str) -> Resolution:
    """Return a value as a secret; `name` says what it is where it cannot be one."""
    if not isinstance(value, str):
        return Unresolved(f"{name} is {described(value)}, not a string")
    trimmed = value.strip(BLANKS)
    return Secret(trimmed) if trimmed else Unresolved(f"{name} is empty")
