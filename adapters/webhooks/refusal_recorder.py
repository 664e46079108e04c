"""Which answers are evidence of what a caller was refused, and what is recorded of them.

Kept is what an authenticated caller asked of a flow and was refused: 403, 404, 409 and 422.
Counted is who was not let in: 401 and 429, by its key where that is known, but not valid now. The
rest stands in the log alone: a 400 says how a program is wrong, not what its owner wanted of a
flow, and a 5xx is our own fault.
"""

from __future__ import annotations

import re
from typing import Final

from attrs import frozen

from adapters.webhooks.request_context import AccessLogEntry
from domain.application.ports import Clock
from domain.flow.ids import FlowId
from domain.history.refused_requests import DeniedRequest, NoteDenied, RefusedRequest, TurnedAway

_KEPT: Final = frozenset({403, 404, 409, 422})
_COUNTED: Final = frozenset({401, 429})
_FLOW_ID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""A UUID as we write it (RFC 9562 §4); no other flow has ever had an id."""


@frozen
class RefusalRecorder:
    """Records those answers that are evidence, at the time of day."""

    note: NoteDenied
    now: Clock

    def record(self, entry: AccessLogEntry) -> None:
        """Record an answer, if it is evidence."""
        if entry["status"] in _KEPT or entry["status"] in _COUNTED:
            refused = self._refused(entry)
            if refused is not None:
                self.note(refused)

    def _refused(self, entry: AccessLogEntry) -> DeniedRequest | None:
        route_id, key_id, code = entry["route"], entry["key_id"], entry["code"]
        if route_id is None or code is None:
            return None
        if entry["status"] in _COUNTED:
            # A caller that is not let in has a key only if that is not valid now: see the reason.
            code = code if key_id is None else entry["reason"] or code
            return TurnedAway(at=self.now(), route_id=route_id, code=code, key_id=key_id)
        if key_id is None or entry["action"] is None:
            return None
        return RefusedRequest(
            at=self.now(),
            route_id=route_id,
            key_id=key_id,
            action=entry["action"],
            code=code,
            flow_id=_known_form(entry["flow_id"]),
            request_id=entry["request_id"],
            remote_address=_without_zone(entry["remote_address"]),
        )


def _known_form(flow_id: FlowId | None) -> FlowId | None:
    # APPSEC: a caller may send any text as an id, its secret or a letter too.
    return flow_id if flow_id is not None and _FLOW_ID.fullmatch(flow_id) else None


def _without_zone(address: str | None) -> str | None:
    # APPSEC: the zone of an IPv6 address (RFC 4007 §11) may be any text, sent as a forwarded hop.
    return None if address is None else address.partition("%")[0]
