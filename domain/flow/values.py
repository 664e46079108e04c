"""The small values that commands, events and flows are made of."""

from __future__ import annotations

from enum import Enum
from typing import Final, Literal, TypeAlias, TypeVar

from attrs import frozen

Timestamp: TypeAlias = int
"""A moment: milliseconds since 1970-01-01T00:00:00Z."""


BLANKS: Final = (
    "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
"""The blanks of a caller's text: those of `String.trim` (ECMA-262 §12.2 and §12.3).

They differ from Python's: U+FEFF is one, U+0085 and U+001C to U+001F are none. So no text of a
caller is asked `isspace()`, nor stripped or split without naming them.
"""


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
