"""From when and until when a key is valid: `notBefore` and `notAfter`, as RFC 3339 writes times."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, TypeAlias

from attrs import frozen

from adapters.settings.fields import Members
from domain.flow.values import Timestamp

NOT_BEFORE: Final = "notBefore"
NOT_AFTER: Final = "notAfter"

KeyFault: TypeAlias = Literal["key_not_yet_valid", "key_expired"]
"""Why a key that was presented is not valid at a moment."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_RFC_3339: Final = re.compile(
    r"\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)", re.ASCII
)


@frozen(kw_only=True)
class KeyValidity:
    """The first moment at which a key is valid, and the first at which it is no more; or None."""

    not_before: Timestamp | None = None
    not_after: Timestamp | None = None

    def fault(self, at: Timestamp) -> KeyFault | None:
        """Return why the key is not valid at a moment, or None."""
        if self.not_before is not None and at < self.not_before:
            return "key_not_yet_valid"
        if self.not_after is not None and at >= self.not_after:
            return "key_expired"
        return None


ALWAYS: Final = KeyValidity()


def read_key_times(key: Members) -> KeyValidity:
    """Read `notBefore` and `notAfter`, both optional, the first before the second."""
    times = KeyValidity(not_before=_moment(key, NOT_BEFORE), not_after=_moment(key, NOT_AFTER))
    begin, end = times.not_before, times.not_after
    if begin is not None and end is not None and begin >= end:
        key.refuse(NOT_AFTER, expected=f"a time after {NOT_BEFORE}", found="none after it")
    return times


def _moment(key: Members, name: str) -> Timestamp | None:
    field = key.get(name)
    if field is None:
        return None
    if isinstance(field.value, str) and _RFC_3339.fullmatch(field.value):
        try:
            return (datetime.fromisoformat(field.value) - _EPOCH) // timedelta(milliseconds=1)
        except ValueError:
            pass  # there is no such day, minute or offset
    kind = "another string" if isinstance(field.value, str) else None
    field.refuse(expected="a time with its offset like 2026-12-01T00:00:00Z", found=kind)
    return None
