"""Which answers are evidence, what is noted of them, and that nobody can tell from an answer."""

from __future__ import annotations

import json
from typing import Final

import pytest
from attrs import evolve

from adapters.presentation.answer_codes import http_status
from adapters.webhooks.refusal_recorder import RefusalRecorder
from adapters.webhooks.request_context import AccessLogEntry, RequestContext, access_log_entry
from adapters.webhooks.responses import refusal
from domain.application.limits import Limits
from domain.flow.ids import FlowId, KeyId, RequestId, RouteId
from domain.history.refused_requests import DeniedRequest, RefusedRequest, TurnedAway
from tests.memory_store import READ, WRITE
from tests.webhooks.gateway import CLIENT, NOW, Gateway, headers_for

FLOW: Final = FlowId("c28b9937-8980-43f8-8553-361a3e1dd4d5")
NOT_FOUND: Final = RefusedRequest(
    at=NOW,
    route_id=RouteId("zapier"),
    key_id=KeyId("default"),
    action="cancel_flow",
    code="not_found",
    flow_id=FLOW,
    request_id=RequestId("request-1"),
    remote_address=CLIENT,
)


def noted_of(entry: AccessLogEntry) -> list[DeniedRequest]:
    """Return what is noted of one answer."""
    noted: list[DeniedRequest] = []
    RefusalRecorder(noted.append, lambda: NOW).record(entry)
    return noted


def an_entry(
    *, flow_id: FlowId | None = FLOW, remote_address: str | None = CLIENT
) -> AccessLogEntry:
    """Return the log entry of a refused call of an authenticated caller."""
    context = RequestContext(
        request_id=RequestId("request-1"),
        started=0.0,
        route_id=RouteId("zapier"),
        key_id=KeyId("june"),
        remote_address=remote_address,
    )
    refused = refusal("terminal", "", route_id=RouteId("zapier"))
    return access_log_entry(context, refused, action="set_waiting", flow_id=flow_id, ended=0.0)


def test_a_flow_that_is_not_found_is_noted(gateway: Gateway) -> None:
    gateway.post({"action": "cancel_flow", "flowId": FLOW})
    assert gateway.noted == [NOT_FOUND]


def test_each_refusal_is_noted_with_what_was_asked_and_answered(gateway: Gateway) -> None:
    flow_id = gateway.create()
    key = ("Idempotency-Key", "k")
    gateway.post({"action": "create_flow", "goal": "g"}, headers=[key])
    wait = {"action": "set_waiting", "flowId": flow_id}
    gateway.post({**wait, "expectedRevision": 7})
    gateway.post({**wait, "expectedRevision": 0}, headers=[key])
    end = {"action": "update_task", "flowId": flow_id, "status": "failed"}
    gateway.post({**end, "taskId": "nobody's"})
    task_id = gateway.link(flow_id)
    gateway.post({**end, "taskId": task_id})
    gateway.post({**end, "taskId": task_id, "error": "again"})
    gateway.ask("request_cancel", flowId=flow_id, expectedRevision=0)
    gateway.post({"action": "run_task", "flowId": flow_id, "runtime": "acp", "task": "t"})
    gateway.ask("cancel_flow", flowId=flow_id)
    gateway.post({**wait, "expectedRevision": 2})
    calls = [each for each in gateway.noted if isinstance(each, RefusedRequest)]
    assert [(http_status(call.code), call.action, call.code) for call in calls] == [
        (409, "set_waiting", "revision_conflict"),
        (422, "set_waiting", "idempotency_key_reused"),
        (404, "update_task", "task_not_found"),
        (409, "update_task", "task_terminal"),
        (409, "run_task", "cancel_requested"),
        (409, "set_waiting", "terminal"),
    ]


def test_what_was_done_or_only_looked_for_is_not_noted(gateway: Gateway) -> None:
    flow_id = gateway.create()
    gateway.ask("get_flow", flowId=FLOW)
    gateway.ask("set_waiting", flowId=flow_id, expectedRevision=0)
    gateway.link(flow_id)
    gateway.ask("cancel_flow", flowId=flow_id)
    gateway.client.simulate_get("/healthz")
    assert gateway.noted == []


