"""One request through the whole application."""

from __future__ import annotations

import hashlib
import json
from functools import partial

import pytest
from falcon.testing import create_environ
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.webhooks.actions import ACTIONS
from adapters.webhooks.permits import RoutePermit
from domain.application.limits import Limits
from domain.application.recorded_events import Actor, ActorKind, Metadata
from domain.flow.events import FlowCreated
from domain.flow.ids import KeyId, RequestId
from tests.webhooks.gateway import CLIENT, NOW, SECRETS, Gateway, headers_for, path_of

LATEST = b'{"action":"find_latest_flow"}'
PADDING = len('{"action":"create_flow","goal":""}')
SECURITY = {
    "content-type": "application/json; charset=utf-8",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "permissions-policy": "camera=(), microphone=(self), geolocation=()",
    "cache-control": "no-store",
}


json_texts = st.dictionaries(
    st.sampled_from(["action", "goal", "flowId", "expectedRevision", "stateJson", "status"]),
    st.sampled_from([*ACTIONS, 0, -1, 1.5, None, "f", [], {"a": [1e300]}]),
).map(lambda document: json.dumps(document).encode())


def of_size(size: int) -> bytes:
    return b'{"action":"create_flow","goal":"%b"}' % (b"x" * (size - PADDING))


def test_an_answer_has_its_length_its_id_and_the_headers_of_all_answers(gateway: Gateway) -> None:
    answer = gateway.send(LATEST)
    assert answer.content == b'{"ok":true,"routeId":"zapier","result":{"flow":null}}'
    assert {name: answer.headers[name] for name in SECURITY} == SECURITY
    assert answer.headers["x-request-id"] == "request-1"
    assert answer.headers["content-length"] == str(len(answer.content))


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [("/unknown", "POST", 404), ("/healthz", "GET", 200), (path_of("zapier"), "GET", 405)],
)
def test_so_has_every_other_answer(gateway: Gateway, path: str, method: str, status: int) -> None:
    answer = gateway.send(b"", path=path, method=method)
    assert answer.status_code == status
    assert {name: answer.headers[name] for name in SECURITY} == SECURITY
    assert answer.headers["x-request-id"] == "request-1"


def test_the_caller_does_not_choose_the_id(gateway: Gateway) -> None:
    answer = gateway.send(LATEST, headers=[*headers_for("zapier"), ("X-Request-Id", "mine")])
    assert answer.headers["x-request-id"] == "request-1"


@pytest.mark.parametrize("path", [path_of("zapier"), "/unknown"])
def test_an_answer_to_head_has_no_body(gateway: Gateway, path: str) -> None:
    answer = gateway.send(b"", path=path, method="HEAD")
    assert answer.content == b""
    assert answer.status_code in {404, 405}


@pytest.mark.parametrize("method", ["FOO", "WEBSOCKET", "CONNECT", "TRACE", "post"])
def test_odd_methods_get_the_envelope_too(gateway: Gateway, method: str) -> None:
    environ = create_environ(path=path_of("zapier"))
    status, body = gateway.run({**environ, "REQUEST_METHOD": method})
    assert status == 405
    assert json.loads(body)["code"] == "method_not_allowed"
    assert len(gateway.access_log) == 1


def test_alive_is_not_yet_ready(gateway: Gateway) -> None:
    gateway.ready = False
    assert gateway.send(b"", path="/healthz", method="GET").json["result"] == {"status": "alive"}
    answer = gateway.send(b"", path="/readyz", method="GET")
    assert answer.status_code == 503
    assert answer.json == {
        "ok": False,
        "code": "not_ready",
        "error": "The gateway takes no requests now.",
        "result": {"notReady": ["store"]},
    }
    gateway.ready = True
    assert gateway.send(b"", path="/readyz", method="GET").json["result"] == {"status": "ready"}


