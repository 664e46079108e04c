"""Values as people read them: text that cannot play tricks on a reader, and moments.

APPSEC: goals, summaries and names come from callers. An escape sequence, a line break or a
right-to-left override in them must not move a terminal's cursor, forge a line or re-order one.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Final

from domain.flow.values import Timestamp

_SECOND: Final = 1000
_UNITS: Final = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_RFC_3339: Final = re.compile(
    r"\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)", re.ASCII
)


def printable(text: str) -> str:
    r"""Return text with every character that does not print written out, as in `\x1b`."""
    return text if text.isprintable() else "".join(map(_printable, text))


def _printable(character: str) -> str:
    if character.isprintable():
        return character
    return character.encode("unicode_escape").decode("ascii")


def shortened(text: str, most: int) -> str:
    """Return printable text of at most `most` characters; what was cut ends with an ellipsis."""
    shown = printable(text)
    return shown if len(shown) <= most else f"{shown[: most - 1]}…"


def pretty_json(text: str, most: int = 60) -> str:
    """Return a JSON text on one line if it is short, else indented; only with printable ASCII."""
    value = json.loads(text)
    line = json.dumps(value)
    return line if len(line) <= most else json.dumps(value, indent=2)


def to_the_second(at: Timestamp) -> str:
    """Return a moment as UTC in ISO 8601, as in 2026-11-23T12:00:00Z."""
    return rfc_3339(at, "seconds") or f"{at} ms"


def to_the_millisecond(at: Timestamp) -> str:
    """Return a moment as UTC in ISO 8601, as in 2026-11-23T12:00:00.000Z."""
    return rfc_3339(at) or f"{at} ms"


def rfc_3339(at: Timestamp, precision: str = "milliseconds") -> str | None:
    """Return a moment as RFC 3339 writes it, in UTC; None if it lies in no year from 1 to 9999."""
    try:
        moment = _EPOCH + timedelta(milliseconds=at)
    except OverflowError:  # callers may date their children's news in any year
        return None
    return f"{moment.replace(tzinfo=None).isoformat(timespec=precision)}Z"


def read_rfc_3339(text: str) -> Timestamp | None:
    """Return the moment that a text of RFC 3339 denotes, rounded down; None if it denotes none."""
    if not _RFC_3339.fullmatch(text):
        return None
    try:
        return (datetime.fromisoformat(text) - _EPOCH) // timedelta(milliseconds=1)
    except ValueError:
        return None  # there is no such day, minute or offset


def counted(count: int, noun: str) -> str:
    """Return a number with its noun, as in `1 flow` or `1,200 flows`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def lasting(milliseconds: int) -> str:
    """Return how long something took, in its two largest units: `3 d 4 h`, `12 s`, `5 ms`."""
    if milliseconds < _SECOND:
        return f"{milliseconds} ms"
    rest = milliseconds // _SECOND
    parts: list[str] = []
    for unit, seconds in _UNITS:
        count, rest = divmod(rest, seconds)
        if count or parts:
            parts.append(f"{count} {unit}" if count else "")
    return " ".join(filter(None, parts[:2]))
