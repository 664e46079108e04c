"""Points in a flow's history: a version, a revision or a time, and how one is written.

`7` is the flow after its seventh event; `r3` after the last event of revision 3, as child tasks
may have moved on while the revision stood; a time is the flow as it was at that moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias, assert_never

from attrs import frozen

from domain.flow.values import Timestamp
from domain.history.transitions import Transition

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_DIGITS: Final = 18
"""A number of so many digits fits into 63 bits, and into every database."""


@frozen
class AtVersion:
    """After the event of a stream version, counted from 1."""

    version: int


@frozen
class AtRevision:
    """After the last event of a revision, counted from 0."""

    revision: int


@frozen
class AtTime:
    """After the last event that had happened by a moment."""

    at: Timestamp


Point: TypeAlias = AtVersion | AtRevision | AtTime

EXPECTED: Final = "a version (7), a revision (r3) or a time in UTC (2026-11-26T10:00:00Z)"


def parse_point(text: str) -> Point:
    """Return the point that a text denotes: `7`, `r3`, or a time in ISO 8601.

    Raises:
        ValueError: if it denotes none; the sentence says what was expected.
    """
    if _is_number(text):
        return AtVersion(int(text))
    if text[:1] == "r" and _is_number(text[1:]):
        return AtRevision(int(text[1:]))
    try:
        return AtTime(parse_time(text))
    except ValueError:
        raise ValueError(f"expected {EXPECTED}, found {text!r}") from None


def parse_time(text: str) -> Timestamp:
    """Return the moment that an ISO 8601 text denotes, rounded down to the millisecond.

    Without an offset it is in UTC; a date alone is its first moment.

    Raises:
        ValueError: if it denotes none; the sentence says what was expected.
    """
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        expected = "a time in UTC such as 2026-11-26T10:00:00Z"
        raise ValueError(f"expected {expected}, found {text!r}") from None
    moment = read if read.tzinfo else read.replace(tzinfo=UTC)
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def transition_at(history: Sequence[Transition], point: Point) -> Transition | None:
    """Return the transition that led to a point of a history, None if none did."""
    match point:
        case AtVersion(version):
            return history[version - 1] if 1 <= version <= len(history) else None
        case AtRevision(revision):
            return next((s for s in reversed(history) if s.after.revision == revision), None)
        case AtTime(at):
            return next((s for s in reversed(history) if s.record.event.at <= at), None)
        case _:
            assert_never(point)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS
