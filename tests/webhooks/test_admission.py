"""What the head of a request decides, and in which order."""

from __future__ import annotations

import json

import pytest
from attrs import evolve

from adapters.server import RawResponse
from adapters.settings import InvalidKey
from adapters.webhooks.permits import LinkPermit, ProbePermit, RequestPermit, RoutePermit
from domain.application.limits import Limits
from domain.flow.ids import KeyId, RouteId
from domain.history.refused_requests import TurnedAway
from tests.webhooks.gateway import CLIENT, PROXY, SECRETS, Gateway, headers_for, path_of

BEARER = ("Authorization", f"Bearer {SECRETS['zapier']}")
WRONG_BEARER = ("Authorization", "Bearer no")
JSON_TYPE = ("Content-Type", "application/json")
TEXT_TYPE = ("Content-Type", "text/plain")
TOO_LONG = ("Content-Length", "262145")


def verdict(answer: RequestPermit | RawResponse) -> tuple[int, str] | str:
    """Return the status and code of a refusal, or who was let in."""
    if isinstance(answer, tuple):
        return answer[0], json.loads(answer[2])["code"]
    if isinstance(answer, LinkPermit):
        return answer.token
    return answer.path if isinstance(answer, ProbePermit) else answer.context.key_id or ""


def headers_of(answer: RequestPermit | RawResponse) -> dict[str, str]:
    assert isinstance(answer, tuple)
    return dict(answer[1])


def test_a_request_that_is_right_in_all_is_let_in(gateway: Gateway) -> None:
    permit = gateway.admit()
    assert isinstance(permit, RoutePermit)
    assert (permit.route.route_id, permit.context.key_id) == ("zapier", "default")
    assert gateway.access_log == []


@pytest.mark.parametrize(
    "target",
    ["/plugins/webhooks/zapier/", "/plugins/webhooks/zapier?a=b", "/plugins/webhooks/zapier/?"],
)
def test_a_slash_and_a_query_change_nothing(gateway: Gateway, target: str) -> None:
    assert verdict(gateway.admit(target=target)) == "default"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            {"target": "/unknown", "method": "GET", "headers": [TOO_LONG]},
            (413, "payload_too_large"),
        ),
        ({"method": "GET", "headers": [TOO_LONG]}, (413, "payload_too_large")),
        ({"target": "/unknown", "method": "GET", "headers": []}, (404, "route_not_found")),
        ({"method": "GET", "headers": [TEXT_TYPE]}, (405, "method_not_allowed")),
        ({"headers": [TEXT_TYPE, WRONG_BEARER]}, (415, "unsupported_media_type")),
        ({"headers": [JSON_TYPE, WRONG_BEARER]}, (401, "unauthorized")),
        ({"headers": [JSON_TYPE]}, (401, "unauthorized")),
        ({"route": "twin", "headers": [JSON_TYPE, BEARER]}, (401, "unauthorized")),
    ],
)
def test_the_first_check_that_fails_answers(
    gateway: Gateway, given: dict[str, object], expected: tuple[int, str]
) -> None:
    assert verdict(gateway.admit(**given)) == expected  # type: ignore[arg-type]


def test_the_rate_is_checked_after_the_method_and_before_the_type() -> None:
    gateway = Gateway(limits=Limits(rate_requests=2))
    assert verdict(gateway.admit(headers=[TEXT_TYPE])) == (415, "unsupported_media_type")
    assert verdict(gateway.admit(headers=[JSON_TYPE, WRONG_BEARER])) == (401, "unauthorized")
    assert verdict(gateway.admit(method="GET")) == (405, "method_not_allowed")
    gateway.uptime = 0.5
    limited = gateway.admit(headers=[TEXT_TYPE])
    assert verdict(limited) == (429, "rate_limited")
    assert headers_of(limited)["Retry-After"] == "60"
    gateway.uptime = 60.0
    assert verdict(gateway.admit()) == "default"


def test_what_reaches_no_route_is_not_counted() -> None:
    gateway = Gateway(limits=Limits(rate_requests=1))
    for _ in range(3):
        gateway.admit(method="GET")
        gateway.admit(target="/unknown")
        gateway.admit(target="/healthz", method="GET")
        gateway.admit(headers=[*headers_for("zapier"), TOO_LONG])
    assert verdict(gateway.admit()) == "default"


def test_a_slash_or_a_query_gives_no_budget_of_its_own_another_route_or_client_does() -> None:
    gateway = Gateway(limits=Limits(rate_requests=1))
    assert verdict(gateway.admit()) == "default"
    assert verdict(gateway.admit(target=path_of("zapier") + "/")) == (429, "rate_limited")
    assert verdict(gateway.admit(target=path_of("zapier") + "?x=1")) == (429, "rate_limited")
    assert verdict(gateway.admit(route="twin")) == "default"
    assert verdict(gateway.admit(peer="192.0.2.11")) == "default"


def test_clients_behind_a_trusted_proxy_do_not_share_a_budget() -> None:
    gateway = Gateway(limits=Limits(rate_requests=1, in_flight=1))
    verdicts = [
        verdict(
            gateway.admit(peer=PROXY, headers=[*headers_for("zapier"), ("X-Forwarded-For", hop)])
        )
        for hop in ("198.51.100.1", "198.51.100.2", "198.51.100.2")
    ]
    assert verdicts == ["default", "default", (429, "rate_limited")]


@pytest.mark.parametrize("neighbour", ["2001:db8::{:x}", "fe80::1%{}"])
@pytest.mark.parametrize("named", [False, True], ids=["by its socket", "by a proxy"])
def test_one_network_is_one_client_whatever_its_addresses(neighbour: str, *, named: bool) -> None:
    gateway = Gateway(limits=Limits(rate_requests=100))
    verdicts = []
    for number in range(1, 200):
        address, headers = neighbour.format(number), [JSON_TYPE, WRONG_BEARER]
        if named:
            headers.append(("X-Forwarded-For", address))
        verdicts.append(verdict(gateway.admit(headers=headers, peer=PROXY if named else address)))
    assert verdicts == [(401, "unauthorized")] * 100 + [(429, "rate_limited")] * 99


def test_one_network_shares_its_places_in_flight() -> None:
    gateway = Gateway(limits=Limits(in_flight=3))
    verdicts = [verdict(gateway.admit(peer=f"2001:db8::{number}")) for number in range(1, 5)]
    assert verdicts == ["default"] * 3 + [(429, "too_many_in_flight")]
    assert verdict(gateway.admit(peer="2001:db8:0:1::1")) == "default"


def test_a_place_is_taken_after_the_type_and_before_the_secret() -> None:
    gateway = Gateway(limits=Limits(in_flight=1))
    permit = gateway.admit()
    assert isinstance(permit, RoutePermit)
    full = gateway.admit(headers=[JSON_TYPE, WRONG_BEARER])
    assert verdict(full) == (429, "too_many_in_flight")
    assert headers_of(full)["Retry-After"] == "1"
    assert verdict(gateway.admit(headers=[TEXT_TYPE])) == (415, "unsupported_media_type")
    assert verdict(gateway.admit(method="GET")) == (405, "method_not_allowed")
    permit.release()
    permit.release()
    assert verdict(gateway.admit()) == "default"
    assert verdict(gateway.admit()) == (429, "too_many_in_flight")


def test_a_caller_without_a_secret_holds_no_place() -> None:
    gateway = Gateway(limits=Limits(in_flight=1))
    for _ in range(3):
        assert verdict(gateway.admit(headers=[JSON_TYPE])) == (401, "unauthorized")
    assert verdict(gateway.admit()) == "default"


