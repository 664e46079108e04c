"""From when and until when a key is valid: `notBefore` and `notAfter`, as RFC 3339 writes times."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, Literal, TypeAlias

from attrs import frozen

from adapters.settings.nodes import Misfit, Node
from adapters.settings.structure import another
from domain.flow.values import Timestamp

KeyFault: TypeAlias = Literal["key_not_yet_valid", "key_expired"]
"""Why a key that was presented is not valid at a moment."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_RFC_3339: Final = re.compile(
    r"\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)", re.ASCII
)


def _moment(node: Node) -> Timestamp:
    if isinstance(node.value, str) and _RFC_3339.fullmatch(node.value):
        try:
            return (datetime.fromisoformat(node.value) - _EPOCH) // timedelta(milliseconds=1)
        except ValueError:
            pass  # there is no such day, minute or offset
    found = another(node, "another string")
    raise Misfit("a time with its offset like 2026-12-01T00:00:00Z", found)


_Moment: TypeAlias = Annotated[Timestamp, _moment]


@frozen(kw_only=True)
class KeyValidity:
    """The first moment at which a key is valid, and the first at which it is no more; or None."""

    not_before: _Moment | None = None
    not_after: _Moment | None = None

    def fault(self, at: Timestamp) -> KeyFault | None:
        """Return why the key is not valid at a moment, or None."""
        if self.not_before is not None and at < self.not_before:
            return "key_not_yet_valid"
        if self.not_after is not None and at >= self.not_after:
            return "key_expired"
        return None


ALWAYS: Final = KeyValidity()
