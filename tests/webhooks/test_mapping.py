"""What becomes of payloads that a route maps, over WSGI and a store in memory."""

from __future__ import annotations

import json

import pytest
from falcon.testing import Result

from adapters.presentation.answer_codes import http_status
from adapters.webhooks.mapping.payloads import FORM
from domain.history.refused_requests import RefusedRequest
from tests.documented import body_fault
from tests.webhooks.gateway import Gateway, headers_for
from tests.webhooks.maps import ARule, a_map, creating, deliver, mapping

OPENED = {"action": "opened", "pull_request": {"number": 7, "title": "Ship it"}}
SKIPPED = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Skipped"}}}}
GITHUB = a_map(
    ARule(
        on=["pull_request.opened"],
        action="create_flow",
        fields={
            "goal": "Review #{pull_request.number}: {pull_request.title}",
            "stateJson": {"pull": "{{json pull_request}}", "by": "{sender.login|somebody}"},
        },
    ),
    ARule(
        on=["pull_request.closed"],
        when={"pull_request.merged": True},
        action="finish_flow",
        fields={"flowId": "{flow}"},
    ),
    ARule(
        on=["pull_request.closed"],
        when={"pull_request.merged": False},
        action="fail_flow",
        fields={"flowId": "{flow}", "blockedSummary": "closed"},
    ),
    event="{headers.x-github-event}.{action|}",
    delivery="{headers.x-github-delivery|}",
)


@pytest.fixture
def github(gateway: Gateway) -> Gateway:
    return mapping(gateway, GITHUB)


def opened(github: Gateway, **headers: str) -> Result:
    return deliver(github, OPENED, x_github_event="pull_request", **headers)


def test_a_payload_opens_a_flow(github: Gateway) -> None:
    answer = opened(github)
    assert answer.status_code == 200
    flow = answer.json["result"]["flow"]
    assert flow["goal"] == "Review #7: Ship it"
    assert flow["stateJson"] == {"pull": OPENED["pull_request"], "by": "somebody"}
    assert flow["controllerId"] == "webhooks/zapier"
    assert github.access_log[-1]["action"] == "create_flow"
    assert github.access_log[-1]["flow_id"] == flow["flowId"]


@pytest.mark.parametrize(("merged", "status"), [(True, "succeeded"), (False, "failed")])
def test_another_payload_ends_it_whatever_its_revision(
    github: Gateway,
    merged: bool,  # noqa: FBT001 - a parameter
    status: str,
) -> None:
    flow_id = opened(github).json["result"]["flow"]["flowId"]
    payload = {"action": "closed", "flow": flow_id, "pull_request": {"merged": merged}}
    answer = deliver(github, payload, x_github_event="pull_request")
    assert answer.json["result"]["flow"]["status"] == status
    again = deliver(github, payload, x_github_event="pull_request")
    assert (again.status_code, again.json["code"]) == (409, "terminal")


@pytest.mark.parametrize(
    ("event", "payload", "skipped"),
    [
        ("ping", {"zen": "Speak like a human."}, "ping"),
        ("push", {}, "push"),
        ("pull_request", {"action": "labeled"}, "pull_request.labeled"),
        (
            "pull_request",
            {"action": "closed", "pull_request": {"merged": 1}},
            "pull_request.closed",
        ),
        ("pull_request", {"action": "closed"}, "pull_request.closed"),
        ("pull_request", {"action": "x" * 500}, "pull_request." + "x" * 115),
    ],
)
def test_what_no_rule_is_for_is_skipped(
    github: Gateway, event: str, payload: object, skipped: str
) -> None:
    answer = deliver(github, payload, x_github_event=event)
    assert answer.status_code == 200
    assert answer.json == {"ok": True, "routeId": "zapier", "skipped": skipped, "result": {}}
    assert body_fault(SKIPPED, answer.json) is None
    assert github.access_log[-1]["code"] == "skipped"
    assert github.noted == []


@pytest.mark.parametrize(
    ("payload", "status"),
    [
        ({"meta": {"flow": "f"}, "n": 1}, "skipped"),
        ({"meta": {"flow": None}}, "skipped"),
        ({}, "skipped"),
        ({"meta": {"flow": "f"}, "n": True}, "taken"),
        ({"meta": {"flow": "f"}}, "taken"),
    ],
)
def test_a_rule_is_for_what_lacks_all_that_it_does_not_want(
    gateway: Gateway, payload: object, status: str
) -> None:
    rule = ARule(unless={"meta.flow": None, "n": 1}, answer={"skipped": "no"})
    answer = deliver(mapping(gateway, a_map(rule)), payload).json
    assert answer["skipped"] == ("" if status == "skipped" else "no")


def test_what_cannot_be_mapped_is_refused_and_kept(github: Gateway) -> None:
    answer = deliver(github, {"action": "opened"}, x_github_event="pull_request")
    assert answer.status_code == 422
    assert answer.json == {
        "ok": False,
        "routeId": "zapier",
        "code": "unmappable",
        "error": "The payload cannot be mapped: {pull_request.number}: nothing is there, and it has"
        " no default",
        "result": {},
    }
    (kept,) = github.noted
    assert isinstance(kept, RefusedRequest)
    assert (kept.action, kept.code, kept.key_id) == ("create_flow", "unmappable", "default")
    assert http_status(kept.code) == 422


