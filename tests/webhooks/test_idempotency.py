"""A request that is sent again with its key is answered again, and done once."""

from __future__ import annotations

import pytest

from adapters.webhooks.fields import Issue
from adapters.webhooks.gate import Admitted
from adapters.webhooks.idempotency import request_key
from domain.records import RequestKey
from tests.webhooks.gateway import Gateway, headers_for

ONCE = ("Idempotency-Key", "once")
CREATE = {"action": "create_flow", "goal": "g"}
WORDS = "Idempotency-Key: Invalid input: expected 1 to 255 visible ASCII characters"


def test_a_repeated_creation_makes_one_flow(gateway: Gateway) -> None:
    first = gateway.post(CREATE, headers=[ONCE])
    gateway.ask("finish_flow", flowId="id-1", expectedRevision=0)
    assert gateway.post(CREATE, headers=[ONCE]).content == first.content
    assert len(gateway.store.states) == 1


def test_a_repeated_cancellation_is_answered_as_it_was(gateway: Gateway) -> None:
    flow_id = gateway.create()
    task_id = gateway.link(flow_id)
    cancel = {"action": "cancel_flow", "flowId": flow_id}
    pending = gateway.post(cancel, headers=[ONCE])
    gateway.ask("update_task", flowId=flow_id, taskId=task_id, status="succeeded")
    again = gateway.post(cancel, headers=[ONCE])
    assert (pending.status_code, again.status_code) == (202, 202)
    assert again.content == pending.content
    assert gateway.post(cancel).json["code"] == "terminal"


def test_a_key_stands_for_one_body(gateway: Gateway) -> None:
    gateway.post(CREATE, headers=[ONCE])
    answer = gateway.post({**CREATE, "goal": "other"}, headers=[ONCE])
    assert answer.status_code == 422
    assert answer.content == (
        b'{"ok":false,"routeId":"zapier","code":"idempotency_key_reused",'
        b'"error":"The idempotency key was used for another request.","result":{}}'
    )


def test_a_key_belongs_to_its_route(gateway: Gateway) -> None:
    gateway.post(CREATE, headers=[ONCE])
    assert gateway.post(CREATE, route="twin", headers=[ONCE]).status_code == 200
    assert len(gateway.store.states) == 2


def test_a_refusal_is_not_remembered(gateway: Gateway) -> None:
    flow_id = gateway.create()
    finish = {"action": "finish_flow", "flowId": flow_id, "expectedRevision": 1}
    assert gateway.post(finish, headers=[ONCE]).status_code == 409
    gateway.ask("set_waiting", flowId=flow_id, expectedRevision=0)
    assert gateway.post(finish, headers=[ONCE]).status_code == 200


def test_a_read_does_not_look_at_the_key(gateway: Gateway) -> None:
    answer = gateway.post({"action": "find_latest_flow"}, headers=[("Idempotency-Key", "a b")])
    assert answer.status_code == 200


@pytest.mark.parametrize("key", ["", "a b", "\u00fc", "x" * 256])
def test_a_key_that_is_none_is_refused(gateway: Gateway, key: str) -> None:
    answer = gateway.post(CREATE, headers=[("Idempotency-Key", key)])
    assert (answer.status_code, answer.json["code"]) == (400, "invalid_request")
    assert answer.json["error"] == WORDS
    assert gateway.store.states == {}


def test_two_keys_are_none(gateway: Gateway) -> None:
    ticket = gateway.admit(headers=[*headers_for("zapier"), ONCE, ONCE])
    assert isinstance(ticket, Admitted)
    status, body = gateway.run_admitted(ticket, b'{"action":"create_flow","goal":"g"}')
    assert status == 400
    assert b"Idempotency-Key: Invalid input: expected one header, received 2" in body


def test_the_schema_is_checked_before_the_key(gateway: Gateway) -> None:
    answer = gateway.post({"action": "create_flow"}, headers=[("Idempotency-Key", "")])
    assert answer.json["error"].startswith("goal: ")


def test_a_key_of_the_greatest_length_is_taken_with_the_hash_of_the_body() -> None:
    # the SHA-256 of no bytes at all, FIPS 180-4
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    key = RequestKey(route_id="r", key="~" * 255, request_hash=empty)
    assert request_key("r", ["~" * 255], b"") == key
    assert request_key("r", [], b"") is None
    assert request_key("r", ["\x7f"], b"") == Issue(WORDS)
