"""Cursors of a list: opaque to callers, a whole number to us."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from typing import Final

_NUMBER: Final = re.compile(rb"0|[1-9][0-9]{0,17}")


def encode_cursor(position: int) -> str:
    """Return the cursor of a position."""
    return urlsafe_b64encode(b"%d" % position).rstrip(b"=").decode()


def decode_cursor(cursor: str) -> int | None:
    """Return the position that a cursor stands for, or None if we never gave it out."""
    try:
        number = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except (Error, ValueError):
        return None
    position = int(number) if _NUMBER.fullmatch(number) else None
    return position if position is not None and encode_cursor(position) == cursor else None