def test_without_its_type_a_payload_is_refused_and_kept(github: Gateway) -> None:
    answer = deliver(github, OPENED)
    assert (answer.status_code, answer.json["code"]) == (422, "unmappable")
    assert "{headers.x-github-event}" in answer.json["error"]
    (kept,) = github.noted
    assert isinstance(kept, RefusedRequest)
    assert kept.action == "unmappable"


def test_a_field_that_does_not_fit_is_named(gateway: Gateway) -> None:
    answer = deliver(mapping(gateway, a_map(creating())), {"goal": " "})
    assert (answer.status_code, answer.json["code"]) == (422, "unmappable")
    assert answer.json["error"].endswith(
        "mapped: goal: Too small: expected string to have >=1 characters"
    )


def test_a_payload_finds_the_flow_that_another_one_opened(gateway: Gateway) -> None:
    named = {"correlationKey": "{repository}#{number}"}
    mapping(
        gateway,
        a_map(
            ARule(on=["opened"], action="create_flow", fields={"goal": "{title}", **named}),
            ARule(on=["labeled"], action="resume_flow", fields={**named, "currentStep": "{label}"}),
            ARule(on=["closed"], action="finish_flow", fields=named),
            event="{action}",
        ),
    )
    pull = {"repository": "o/r", "number": 7, "title": "Ship it", "label": "ready"}

    def send(action: str) -> tuple[int, str]:
        answer = deliver(gateway, {"action": action, **pull})
        shown = answer.json["result"].get("flow", {}).get("status", "")
        return answer.status_code, answer.json.get("code", shown)

    assert [send(action) for action in ("labeled", "opened", "opened", "labeled", "closed")] == [
        (404, "not_found"),
        (200, "queued"),
        (409, "correlation_key_taken"),
        (200, "queued"),
        (200, "succeeded"),
    ]
    assert [send(action) for action in ("closed", "opened")] == [
        (404, "not_found"),
        (200, "queued"),
    ]


def test_a_challenge_is_answered_as_the_route_says(gateway: Gateway) -> None:
    slack = a_map(
        ARule(on=["url_verification"], answer={"challenge": "{challenge}"}),
        creating(),
        event="{type|}",
    )
    payload = {"type": "url_verification", "challenge": "3eZbrw1aB", "token": "t"}
    answer = deliver(mapping(gateway, slack), payload)
    assert (answer.status_code, answer.json) == (200, {"challenge": "3eZbrw1aB"})
    assert answer.headers["content-type"].startswith("application/json")
    strange = gateway.send(json.dumps(payload).encode(), headers=headers_for("twin"))
    assert strange.status_code == 401


def test_a_delivery_is_carried_out_once(github: Gateway) -> None:
    first, second = (opened(github, x_github_delivery="72d3162e") for _ in range(2))
    other = opened(github, x_github_delivery="72d3162f")
    assert second.json == first.json
    assert second.headers["idempotent-replayed"] == "true"
    assert other.json["result"]["flow"]["flowId"] != first.json["result"]["flow"]["flowId"]


def test_a_repeat_may_be_written_anew_where_nothing_is_taken_from(github: Gateway) -> None:
    first = opened(github, x_github_delivery="72d3162e")
    anew = {**OPENED, "pending": 3}
    again = deliver(github, anew, x_github_event="pull_request", x_github_delivery="72d3162e")
    assert again.json == first.json
    pull = {"number": 8, "title": "Another"}
    another = deliver(
        github,
        {**OPENED, "pull_request": pull},
        x_github_event="pull_request",
        x_github_delivery="72d3162e",
    )
    assert (another.status_code, another.json["code"]) == (422, "idempotency_key_reused")


def test_without_a_deliverys_id_a_key_may_be_sent(github: Gateway) -> None:
    first, second = (opened(github, Idempotency_Key="k-1") for _ in range(2))
    assert second.json == first.json
    mapped_again = mapping(github, a_map(creating("{pull_request.title}", currentStep="s")))
    other = deliver(mapped_again, OPENED, Idempotency_Key="k-1")
    assert other.json["code"] == "idempotency_key_reused"


@pytest.mark.parametrize("delivery", ["a b", '"x"', "ü" * 200, "x" * 256, '{}:{a="b"}'])
def test_any_text_is_a_deliverys_id(gateway: Gateway, delivery: str) -> None:
    mapping(gateway, a_map(creating(), delivery="{id}"))
    first, second = (deliver(gateway, {"goal": "g", "id": delivery}) for _ in range(2))
    assert first.status_code == 200
    assert second.json == first.json
    assert deliver(gateway, {"goal": "g", "id": f"{delivery}."}).json != first.json


def form(gateway: Gateway, body: str) -> Result:
    _, bearer = headers_for("zapier")
    return gateway.send(body.encode(), headers=[("Content-Type", f"{FORM}; charset=utf-8"), bearer])