def test_a_comparison_that_breaks_holds_no_place() -> None:
    def broken(_: str) -> KeyId | None:
        raise RuntimeError("a bug in a comparison")

    gateway = Gateway(limits=Limits(in_flight=1))
    route = gateway.route(RouteId("zapier"))
    gateway.admission.swap(gateway.table([evolve(route, identify=broken)]))
    with pytest.raises(RuntimeError):
        gateway.admit()
    gateway.admission.swap(gateway.table([route]))
    assert verdict(gateway.admit()) == "default"


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        "application/json; charset=iso-8859-1",
        "APPLICATION/JSON",
        "application/vnd.x+json",
        "application/vnd.api+json;charset=utf-8",
        "x+json",
        "text/plain+json",
        "  application/json  ;x=y",
    ],
)
def test_json_may_be_called_by_many_names(gateway: Gateway, content_type: str) -> None:
    assert verdict(gateway.admit(headers=[BEARER, ("Content-Type", content_type)])) == "default"


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonp",
        "application/json5",
        "application/x-ndjson",
        "text/json",
        "application/octet-stream",
        "application/json, text/plain",
        "multipart/form-data; boundary=x",
        "application/json-seq",
        "text/plain; x=application/json",
    ],
)
def test_nothing_else_is_json(gateway: Gateway, content_type: str) -> None:
    answer = gateway.admit(headers=[BEARER, ("Content-Type", content_type)])
    assert verdict(answer) == (415, "unsupported_media_type")


def test_no_content_type_is_not_json(gateway: Gateway) -> None:
    assert verdict(gateway.admit(headers=[BEARER])) == (415, "unsupported_media_type")


def test_the_first_of_two_content_types_counts(gateway: Gateway) -> None:
    assert verdict(gateway.admit(headers=[BEARER, JSON_TYPE, TEXT_TYPE])) == "default"
    answer = gateway.admit(headers=[BEARER, TEXT_TYPE, JSON_TYPE])
    assert verdict(answer) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [
        ("identity", "default"),
        ("Identity", "default"),
        ("gzip", (415, "unsupported_media_type")),
        ("br, identity", (415, "unsupported_media_type")),
    ],
)
def test_a_body_comes_as_it_is(gateway: Gateway, encoding: str, expected: object) -> None:
    headers = [*headers_for("zapier"), ("Content-Encoding", encoding)]
    assert verdict(gateway.admit(headers=headers)) == expected


@pytest.mark.parametrize(
    "method", ["GET", "PUT", "HEAD", "OPTIONS", "TRACE", "FOO", "post", "WEBSOCKET"]
)
def test_a_known_path_knows_post_alone(gateway: Gateway, method: str) -> None:
    answer = gateway.admit(method=method)
    assert verdict(answer) == (405, "method_not_allowed")
    assert headers_of(answer)["Allow"] == "POST"
    assert verdict(gateway.admit(method=method, target="/x")) == (404, "route_not_found")


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        ("262144", "default"),
        ("262145", (413, "payload_too_large")),
    ],
)
def test_a_declared_length_over_the_limit_is_refused_before_the_body(
    gateway: Gateway, length: str, expected: object
) -> None:
    headers = [*headers_for("zapier"), ("Content-Length", length)]
    assert verdict(gateway.admit(headers=headers)) == expected


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/healthz?x"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_anybody_may_probe(gateway: Gateway, path: str, method: str) -> None:
    permit = gateway.admit(target=path, method=method, headers=[])
    assert isinstance(permit, ProbePermit)
    permit.release()


def test_a_probe_cannot_be_posted_to(gateway: Gateway) -> None:
    answer = gateway.admit(target="/healthz")
    assert verdict(answer) == (405, "method_not_allowed")
    assert headers_of(answer)["Allow"] == "GET, HEAD"


def test_a_refusal_is_logged_with_what_is_known(gateway: Gateway) -> None:
    gateway.admit(headers=[JSON_TYPE, WRONG_BEARER])
    gateway.admit(target="/unknown")
    assert gateway.access_log == [
        {
            "request_id": "request-of-server",
            "route": route,
            "key_id": None,
            "action": None,
            "flow_id": None,
            "status": status,
            "code": code,
            "reason": None,
            "duration_ms": 0.0,
            "remote_address": CLIENT,
        }
        for route, status, code in (
            ("zapier", 401, "unauthorized"),
            (None, 404, "route_not_found"),
        )
    ]


def test_a_refusal_is_a_whole_answer_in_bytes(gateway: Gateway) -> None:
    assert gateway.admit(headers=[JSON_TYPE]) == (
        401,
        (
            ("Content-Type", "application/json; charset=utf-8"),
            ("X-Content-Type-Options", "nosniff"),
            ("Referrer-Policy", "no-referrer"),
            ("Permissions-Policy", "camera=(), microphone=(self), geolocation=()"),
            ("Cache-Control", "no-store"),
            ("X-Request-Id", "request-of-server"),
        ),
        b'{"ok":false,"code":"unauthorized","error":"unauthorized","result":{}}',
    )


