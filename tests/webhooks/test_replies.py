"""The envelopes, byte by byte."""

from __future__ import annotations

import pytest

from adapters.webhooks import replies
from adapters.webhooks.replies import Reply, render_error
from domain.flow.ids import RequestId, RouteId


@pytest.mark.parametrize(
    ("reply", "status", "body"),
    [
        (
            replies.success(RouteId("r"), {"flow": None}),
            200,
            b'{"ok":true,"routeId":"r","result":{"flow":null}}',
        ),
        (
            replies.cancel_pending(RouteId("r"), {"found": True}),
            202,
            b'{"ok":true,"routeId":"r","code":"cancel_pending","result":{"found":true}}',
        ),
        (
            replies.refusal(409, "c", "No.", route_id=RouteId("r"), result={"applied": False}),
            409,
            b'{"ok":false,"routeId":"r","code":"c","error":"No.","result":{"applied":false}}',
        ),
        (replies.ALIVE, 200, b'{"ok":true,"result":{"status":"alive"}}'),
        (replies.READY, 200, b'{"ok":true,"result":{"status":"ready"}}'),
    ],
)
def test_an_envelope_is_in_one_order(reply: Reply, status: int, body: bytes) -> None:
    assert (reply.status, reply.body) == (status, body)


@pytest.mark.parametrize(
    ("reply", "status", "code", "error"),
    [
        (replies.PAYLOAD_TOO_LARGE, 413, "payload_too_large", "Payload too large"),
        (replies.ROUTE_NOT_FOUND, 404, "route_not_found", "Not Found"),
        (replies.ONLY_POST, 405, "method_not_allowed", "Method Not Allowed"),
        (replies.ONLY_GET, 405, "method_not_allowed", "Method Not Allowed"),
        (replies.rate_limited(17), 429, "rate_limited", "Too Many Requests"),
        (
            replies.unsupported_media_type("got nothing"),
            415,
            "unsupported_media_type",
            "Unsupported Media Type: got nothing",
        ),
        (replies.TOO_MANY_IN_FLIGHT, 429, "too_many_in_flight", "Too Many Requests"),
        (replies.UNAUTHORIZED, 401, "unauthorized", "unauthorized"),
        (replies.NOT_READY, 503, "not_ready", "The gateway takes no requests now."),
        (replies.internal_error(None), 500, "internal_error", "Internal Server Error"),
    ],
)
def test_a_caller_that_is_not_known_learns_no_route(
    reply: Reply, status: int, code: str, error: str
) -> None:
    body = f'{{"ok":false,"code":"{code}","error":"{error}","result":{{}}}}'
    assert (reply.status, reply.code, reply.body.decode()) == (status, code, body)


@pytest.mark.parametrize(
    ("reply", "status", "code", "error"),
    [
        (replies.payload_too_large(RouteId("r")), 413, "payload_too_large", "Payload too large"),
        (
            replies.invalid_json(RouteId("r"), "byte 1: x"),
            400,
            "invalid_json",
            "invalid request body: byte 1: x",
        ),
        (replies.invalid_request(RouteId("r"), "goal: no"), 400, "invalid_request", "goal: no"),
        (replies.internal_error(RouteId("r")), 500, "internal_error", "Internal Server Error"),
        (replies.persist_failed(RouteId("r"), "No disk."), 503, "persist_failed", "No disk."),
    ],
)
def test_a_known_caller_learns_its_route(reply: Reply, status: int, code: str, error: str) -> None:
    body = f'{{"ok":false,"routeId":"r","code":"{code}","error":"{error}","result":{{}}}}'
    assert (reply.status, reply.code, reply.body.decode()) == (status, code, body)


@pytest.mark.parametrize(
    ("reply", "headers"),
    [
        (replies.rate_limited(17), (("Retry-After", "17"),)),
        (replies.TOO_MANY_IN_FLIGHT, (("Retry-After", "1"),)),
        (replies.persist_failed(RouteId("r"), ""), (("Retry-After", "5"),)),
        (replies.ONLY_POST, (("Allow", "POST"),)),
        (replies.ONLY_GET, (("Allow", "GET, HEAD"),)),
        (replies.UNAUTHORIZED, ()),
    ],
)
def test_a_reply_says_what_to_do_next(reply: Reply, headers: tuple[tuple[str, str], ...]) -> None:
    assert reply.headers == headers


def test_the_server_may_refuse_in_the_same_words() -> None:
    status, headers, body = render_error(
        408, "request_timeout", "Request body timeout", RequestId("id-7")
    )
    assert (status, dict(headers)["X-Request-Id"]) == (408, "id-7")
    assert body == (
        b'{"ok":false,"code":"request_timeout","error":"Request body timeout","result":{}}'
    )