def test_a_form_is_its_fields(gateway: Gateway) -> None:
    mapping(gateway, a_map(creating("{command} {text|}"), form="fields"))
    answer = form(gateway, "command=%2Fdeploy&text=the+%C3%BCber+app&empty=")
    assert answer.json["result"]["flow"]["goal"] == "/deploy the über app"
    assert deliver(gateway, {"command": "as JSON"}).status_code == 200


def test_a_refusal_that_the_rule_skips_is_no_refusal_to_the_sender(gateway: Gateway) -> None:
    firing = ARule(
        on=["firing"],
        action="create_flow",
        fields={"goal": "g", "correlationKey": "{key}", "stateJson": "{{json n}}"},
        skip=["correlation_key_taken"],
    )
    ended = ARule(on=["ended"], action="finish_flow", fields={"flowId": "{key}"}, skip=["terminal"])
    mapping(gateway, a_map(firing, ended, event="{status}"))
    flow = deliver(gateway, {"status": "firing", "key": "k", "n": 1}).json["result"]["flow"]
    again = deliver(gateway, {"status": "firing", "key": "k", "n": 2})
    skipped = {"ok": True, "routeId": "zapier", "skipped": "firing", "result": {}}
    assert (again.status_code, again.json) == (200, skipped)
    entry = gateway.access_log[-1]
    assert (entry["code"], entry["reason"]) == ("skipped", '"firing": correlation_key_taken')
    assert (entry["action"], entry["flow_id"]) == ("create_flow", flow["flowId"])
    assert gateway.noted == []
    assert len(gateway.store.records) == 1
    unknown = deliver(gateway, {"status": "ended", "key": "another"})
    assert (unknown.status_code, unknown.json["code"]) == (404, "not_found")


def test_a_form_may_have_a_thousand_fields(gateway: Gateway) -> None:
    mapping(gateway, a_map(creating("{f999}"), form="fields"))
    answer = form(gateway, "&".join(f"f{n}={n}" for n in range(1000)))
    assert answer.json["result"]["flow"]["goal"] == "999"


def test_a_form_may_hold_json(gateway: Gateway) -> None:
    mapping(gateway, a_map(creating("{type} {actions.0.value}"), form="payload"))
    payload = "%7B%22type%22%3A%22block_actions%22%2C%22actions%22%3A%5B%7B%22value%22%3A1%7D%5D%7D"
    answer = form(gateway, f"payload={payload}&other=1")
    assert answer.json["result"]["flow"]["goal"] == "block_actions 1"


@pytest.mark.parametrize(
    ("kind", "body", "fault"),
    [
        ("fields", "a=1&a=2", 'the field "a" is there twice'),
        ("fields", "a=%FF", "the body is no form of UTF-8"),
        ("fields", "a=%00", "the form has a NUL character"),
        ("fields", "a", "the body is no form of UTF-8"),
        ("fields", "ü=1", "the body is no form of UTF-8"),
        ("fields", "&".join(f"f{n}=" for n in range(1001)), "the form has more than 1,000 fields"),
        ("payload", "a=1", "the form has no field payload"),
        ("payload", "payload={", "payload: byte 1: the body ends too early"),
    ],
)
def test_what_is_no_form_is_refused(gateway: Gateway, kind: str, body: str, fault: str) -> None:
    mapping(gateway, a_map(creating("g"), form=kind))
    answer = form(gateway, body)
    assert (answer.status_code, answer.json["code"]) == (400, "invalid_json")
    assert answer.json["error"] == f"invalid request body: {fault}"


def test_a_route_takes_no_form_unless_it_says_so(github: Gateway) -> None:
    assert form(github, "payload=%7B%7D").status_code == 415
    assert form(mapping(github, a_map(creating("g"), form="fields")), "a=1").status_code == 200


def test_what_is_mapped_is_no_larger_than_a_body_and_no_deeper(gateway: Gateway) -> None:
    nested: object = 1
    for _ in range(120):
        nested = [nested]
    inside = {"a": [[[["{{json deep}}"] * 2]]], "text": ["{text|}"] * 5}
    mapping(gateway, a_map(creating("g", stateJson=inside)))
    assert deliver(gateway, {"deep": nested}).status_code == 200
    for payload in ({"deep": [[[[[nested]]]]]}, {"deep": 1, "text": "x" * 60_000}):
        answer = deliver(gateway, payload)
        assert (answer.status_code, answer.json["code"]) == (422, "unmappable")


def test_a_body_that_is_no_json_is_refused_as_ever(github: Gateway) -> None:
    answer = github.send(b"{", headers=headers_for("zapier"))
    assert (answer.status_code, answer.json["code"]) == (400, "invalid_json")


def test_a_header_with_an_underscore_is_not_taken_for_another(gateway: Gateway) -> None:
    mapping(gateway, a_map(creating("{headers.x_event|none}")))
    answer = deliver(gateway, {}, X_Event="forged")
    assert answer.json["result"]["flow"]["goal"] == "none"
