"""How a value that a provider gave is held until it is used, or a reason why it is none."""

from __future__ import annotations

from typing import TypeAlias, final

from attrs import frozen

from adapters.settings.hidden import Hidden
from adapters.settings.nodes import kind_of
from adapters.settings.placeholders import is_placeholder
from domain.flow.values import BLANKS


@frozen
class Unresolved:
    """Why a reference gives no secret: a clause for people, never with a value in it."""

    reason: str


class ProviderFault(Exception):  # noqa: N818 - an answer, not an error
    """Why a provider gives none of its secrets: a clause without a value in it."""


@final
class Sealed(Hidden):
    """Holds a secret's text on its way to its user; it shows itself as `Sealed(***)`."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text."""
        return self._text


Resolution: TypeAlias = Sealed | Unresolved


def sealed(value: object, name: str) -> Resolution:
    """Seal a value that is a secret; `name` says what it is where it cannot be one."""
    if not isinstance(value, str):
        return Unresolved(f"{name} is {kind_of(value)}, not a string")
    trimmed = value.strip(BLANKS)
    if is_placeholder(trimmed):
        return Unresolved(f"{name} is a placeholder that nothing has replaced")
    return Sealed(trimmed) if trimmed else Unresolved(f"{name} is empty")
