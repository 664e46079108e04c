"""Every answer of the gateway, as an envelope; nobody else words one.

A success is `{"ok": true, "routeId", "result"}`, a refusal `{"ok": false, "routeId", "code",
"error", "result"}`. Before a caller is authenticated there is no `routeId`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

import falcon
import orjson
from attrs import evolve

from adapters.presentation.answer_codes import ACTION_NOT_ALLOWED, ANSWER_CODES, UNMAPPABLE
from adapters.webhooks.text import quoted
from domain.application.limits import RouteLimits
from domain.application.outcomes import CANCEL_PENDING
from domain.flow.ids import FlowId, RequestId, RouteId
from domain.flow.lean_frozen import lean_frozen

Headers: TypeAlias = tuple[tuple[str, str], ...]
RawPieces: TypeAlias = tuple[int, Headers, Sequence[bytes]]
ActionResult: TypeAlias = Mapping[str, Any]

NOTHING: Final[ActionResult] = {}
REPLAYED: Final[Headers] = (("Idempotent-Replayed", "true"),)
PERSIST_FAILED: Final = "persist_failed"
STORE_RETRY_SECONDS: Final = 5
SKIPPED: Final = "skipped"
_MOST_OF_EVENT: Final = 128

_HEADERS: Final = (
    ("Content-Type", "application/json; charset=utf-8"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Permissions-Policy", "camera=(), microphone=(self), geolocation=()"),
    ("Cache-Control", "no-store"),
)


@lean_frozen
class Response:
    """An answer but for the request's id; `code`, `reason` and what follows it are for the log.

    A long body stands in `pieces`, to be sent one after the other.
    """

    status: int
    code: str | None
    body: bytes
    headers: Headers = ()
    reason: str | None = None
    pieces: Sequence[bytes] = ()
    flow_id: FlowId | None = None
    action: str | None = None

    def all_headers(self, request_id: RequestId) -> Headers:
        """Return the headers of the answer to a request."""
        return (*_HEADERS, *self.headers, ("X-Request-Id", request_id))

    def as_raw(self, request_id: RequestId) -> tuple[int, Headers, bytes]:
        """Return the status, the headers and the body of the answer to a request."""
        return self.status, self.all_headers(request_id), self.body

    def in_pieces(self, request_id: RequestId) -> RawPieces:
        """Return the same, however long the body is."""
        return self.status, self.all_headers(request_id), self.pieces or (self.body,)


def success(route_id: RouteId, result: ActionResult) -> Response:
    """Answer that it was done, or what was asked for."""
    return Response(200, None, orjson.dumps({"ok": True, "routeId": route_id, "result": result}))


def cancel_pending(route_id: RouteId, result: ActionResult) -> Response:
    """Answer that a flow is cancelled as soon as its children have ended."""
    envelope = {"ok": True, "routeId": route_id, "code": CANCEL_PENDING, "result": result}
    return Response(202, CANCEL_PENDING, orjson.dumps(envelope))


def refusal(
    code: str,
    sentence: str,
    *,
    route_id: RouteId | None,
    result: ActionResult = NOTHING,
) -> Response:
    """Answer why it was not done; without a route's id where the caller is not authenticated."""
    routed = {} if route_id is None else {"routeId": route_id}
    envelope = {"ok": False, **routed, "code": code, "error": sentence, "result": result}
    return Response(ANSWER_CODES[code].status, code, orjson.dumps(envelope))


def unrouted(code: str, sentence: str, headers: Headers = ()) -> Response:
    """Answer a caller that is not authenticated."""
    return evolve(refusal(code, sentence, route_id=None), headers=headers)


def rate_limited(retry_after: int) -> Response:
    """Answer that a client asked too often, and when it may ask again."""
    return unrouted("rate_limited", "Too Many Requests", _retry_after(retry_after))


def method_not_allowed(*allowed: str) -> Response:
    """Answer that a path does not know a method."""
    allow = (("Allow", ", ".join(allowed)),)
    return unrouted("method_not_allowed", "Method Not Allowed", allow)


def payload_too_large(route_id: RouteId | None) -> Response:
    """Answer that a body is larger than allowed."""
    return refusal("payload_too_large", "Payload too large", route_id=route_id)


def value_too_large(route_id: RouteId, stored: int, limit: int) -> Response:
    """Answer that the JSON values of a body are larger than allowed as they are stored."""
    reason = f"its JSON values are stored in {stored:,} bytes, more than {limit:,}"
    sentence = f"Payload too large: {reason}"
    return evolve(refusal("payload_too_large", sentence, route_id=route_id), reason=reason)


