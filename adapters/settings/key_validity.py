"""From when and until when a key is valid: `notBefore` and `notAfter`, as RFC 3339 writes times."""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeAlias

from attrs import frozen

from adapters.presentation.printable import read_rfc_3339
from adapters.settings.nodes import Misfit, Node
from adapters.settings.structure import another
from domain.flow.values import Timestamp

KeyFault: TypeAlias = Literal["key_not_yet_valid", "key_expired"]
"""Why a key that was presented is not valid at a moment."""


def _moment(node: Node) -> Timestamp:
    moment = read_rfc_3339(node.value) if isinstance(node.value, str) else None
    if moment is not None:
        return moment
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
