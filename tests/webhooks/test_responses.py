"""The envelopes, byte by byte."""

from __future__ import annotations

import pytest

from adapters.webhooks import responses
from adapters.webhooks.responses import Response
from domain.flow.ids import RequestId, RouteId


@pytest.mark.parametrize(
    ("response", "status", "body"),
    [
        (
            responses.success(RouteId("r"), {"flow": None}),
            200,
            b'{"ok":true,"routeId":"r","result":{"flow":null}}',
        ),
        (
            responses.cancel_pending(RouteId("r"), {"found": True}),
            202,
            b'{"ok":true,"routeId":"r","code":"cancel_pending","result":{"found":true}}',
        ),
        (
            responses.refusal("terminal", "No.", route_id=RouteId("r"), result={"applied": False}),
            409,
            b'{"ok":false,"routeId":"r","code":"terminal","error":"No.","result":{"applied":false}}',
        ),
        (responses.ALIVE, 200, b'{"ok":true,"result":{"status":"alive"}}'),
        (
            responses.readiness(is_ready=True, parts=()),
            200,
            b'{"ok":true,"result":{"status":"ready"}}',
        ),
    ],
)
def test_an_envelope_is_in_one_order(response: Response, status: int, body: bytes) -> None:
    assert (response.status, response.body) == (status, body)


@pytest.mark.parametrize(
    ("response", "status", "code", "error"),
    [
        (responses.PAYLOAD_TOO_LARGE, 413, "payload_too_large", "Payload too large"),
        (responses.ROUTE_NOT_FOUND, 404, "route_not_found", "Not Found"),
        (responses.ONLY_POST, 405, "method_not_allowed", "Method Not Allowed"),
        (responses.ONLY_GET, 405, "method_not_allowed", "Method Not Allowed"),
        (responses.rate_limited(17), 429, "rate_limited", "Too Many Requests"),
        (
            responses.unsupported_media_type("got nothing"),
            415,
            "unsupported_media_type",
            "Unsupported Media Type: got nothing",
        ),
        (responses.TOO_MANY_IN_FLIGHT, 429, "too_many_in_flight", "Too Many Requests"),
        (responses.UNAUTHORIZED, 401, "unauthorized", "unauthorized"),
        (responses.internal_error(None), 500, "internal_error", "Internal Server Error"),
    ],
)
def test_a_caller_that_is_not_known_learns_no_route(
    response: Response, status: int, code: str, error: str
) -> None:
    body = f'{{"ok":false,"code":"{code}","error":"{error}","result":{{}}}}'
    assert (response.status, response.code, response.body.decode()) == (status, code, body)


@pytest.mark.parametrize(
    ("response", "status", "code", "error"),
    [
        (responses.payload_too_large(RouteId("r")), 413, "payload_too_large", "Payload too large"),
        (
            responses.invalid_json(RouteId("r"), "byte 1: x"),
            400,
            "invalid_json",
            "invalid request body: byte 1: x",
        ),
        (responses.invalid_request(RouteId("r"), "goal: no"), 400, "invalid_request", "goal: no"),
        (responses.internal_error(RouteId("r")), 500, "internal_error", "Internal Server Error"),
        (responses.persist_failed(RouteId("r"), "No disk."), 503, "persist_failed", "No disk."),
    ],
)
def test_a_known_caller_learns_its_route(
    response: Response, status: int, code: str, error: str
) -> None:
    body = f'{{"ok":false,"routeId":"r","code":"{code}","error":"{error}","result":{{}}}}'
    assert (response.status, response.code, response.body.decode()) == (status, code, body)


@pytest.mark.parametrize(
    ("response", "headers"),
    [
        (responses.rate_limited(17), (("Retry-After", "17"),)),
        (responses.TOO_MANY_IN_FLIGHT, (("Retry-After", "1"),)),
        (responses.persist_failed(RouteId("r"), ""), (("Retry-After", "5"),)),
        (responses.ONLY_POST, (("Allow", "POST"),)),
        (responses.ONLY_GET, (("Allow", "GET, HEAD"),)),
        (responses.UNAUTHORIZED, ()),
    ],
)
def test_a_reply_says_what_to_do_next(
    response: Response, headers: tuple[tuple[str, str], ...]
) -> None:
    assert response.headers == headers


def test_the_server_may_refuse_in_the_same_words() -> None:
    refused = responses.unrouted("request_timeout", "Request body timeout")
    status, headers, body = refused.as_raw(RequestId("id-7"))
    assert (status, dict(headers)["X-Request-Id"]) == (408, "id-7")
    assert body == (
        b'{"ok":false,"code":"request_timeout","error":"Request body timeout","result":{}}'
    )