def test_a_swap_keeps_the_windows_and_the_places_of_a_route() -> None:
    gateway = Gateway(limits=Limits(rate_requests=3, in_flight=1))
    permit = gateway.admit()
    assert isinstance(permit, RoutePermit)
    gateway.admission.swap(gateway.table([gateway.route(RouteId("zapier"))]))
    assert verdict(gateway.admit()) == (429, "too_many_in_flight")
    assert verdict(gateway.admit(route="twin")) == (404, "route_not_found")
    permit.release()
    assert verdict(gateway.admit()) == "default"
    assert verdict(gateway.admit()) == (429, "rate_limited")


def test_what_was_admitted_keeps_its_route() -> None:
    gateway = Gateway()
    permit = gateway.admit()
    assert isinstance(permit, RoutePermit)
    gateway.admission.swap(gateway.table([]))
    status, body = gateway.run_admitted(permit, b'{"action": "list_flows"}')
    assert (status, json.loads(body)["routeId"]) == (200, "zapier")


def test_fewer_clients_may_be_tracked_from_a_swap_on() -> None:
    gateway = Gateway(limits=Limits(rate_requests=2))
    peers = [f"192.0.2.{number}" for number in range(1, 6)]
    assert {verdict(gateway.admit(peer=peer)) for peer in peers} == {"default"}
    table = gateway.table([gateway.route(RouteId("zapier"))])
    gateway.admission.swap(evolve(table, limits=Limits(tracked_keys=2)))
    assert verdict(gateway.admit(peer="192.0.2.99")) == "default"
    limited = (429, "rate_limited")
    assert [verdict(gateway.admit(peer=peers[4])) for _ in range(2)] == ["default", limited]
    assert [verdict(gateway.admit(peer=peers[3])) for _ in range(2)] == ["default"] * 2


def test_networks_and_proxies_are_those_of_the_last_swap() -> None:
    gateway = Gateway(limits=Limits(rate_requests=1))
    table, peers = (
        gateway.table([gateway.route(RouteId("zapier"))]),
        ("2001:db8:0:1::1", "2001:db8:0:2::1"),
    )
    asked = [verdict(gateway.admit(peer=peer)) for peer in peers]
    assert asked == ["default"] * 2
    assert [gateway.admission.neighbourhood(peer) for peer in (*peers, PROXY)] == [
        "2001:db8:0:1::/64",
        "2001:db8:0:2::/64",
        None,
    ]
    gateway.admission.swap(evolve(table, limits=Limits(ipv6_prefix=56), trusted_proxies=()))
    asked = [verdict(gateway.admit(peer=peer)) for peer in peers]
    assert asked == ["default", (429, "rate_limited")]
    assert [gateway.admission.neighbourhood(peer) for peer in (*peers, PROXY)] == [
        "2001:db8::/56",
        "2001:db8::/56",
        PROXY,
    ]


def test_a_key_that_is_not_valid_now_is_unknown_to_its_caller_only() -> None:
    gateway = Gateway(limits=Limits(in_flight=1))
    route = evolve(
        gateway.route(RouteId("zapier")),
        identify=lambda _: InvalidKey(KeyId("old"), "key_expired"),
    )
    unknown = gateway.admit(headers=[JSON_TYPE, WRONG_BEARER])
    gateway.admission.swap(gateway.table([route]))
    refused = [gateway.admit() for _ in range(2)]  # the one place is free again
    assert refused == [unknown, unknown]
    logged = [
        (one["key_id"], one["status"], one["code"], one["reason"]) for one in gateway.access_log
    ]
    assert logged == [
        (None, 401, "unauthorized", None),
        *[("old", 401, "unauthorized", "key_expired")] * 2,
    ]
    at = gateway.now
    assert gateway.noted == [
        TurnedAway(at=at, route_id=RouteId("zapier"), code="unauthorized"),
        *[TurnedAway(at=at, route_id=RouteId("zapier"), code="key_expired", key_id=KeyId("old"))]
        * 2,
    ]
