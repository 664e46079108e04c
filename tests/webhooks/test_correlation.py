"""Correlation keys and the filters of lists on the wire."""

from __future__ import annotations

from typing import Any

import pytest

from tests.webhooks.gateway import NOW, Gateway

KEY = "pull request 17"
TAKEN = "correlation_key_taken"


def opened(gateway: Gateway, **given: Any) -> str:  # noqa: ANN401 - what is sent
    return gateway.create(**{"correlationKey": KEY, **given})


def found(gateway: Gateway, action: str, **given: Any) -> str | None:  # noqa: ANN401 - what is sent
    answer = gateway.ask(action, **given)
    assert answer["ok"], answer
    flow = answer["result"]["flow"]
    return None if flow is None else str(flow["flowId"])


def test_a_key_is_shown_and_who_comes_second_is_shown_its_flow(gateway: Gateway) -> None:
    flow_id = opened(gateway)
    answer = gateway.ask("create_flow", goal="g", correlationKey=f" {KEY} ")
    assert (answer["ok"], answer["code"]) == (False, TAKEN)
    assert answer["error"] == "Another live flow has this correlationKey."
    result = answer["result"]
    assert (result["created"], result["code"]) == (False, TAKEN)
    assert (result["current"]["flowId"], result["current"]["correlationKey"]) == (flow_id, KEY)
    assert gateway.access_log[-1]["status"] == 409
    other = gateway.ask("create_flow", route="other", goal="g", correlationKey=KEY)
    assert other["ok"]
    assert "correlationKey" not in gateway.ask("create_flow", goal="g")["result"]["flow"]


def test_every_action_on_a_flow_can_name_it_by_its_key(gateway: Gateway) -> None:
    flow_id = opened(gateway)
    by_key: dict[str, Any] = {"correlationKey": KEY}
    assert found(gateway, "get_flow", **by_key) == flow_id
    assert found(gateway, "resolve_flow", **by_key) == flow_id
    task = gateway.ask("run_task", **by_key, runtime="acp", task="work")["result"]["task"]
    report = {"taskId": task["taskId"], "status": "succeeded"}
    steps: list[tuple[str, dict[str, Any]]] = [
        ("update_task", report),
        ("set_waiting", {"expectedRevision": 0}),
        ("resume_flow", {"expectedRevision": 1}),
        ("request_cancel", {"expectedRevision": 2}),
    ]
    for action, given in steps:
        assert found(gateway, action, **by_key, **given) == flow_id
        assert gateway.access_log[-1]["flow_id"] == flow_id
    assert gateway.ask("get_task_summary", **by_key)["result"]["summary"]["total"] == 1
    assert found(gateway, "cancel_flow", **by_key) == flow_id
    for action in ("finish_flow", "fail_flow"):
        opened(gateway)
        assert found(gateway, action, **by_key, expectedRevision=0)


def test_a_key_names_no_flow_that_has_ended_but_the_latest_is_found(gateway: Gateway) -> None:
    flow_id = opened(gateway)
    gateway.ask("finish_flow", correlationKey=KEY, expectedRevision=0)
    assert found(gateway, "get_flow", correlationKey=KEY) is None
    assert gateway.ask("get_task_summary", correlationKey=KEY)["result"] == {"summary": None}
    refused = gateway.ask("finish_flow", correlationKey=KEY, expectedRevision=1)
    assert (refused["code"], refused["result"]) == (
        "not_found",
        {"applied": False, "code": "not_found"},
    )
    assert found(gateway, "find_latest_flow", correlationKey=KEY) == flow_id
    assert found(gateway, "find_latest_flow", correlationKey=KEY, route="other") is None
    second = opened(gateway)
    gateway.create()
    assert found(gateway, "find_latest_flow", correlationKey=KEY) == second


@pytest.mark.parametrize(
    ("action", "given", "issue"),
    [
        (
            "get_flow",
            {"flowId": "f", "correlationKey": KEY},
            "correlationKey: correlationKey stands in the place of flowId: send one of them",
        ),
        (
            "resolve_flow",
            {"token": "f", "correlationKey": KEY},
            "correlationKey: correlationKey stands in the place of token: send one of them",
        ),
        ("cancel_flow", {}, "flowId: Invalid input: expected string, received undefined"),
        (
            "create_flow",
            {"goal": "g", "correlationKey": " "},
            "correlationKey: Too small: expected string to have >=1 characters",
        ),
        (
            "create_flow",
            {"goal": "g", "correlationKey": "k" * 257},
            "correlationKey: Too big: expected string to have <=256 characters",
        ),
        (
            "list_flows",
            {"updatedSince": "yesterday"},
            "updatedSince: Invalid input: expected an instant like 2026-12-01T00:00:00Z",
        ),
    ],
)
def test_a_name_is_one_and_bounded(
    gateway: Gateway,
    action: str,
    given: dict[str, Any],
    issue: str,
) -> None:
    answer = gateway.ask(action, **given)
    assert (answer["code"], answer["error"]) == ("invalid_request", issue)


def test_flows_are_listed_by_what_they_have_in_common(gateway: Gateway) -> None:
    first = opened(gateway, controllerId="ci", currentStep="build")
    second = gateway.create(controllerId="ci", currentStep="test")
    third = gateway.create(currentStep="test")
    gateway.now = NOW + 5
    gateway.ask("set_waiting", flowId=second, expectedRevision=0)
    listed = {
        "controllerId": ("ci", [second, first]),
        "currentStep": ("test", [third, second]),
        "correlationKey": (KEY, [first]),
        "updatedSince": (NOW + 5, [second]),
    }
    for name, (value, flows) in listed.items():
        assert _listed(gateway, **{name: value}) == flows
    assert _listed(gateway, controllerId="ci", status="waiting") == [second]
    assert _listed(gateway, currentStep="test", updatedSince="2023-11-14T22:13:20Z") == [
        third,
        second,
    ]
    assert _listed(gateway, route="other", controllerId="ci") == []


def test_a_cursor_goes_on_only_under_its_own_filters(gateway: Gateway) -> None:
    flows = [gateway.create(controllerId="ci", currentStep="test") for _ in range(3)]
    page = gateway.ask("list_flows", controllerId="ci", limit=2)["result"]
    cursor = page["nextCursor"]
    assert _listed(gateway, controllerId="ci", cursor=cursor) == [flows[0]]
    plain = gateway.ask("list_flows", limit=2)["result"]["nextCursor"]
    assert plain == flows[1]
    assert _listed(gateway, cursor=plain, status="queued") == [flows[0]]
    for wrong in (
        {"cursor": cursor},
        {"cursor": cursor, "controllerId": "other"},
        {"cursor": cursor, "controllerId": "ci", "status": "queued"},
        {"cursor": cursor, "currentStep": "ci"},
        {"cursor": plain, "controllerId": "ci"},
        {"cursor": f"{cursor}~", "controllerId": "ci"},
    ):
        answer = gateway.ask("list_flows", **wrong)
        assert (answer["code"], answer["error"]) == ("invalid_request", "cursor: Invalid input")


def _listed(gateway: Gateway, **given: Any) -> list[str]:  # noqa: ANN401 - what is sent
    answer = gateway.ask("list_flows", **given)
    assert answer["ok"], answer
    return [flow["flowId"] for flow in answer["result"]["flows"]]
