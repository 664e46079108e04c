"""What a body asks for: an action as it stands there, or what the route's map makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final, assert_never

from attrs import evolve

from adapters.webhooks import responses
from adapters.webhooks.actions import ActionCall, read_call
from adapters.webhooks.fields import Issue
from adapters.webhooks.idempotency import delivery_key, request_key
from adapters.webhooks.mapping.mapping import Answered, Mapped, PayloadMap, Skipped, Unmappable
from adapters.webhooks.mapping.placeholders import HeaderValue
from adapters.webhooks.responses import Response
from adapters.webhooks.routes import WebhookRoute
from adapters.webhooks.strict_json import Malformed, read_json
from domain.application.recorded_events import RequestKey
from domain.flow.ids import RouteId
from domain.flow.lean_frozen import lean_frozen


@lean_frozen
class AskedCall:
    """An action that was asked for, the bytes that do so, and the id of the delivery, if any.

    Where a map made it, of an `event`, a refusal with a code of `skip` is skipped.
    """

    call: ActionCall
    document: bytes
    delivery_id: str | None = None
    event: str = ""
    skip: frozenset[str] = frozenset()

    def answer(self, route_id: RouteId, response: Response) -> Response:
        """Return what is answered, of what the action leads to."""
        if response.code not in self.skip:
            return response
        skipped = responses.skipped(route_id, self.event)
        return evolve(skipped, reason=f"{skipped.reason}: {response.code}")

    def key(self, route_id: RouteId, sent: Sequence[str]) -> RequestKey | Issue | None:
        """Return the idempotency key: the delivery's, or what was sent as one."""
        if self.delivery_id is not None:
            return delivery_key(route_id, self.delivery_id, self.document)
        return request_key(route_id, sent, self.document)


def read_asked(route: WebhookRoute, header: HeaderValue, body: bytes) -> AskedCall | Response:
    """Return what a body asks of a route, or the answer that it gets instead."""
    if route.payloads is not None:
        return _mapped(route, route.payloads, header, body)
    call = read_body(route.route_id, body)
    if isinstance(call, Malformed):
        return responses.invalid_json(route.route_id, call.reason)
    if isinstance(call, Issue):
        return responses.invalid_request(route.route_id, call.text)
    return AskedCall(call, body)


def read_body(route_id: RouteId, body: bytes) -> ActionCall | Issue | Malformed:
    """Return the action that a body asks for, or what is wrong with it."""
    read = _read_again if len(body) <= _REMEMBERED_BYTES else _read
    return read(route_id, body)


def _read(_: RouteId, body: bytes) -> ActionCall | Issue | Malformed:
    document = read_json(body)
    return document if isinstance(document, Malformed) else read_call(document)


# PERF: who polls asks in the same words; to read them is a tenth of what the answer takes.
# APPSEC: by route, so that the time this takes tells nobody what the callers of another one ask.
_read_again: Final = lru_cache(256)(_read)
_REMEMBERED_BYTES: Final = 256


def _mapped(
    route: WebhookRoute, payloads: PayloadMap, header: HeaderValue, body: bytes
) -> AskedCall | Response:
    delivery = payloads.read(header, body)
    if isinstance(delivery, Malformed):
        return responses.invalid_json(route.route_id, delivery.reason)
    match payloads.apply(delivery, route.limits.body_bytes):
        case Mapped(call, document, delivery_id, event, skip):
            return AskedCall(call, document, delivery_id, event, skip)
        case Skipped(event):
            return responses.skipped(route.route_id, event)
        case Answered(answer):
            return Response(200, None, answer)
        case Unmappable(reason, action):
            return responses.unmappable(route.route_id, reason, action)
        case other:
            assert_never(other)
