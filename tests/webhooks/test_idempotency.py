"""A request that is sent again with its key is answered again, and done once."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.webhooks.fields import Issue
from adapters.webhooks.idempotency import request_key
from adapters.webhooks.permits import RoutePermit
from domain.application.recorded_events import RequestKey
from domain.flow.ids import RouteId
from tests.webhooks.gateway import Gateway, headers_for

ONCE = ("Idempotency-Key", "once")
CREATE = {"action": "create_flow", "goal": "g"}
WORDS = "Idempotency-Key: Invalid input: expected 1 to 255 visible ASCII characters"


def test_a_repeated_creation_makes_one_flow(gateway: Gateway) -> None:
    first = gateway.post(CREATE, headers=[ONCE])
    gateway.ask("finish_flow", flowId="id-1", expectedRevision=0)
    assert gateway.post(CREATE, headers=[ONCE]).content == first.content
    assert len(gateway.store.streams) == 1


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
    assert len(gateway.store.streams) == 2


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
    assert gateway.store.streams == {}


def test_two_keys_are_none(gateway: Gateway) -> None:
    permit = gateway.admit(headers=[*headers_for("zapier"), ONCE, ONCE])
    assert isinstance(permit, RoutePermit)
    status, body = gateway.run_admitted(permit, b'{"action":"create_flow","goal":"g"}')
    assert status == 400
    assert b"Idempotency-Key: Invalid input: expected one header, received 2" in body


def test_the_schema_is_checked_before_the_key(gateway: Gateway) -> None:
    answer = gateway.post({"action": "create_flow"}, headers=[("Idempotency-Key", "")])
    assert answer.json["error"].startswith("goal: ")


def test_a_key_of_the_greatest_length_is_taken_with_the_hash_of_the_body() -> None:
    # the SHA-256 of no bytes at all, FIPS 180-4
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    aliases = (f'"{"~" * 255}"',)
    key = RequestKey(route_id=RouteId("r"), key="~" * 255, request_hash=empty, aliases=aliases)
    assert request_key(RouteId("r"), ["~" * 255], b"") == key
    assert request_key(RouteId("r"), [], b"") is None
    assert request_key(RouteId("r"), ["\x7f"], b"") == Issue(WORDS)


REPLAYED = "idempotent-replayed"


def stored_as(sent: str) -> str | None:
    key = request_key(RouteId("r"), [sent], b"")
    return key.key if isinstance(key, RequestKey) else None


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("k1", "k1"),
        ('"k1"', "k1"),
        ('"k1";a=1', "k1"),
        ('"k1"; a; *b-c=?0;d="x;\\"y";e=:aGk=:;f=tok/en;g=-1.5;h=@1;i=%"f%c3"', "k1"),
        ('"a b"', "a b"),
        ('"a\\\\b"', "a\\b"),
        ("a\\b", "a\\b"),
        ('"a\\"b"', 'a"b'),
        ('a"b', 'a"b'),
        ('"\\"k1\\""', '"\\"k1\\""'),
        ("k1;a=1", "k1;a=1"),
        (":aGk=:", ":aGk=:"),
        (f'"{"x" * 255}"', "x" * 255),
        (f'"{chr(92) * 510}"', chr(92) * 255),
    ],
)
def test_a_key_is_a_string_of_structured_fields_or_as_it_is(sent: str, stored: str) -> None:
    assert stored_as(sent) == stored


@pytest.mark.parametrize(
    "sent",
    [
        *('"', '""', '"";a', '"k1', '"k"1', '"k1" ;a', '"k1";', '"k1";A', '"k1";a=', '"k1","k2"'),
        *(
            '"a\\b"',
            '"a\\',
            '"k\x7f"',
            '"k\u00fc"',
            '"k\t"',
            f'"{"x" * 256}"',
            "x" * 256,
            "a b",
            " ",
        ),
    ],
)
def test_a_string_that_is_none_is_refused(sent: str) -> None:
    issue = request_key(RouteId("r"), [sent], b"")
    assert isinstance(issue, Issue)
    assert issue.text.startswith("Idempotency-Key: Invalid input: expected ")


@pytest.mark.parametrize(("first", "second"), [("k1", '"k1"'), ('"k1"', "k1"), ('"k1"', '"k1";a')])
def test_a_key_with_and_without_quotes_is_one(gateway: Gateway, first: str, second: str) -> None:
    made = gateway.post(CREATE, headers=[("Idempotency-Key", first)])
    again = gateway.post(CREATE, headers=[("Idempotency-Key", second)])
    assert (again.content, len(gateway.store.streams)) == (made.content, 1)


def test_a_replayed_answer_says_so_and_no_other(gateway: Gateway) -> None:
    flow_id = gateway.create()
    task_id = gateway.link(flow_id)
    cancel = {"action": "cancel_flow", "flowId": flow_id}
    assert gateway.post(cancel).status_code == 202
    pending = gateway.post(cancel, headers=[ONCE])
    gateway.ask("update_task", flowId=flow_id, taskId=task_id, status="succeeded")
    again = gateway.post(cancel, headers=[ONCE])
    assert (again.status_code, again.content) == (202, pending.content)
    assert again.headers[REPLAYED] == "true"
    others = [
        pending,
        gateway.post(cancel),
        gateway.post({**cancel, "flowId": "x"}, headers=[ONCE]),
        gateway.post({"action": "find_latest_flow"}, headers=[ONCE]),
    ]
    assert [answer.status_code for answer in others] == [202, 409, 422, 200]
    assert [REPLAYED in answer.headers for answer in others] == [False] * 4


def test_every_changing_action_is_replayed_to_the_byte_whatever_happened_since(
    gateway: Gateway,
) -> None:
    sent: list[tuple[dict[str, object], str, int, bytes]] = []

    def once(action: str, **fields: object) -> dict[str, Any]:
        body = {"action": action, **fields}
        key = f"key-{len(sent)}"
        answer = gateway.post(body, headers=[("Idempotency-Key", key)])
        assert answer.status_code in {200, 202}, answer.json
        sent.append((body, key, answer.status_code, answer.content))
        result: dict[str, Any] = answer.json["result"]
        return result

    def flow(status: str = "queued") -> str:
        return str(once("create_flow", goal="g", status=status)["flow"]["flowId"])

    first, second, third, fourth = flow(), flow("running"), flow(), flow()
    link = {"flowId": first, "runtime": "acp", "task": "t", "runId": "r", "childSessionKey": "a"}
    task = once("run_task", **link)["task"]["taskId"]
    once("run_task", **link)
    once("run_task", **link, label="news")
    once("update_task", flowId=first, taskId=task, status="running", progressSummary="1")
    once("update_task", flowId=first, taskId=task, status="running", progressSummary="2")
    once("set_waiting", flowId=first, expectedRevision=0, waitJson={"a": None})
    once("set_waiting", flowId=first, expectedRevision=1, blockedSummary="b")
    once("resume_flow", flowId=first, expectedRevision=2, stateJson=[1])
    once("request_cancel", flowId=first, expectedRevision=3)
    once("cancel_flow", flowId=first)
    once("cancel_flow", flowId=first)
    once("update_task", flowId=first, taskId=task, status="failed", error="e")
    once("finish_flow", flowId=second, expectedRevision=0)
    once("fail_flow", flowId=third, expectedRevision=0, blockedSummary="b")
    once("cancel_flow", flowId=fourth)
    states = len(gateway.store.records)
    for body, key, status, content in sent:
        again = gateway.post(body, headers=[("Idempotency-Key", f'"{key}"')])
        assert (again.status_code, again.content) == (status, content)
        assert again.headers[REPLAYED] == "true"
    assert len(gateway.store.records) == states
