"""What the access log says of a request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from attrs import define

from adapters.webhooks.limits import Seconds
from adapters.webhooks.responses import Response
from domain.flow.ids import FlowId, KeyId, RequestId, RouteId

LogRequest: TypeAlias = Callable[[Mapping[str, object]], None]
"""Takes the fields of one request, once, when its answer is decided."""

LogFault: TypeAlias = Callable[[RequestId, BaseException], None]
"""Takes the id of a request and the fault, ours or the store's, that spoilt it."""

_MOST_CHARACTERS = 128


@define(kw_only=True)
class Access:
    """What is known of a request so far; each step fills in what it finds out."""

    request_id: RequestId
    started: Seconds
    route: RouteId | None = None
    key_id: KeyId | None = None
    remote_address: str | None = None
    action: str | None = None
    flow_id: FlowId | None = None


def access_fields(access: Access, response: Response, now: Seconds) -> Mapping[str, object]:
    """Return the fields of a request's log record; those not known are None."""
    return {
        "request_id": access.request_id,
        "route": access.route,
        "key_id": access.key_id,
        "action": access.action,
        "flow_id": None if access.flow_id is None else _loggable(access.flow_id),
        "status": response.status,
        "code": response.code,
        "reason": response.reason,
        "duration_ms": round((now - access.started) * 1000, 3),
        "remote_address": access.remote_address,
    }


def _loggable(text: str) -> str:
    # APPSEC: a caller may send any text as an id, line breaks too.
    clipped = text[:_MOST_CHARACTERS]
    return clipped if clipped.isprintable() else repr(clipped)