def test_malformed_requests_and_faults_of_ours_are_not_noted(gateway: Gateway) -> None:
    gateway.send(b"{")
    gateway.post({"action": "nonsense"})
    gateway.post({"action": "create_flow"})
    gateway.send(b"{}", method="GET")
    gateway.send(b"{}", path="/nowhere")
    gateway.send(b"{}", headers=[("Content-Type", "text/plain")])
    gateway.store.broken = READ | WRITE
    gateway.post({"action": "cancel_flow", "flowId": FLOW})
    assert [entry["status"] for entry in gateway.access_log] == [400, 400, 400, 405, 404, 415, 503]
    assert gateway.noted == []


def test_strangers_and_too_many_are_counted_without_what_they_claim() -> None:
    gateway = Gateway(limits=Limits(rate_requests=2, in_flight=1))
    gateway.send(b"{}", headers=[("Content-Type", "application/json")])
    held = gateway.admit()
    gateway.admit(peer="192.0.2.11")
    gateway.admit()
    del held
    assert gateway.noted == [
        TurnedAway(at=NOW, route_id=RouteId("zapier"), code="unauthorized"),
        TurnedAway(at=NOW, route_id=RouteId("zapier"), code="rate_limited"),
    ]


def test_one_too_many_at_once_is_counted() -> None:
    gateway = Gateway(limits=Limits(in_flight=1))
    gateway.admit()
    gateway.admit()
    assert gateway.noted == [
        TurnedAway(at=NOW, route_id=RouteId("zapier"), code="too_many_in_flight")
    ]


def test_a_call_that_the_server_has_admitted_is_noted_once(gateway: Gateway) -> None:
    permit = gateway.admit()
    assert not isinstance(permit, tuple)
    gateway.run_admitted(permit, json.dumps({"action": "cancel_flow", "flowId": FLOW}).encode())
    assert gateway.noted == [evolve(NOT_FOUND, request_id=RequestId("request-of-server"))]


@pytest.mark.parametrize(
    "flow_id",
    [
        "plain-secret-zapier",
        FLOW.upper(),
        f"{FLOW}\n",
        f" {FLOW}",
        "x" * 36,
        "\u066028b9937-8980-43f8-8553-361a3e1dd4d5",
        None,
    ],
)
def test_what_does_not_look_like_our_id_is_not_kept(flow_id: FlowId | None) -> None:
    (call,) = noted_of(an_entry(flow_id=flow_id))
    assert isinstance(call, RefusedRequest)
    assert call.flow_id is None


def test_an_address_is_kept_without_the_zone_that_a_caller_may_choose() -> None:
    (call,) = noted_of(an_entry(remote_address="fe80::1%plain-secret-zapier"))
    assert isinstance(call, RefusedRequest)
    assert call.remote_address == "fe80::1"


def test_an_address_that_is_not_recorded_is_not_kept() -> None:
    (call,) = noted_of(an_entry(remote_address=None))
    assert isinstance(call, RefusedRequest)
    assert call.remote_address is None


def test_foreign_and_missing_flows_are_noted_alike_and_answered_as_ever(gateway: Gateway) -> None:
    silent = Gateway(records_refusals=False)
    answers = []
    for each in (gateway, silent):
        flow_id = each.create()
        for document in (
            {"action": "cancel_flow", "flowId": flow_id},
            {"action": "cancel_flow", "flowId": FLOW},
        ):
            answer = each.send(
                json.dumps(document).encode(), headers=headers_for("other"), route="other"
            )
            answers.append((answer.status_code, dict(answer.headers), answer.content))
    assert answers[:2] == answers[2:]
    assert [(call.code, call.route_id) for call in gateway.noted] == [("not_found", "other")] * 2
    assert silent.noted == []
