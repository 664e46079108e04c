"""The small values that commands, events and flows are made of."""

from __future__ import annotations

from enum import Enum
from typing import Final, Literal, TypeAlias, TypeVar

from attrs import frozen

Timestamp: TypeAlias = int
"""A moment: milliseconds since 1970-01-01T00:00:00Z."""


@frozen
class Json:
    """Any JSON value, held as its compact text.

    Text is immutable, compares by what was sent, keeps integers of any length and the order of
    keys, and is passed through unread: the core never looks inside.
    """

    text: str


JSON_NULL: Final = Json("null")


class Keep(Enum):
    """The one value of an absent field."""

    KEEP = "keep"

    def __repr__(self) -> str:
        return "KEEP"


KEEP: Final = Keep.KEEP

T = TypeVar("T")
Patch: TypeAlias = T | Literal[Keep.KEEP]
"""What a request says of one field: `KEEP` leaves it, anything else replaces it."""


def patched(old: T, patch: Patch[T]) -> T:
    """Return what a field holds after a patch."""
    return old if patch is Keep.KEEP else patch
