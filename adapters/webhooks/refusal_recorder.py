"""Which answers are evidence of what a caller was refused, and what is noted of them.

Kept is what an authenticated caller asked of a flow and was refused: 404, 409 and 422. Counted is
who was not let in: 401 and 429, by its key where that is known, but not valid now. The rest stands
in the log alone: a 400 says how a program is wrong, not what its owner wanted of a flow, and a 5xx
is our own fault.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, TypeAlias

from adapters.webhooks.request_context import Access
from adapters.webhooks.responses import Response
from domain.application.ports import Clock
from domain.flow.ids import FlowId
from domain.history.refused_requests import DeniedRequest, NoteDenied, RefusedRequest, TurnedAway

NoteAnswer: TypeAlias = Callable[[Access, Response], None]
"""Takes each answer once, with what is known of its request."""

_KEPT: Final = frozenset({404, 409, 422})
_COUNTED: Final = frozenset({401, 429})
_FLOW_ID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""A UUID as we write it (RFC 9562 §4); no other flow has ever had an id."""


def noting(note: NoteDenied, now: Clock) -> NoteAnswer:
    """Return what notes those answers that are evidence, at the time of day."""

    def note_answer(access: Access, response: Response) -> None:
        if response.status in _KEPT or response.status in _COUNTED:
            refused = _refused(access, response, now)
            if refused is not None:
                note(refused)

    return note_answer


def note_nothing(_access: Access, _reply: Response) -> None:
    """Note nothing of an answer."""


def _refused(access: Access, response: Response, now: Clock) -> DeniedRequest | None:
    if access.route is None or response.code is None:
        return None
    if response.status in _COUNTED:
        # A caller that is not let in has a key only if that is not valid now: the reason says why.
        code = response.code if access.key_id is None else response.reason or response.code
        return TurnedAway(at=now(), route_id=access.route, code=code, key_id=access.key_id)
    if access.key_id is None or access.action is None:
        return None
    return RefusedRequest(
        at=now(),
        route_id=access.route,
        key_id=access.key_id,
        action=access.action,
        code=response.code,
        status=response.status,
        flow_id=_known_form(access.flow_id),
        request_id=access.request_id,
        remote_address=_without_zone(access.remote_address),
    )


def _known_form(flow_id: FlowId | None) -> FlowId | None:
    # APPSEC: a caller may send any text as an id, its secret or a letter too.
    return flow_id if flow_id is not None and _FLOW_ID.fullmatch(flow_id) else None


def _without_zone(address: str | None) -> str | None:
    # APPSEC: the zone of an IPv6 address (RFC 4007 §11) may be any text, sent as a forwarded hop.
    return None if address is None else address.partition("%")[0]