def unsupported_media_type(reason: str) -> Response:
    """Answer that a body is announced as something that is not read here, and as what."""
    sentence = f"Unsupported Media Type: {reason}"
    return evolve(unrouted("unsupported_media_type", sentence), reason=reason)


def invalid_json(route_id: RouteId, reason: str) -> Response:
    """Answer why a body is not JSON, or not JSON that all readers understand alike."""
    sentence = f"invalid request body: {reason}"
    return evolve(refusal("invalid_json", sentence, route_id=route_id), reason=reason)


def invalid_request(route_id: RouteId, issue: str) -> Response:
    """Answer which field of a request is wrong, and how."""
    return refusal("invalid_request", issue, route_id=route_id)


def skipped(route_id: RouteId, event: str) -> Response:
    """Answer that a delivery was understood, and that its route has nothing to do for it."""
    named = event[:_MOST_OF_EVENT]
    envelope = {"ok": True, "routeId": route_id, "skipped": named, "result": NOTHING}
    return Response(200, SKIPPED, orjson.dumps(envelope), reason=quoted(event))


def unmappable(route_id: RouteId, reason: str, action: str | None) -> Response:
    """Answer why a delivery could not be made an action, and of which one, for the log."""
    sentence = f"The payload cannot be mapped: {reason}"
    response = refusal(UNMAPPABLE, sentence, route_id=route_id)
    return evolve(response, reason=reason, action=action or UNMAPPABLE)


def action_not_allowed(route_id: RouteId, action: str) -> Response:
    """Answer that a key may not ask for an action."""
    sentence = f"This key may not use the action {action}."
    return refusal(ACTION_NOT_ALLOWED, sentence, route_id=route_id)


def rate_fields(limits: RouteLimits, left: int, seconds: int) -> Headers:
    """Return the fields that say what is left of a rate.

    Their syntax is that of draft-ietf-httpapi-ratelimit-headers-11.
    """
    # NOTE: it has no parts of seconds; a longer window promises less.
    policy = f'"default";q={limits.rate_requests};w={math.ceil(limits.rate_window_seconds)}'
    return ("RateLimit-Policy", policy), ("RateLimit", f'"default";r={left};t={seconds}')


def persist_failed(route_id: RouteId, sentence: str, result: ActionResult = NOTHING) -> Response:
    """Answer that the store could not be written or read; nothing has changed."""
    response = refusal(PERSIST_FAILED, sentence, route_id=route_id, result=result)
    return evolve(response, headers=_retry_after(STORE_RETRY_SECONDS))


def internal_error(route_id: RouteId | None) -> Response:
    """Answer that the fault is ours, and nothing about it."""
    return refusal("internal_error", "Internal Server Error", route_id=route_id)


PARTS: Final = ("listener", "store", "database", "writer", "disk", "signing")
"""The parts of a gateway that may not be ready, by the names that callers see."""


def readiness(*, is_ready: bool, parts: Sequence[str]) -> Response:
    """Answer whether requests should be sent here, and which parts of the gateway are not ready.

    APPSEC: anybody may ask, and learns names of parts, not what is wrong with them.
    """
    result = {"notReady": parts} if parts else {}
    if is_ready:
        body = {"ok": True, "result": {"status": "ready", **result}}
        return Response(200, None, orjson.dumps(body))
    sentence = "The gateway takes no requests now."
    response = refusal("not_ready", sentence, route_id=None, result=result)
    return evolve(response, headers=_retry_after(1))


def _retry_after(seconds: int) -> Headers:
    return (("Retry-After", str(seconds)),)


STORE_RETRY: Final = _retry_after(STORE_RETRY_SECONDS)
ROUTE_NOT_FOUND: Final = unrouted("route_not_found", "Not Found")
TOO_MANY_IN_FLIGHT: Final = unrouted("too_many_in_flight", "Too Many Requests", _retry_after(1))
UNAUTHORIZED: Final = unrouted("unauthorized", "unauthorized")
PAYLOAD_TOO_LARGE: Final = payload_too_large(None)
ONLY_POST: Final = method_not_allowed("POST")
ONLY_GET: Final = method_not_allowed("GET", "HEAD")
ALIVE: Final = Response(200, None, orjson.dumps({"ok": True, "result": {"status": "alive"}}))


def write_response(resp: falcon.Response, response: Response, request_id: RequestId) -> None:
    """Make a response Falcon's."""
    resp.status = response.status
    if response.pieces:
        resp.set_stream(iter(response.pieces), sum(map(len, response.pieces)))
    else:
        resp.data = response.body
    resp.set_headers(response.all_headers(request_id))