def test_a_body_of_exactly_the_limit_passes_and_one_more_byte_does_not(gateway: Gateway) -> None:
    assert gateway.send(of_size(262_144)).status_code == 200
    answer = gateway.send(of_size(262_145))
    assert (answer.status_code, answer.json["code"]) == (413, "payload_too_large")


def test_the_limit_holds_for_what_is_stored_of_a_body(gateway: Gateway) -> None:
    numbers = b"[" + b",".join([b"1e20"] * 40_000) + b"]"
    body = b'{"action":"create_flow","goal":"g","stateJson":' + numbers + b"}"
    assert len(body) < 262_144
    answer = gateway.send(body)
    assert (answer.status_code, answer.json["code"]) == (413, "payload_too_large")
    assert answer.json["error"] == (
        "Payload too large: its JSON values are stored in 880,001 bytes, more than 262,144"
    )
    assert gateway.store.records == []


NUMBERS = st.from_regex(
    r"-?(0|[1-9][0-9]{0,30})([.][0-9]{1,20})?([eE][+-]?[0-9]{1,3})?", fullmatch=True
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@settings(deadline=None)  # the first answer waits until the document is read
@given(
    st.recursive(
        NUMBERS | TEXTS.map(json.dumps) | TEXTS.map(partial(json.dumps, ensure_ascii=False)),
        lambda inner: st.lists(inner).map(lambda items: f"[{','.join(items)}]"),
    ).map(str.encode)
)
def test_nothing_is_stored_that_is_longer_than_the_limit(value: bytes) -> None:
    body = b'{"action":"create_flow","goal":"g","stateJson":%b}' % value
    gateway = Gateway(limits=Limits(body_bytes=len(body)))
    answer = gateway.send(body)
    stored = [
        record.event.state_json
        for record in gateway.store.records
        if isinstance(record.event, FlowCreated)
    ]
    assert all(json is not None and len(json.text.encode()) <= len(body) for json in stored)
    assert answer.status_code in {200, 400, 413}


def test_a_body_of_undeclared_length_is_bounded_too() -> None:
    gateway = Gateway(limits=Limits(body_bytes=100))
    for size, expected in ((100, 200), (101, 413)):
        permit = gateway.admit()
        assert isinstance(permit, RoutePermit)
        status, _ = gateway.run_admitted(permit, of_size(size))
        assert status == expected
        permit.release()


def test_a_request_without_a_body_is_not_json(gateway: Gateway) -> None:
    answer = gateway.send(b"")
    assert answer.content == (
        b'{"ok":false,"routeId":"zapier","code":"invalid_json",'
        b'"error":"invalid request body: the body is empty","result":{}}'
    )


def test_the_checks_of_the_body_come_in_order(gateway: Gateway) -> None:
    assert gateway.send(b"{").json["code"] == "invalid_json"
    assert gateway.send(b"[]").json["code"] == "invalid_request"
    assert gateway.send(b"{}").json["error"].startswith("action: ")
    assert gateway.send(b"{", headers=[]).json["code"] == "unsupported_media_type"
    assert gateway.send(b"{", headers=headers_for("twin")).json["code"] == "unauthorized"


def test_a_request_that_the_server_admitted_is_not_checked_or_counted_again() -> None:
    gateway = Gateway(limits=Limits(rate_requests=1, in_flight=1))
    permit = gateway.admit()
    assert isinstance(permit, RoutePermit)
    status, body = gateway.run_admitted(permit, LATEST)
    assert (status, json.loads(body)["ok"]) == (200, True)
    assert [entry["request_id"] for entry in gateway.access_log] == ["request-of-server"]
    gateway.uptime = 60.0
    full = gateway.admit()
    assert isinstance(full, tuple), "the server releases its permit, not the resource"
    permit.release()
    gateway.uptime = 120.0
    assert isinstance(gateway.admit(), RoutePermit)


def test_a_request_that_was_not_admitted_is_answered_by_nobody(gateway: Gateway) -> None:
    environ = create_environ(path=path_of("zapier"), method="POST", headers=headers_for("zapier"))
    with pytest.raises(KeyError):
        gateway.app(environ, lambda *_: lambda _: None)
    assert gateway.access_log == []


def test_every_request_is_logged_once(gateway: Gateway) -> None:
    flow_id = gateway.create()
    gateway.ask("get_flow", flowId="\r\n" * 500)
    gateway.send(b"{")
    gateway.send(b"", path="/unknown")
    known = {"key_id": "default", "route": "zapier", "reason": None}
    cut_off = "byte 1: the body ends too early"
    logged = [
        {
            key: entry[key]
            for key in ("route", "key_id", "action", "flow_id", "status", "code", "reason")
        }
        for entry in gateway.access_log
    ]
    assert logged == [
        {**known, "action": "create_flow", "flow_id": flow_id, "status": 200, "code": None},
        {**known, "action": None, "flow_id": None, "status": 400, "code": "invalid_request"},
        {
            **known,
            "action": None,
            "flow_id": None,
            "status": 400,
            "code": "invalid_json",
            "reason": cut_off,
        },
        {
            "route": None,
            "key_id": None,
            "action": None,
            "flow_id": None,
            "status": 404,
            "code": "route_not_found",
            "reason": None,
        },
    ]
    assert {entry["remote_address"] for entry in gateway.access_log} == {CLIENT}


def test_an_id_of_any_length_does_not_fill_the_log(gateway: Gateway) -> None:
    gateway.ask("get_flow", flowId="x" * 5000)
    assert gateway.access_log[0]["flow_id"] == "x" * 128


def test_an_id_with_a_line_break_begins_no_line_of_the_log(gateway: Gateway) -> None:
    gateway.ask("get_flow", flowId="x\r\nforged")
    assert gateway.access_log[0]["flow_id"] == r"'x\r\nforged'"


def test_an_event_says_who_through_what_and_when(gateway: Gateway) -> None:
    body = b'{"action":"create_flow","goal":"g"}'
    gateway.send(body, headers=[*headers_for("zapier"), ("Idempotency-Key", "once")])
    assert [record.metadata for record in gateway.store.records] == [
        Metadata(
            recorded_at=NOW,
            actor=Actor(kind=ActorKind.ROUTE, name="zapier", key_id=KeyId("default")),
            request_id=RequestId("request-1"),
            correlation_id="request-1",
            causation_id="request-1",
            remote_address=CLIENT,
            idempotency_key="once",
            request_hash=hashlib.sha256(body).hexdigest(),
            rules=2,
        )
    ]


def test_no_secret_and_no_owner_is_in_any_log_or_answer(gateway: Gateway) -> None:
    flow_id = gateway.create()
    task_id = gateway.link(flow_id)
    bodies = [
        gateway.post(document, route=route).content.decode()
        for route in ("zapier", "other")
        for document in (
            {"action": "create_flow", "goal": "g"},
            {"action": "get_flow", "flowId": flow_id},
            {"action": "list_flows"},
            {"action": "find_latest_flow"},
            {"action": "resolve_flow", "token": flow_id},
            {"action": "get_task_summary", "flowId": flow_id},
            {"action": "set_waiting", "flowId": flow_id, "expectedRevision": 9},
            {"action": "update_task", "flowId": flow_id, "taskId": task_id, "status": "running"},
            {"action": "cancel_flow", "flowId": flow_id},
        )
    ]
    everything = "".join(bodies) + repr(gateway.access_log)
    assert "agent:main" not in everything
    assert not any(secret in everything for secret in SECRETS.values())


@settings(deadline=None)  # the same
@given(body=st.binary() | json_texts)
def test_whatever_the_body_is_the_answer_is_an_envelope_and_no_fault(body: bytes) -> None:
    answer = Gateway().send(body)
    assert answer.status_code in {200, 202, 400, 404, 409}
    assert list(answer.json)[:2] == ["ok", "routeId"]
    assert answer.json["ok"] is (answer.status_code < 400)
