"""A flow of another owner and no flow at all are one answer, to the byte, for every action."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.webhooks.actions import ACTIONS
from tests.webhooks.gateway import Gateway

ON_A_FLOW: dict[str, dict[str, Any]] = {
    "get_flow": {},
    "get_task_summary": {},
    "set_waiting": {"expectedRevision": 0},
    "resume_flow": {"expectedRevision": 0},
    "finish_flow": {"expectedRevision": 0},
    "fail_flow": {"expectedRevision": 7},
    "request_cancel": {"expectedRevision": 0},
    "cancel_flow": {},
    "run_task": {"runtime": "acp", "task": "t"},
    "update_task": {"taskId": "id-2", "status": "failed"},
}
MISSING = "00000000-0000-4000-8000-000000000000"
UPDATED_OR_NOT = {"found": False, "updated": False, "reason": "Flow not found."}
RESULTS: dict[str, dict[str, Any]] = {
    "cancel_flow": {"found": False, "cancelled": False, "reason": "Flow not found."},
    "run_task": {"found": False, "created": False, "reason": "Flow not found."},
    "update_task": UPDATED_OR_NOT,
}


def test_every_action_on_a_flow_is_meant() -> None:
    assert set(ACTIONS) - set(ON_A_FLOW) == {
        "create_flow",
        "list_flows",
        "find_latest_flow",
        "resolve_flow",
    }


@pytest.mark.parametrize("action", [*ON_A_FLOW, "resolve_flow"])
def test_a_foreign_flow_answers_like_none(gateway: Gateway, action: str) -> None:
    flow_id = gateway.create()
    gateway.link(flow_id)
    before = gateway.ask("get_flow", flowId=flow_id)
    key = "token" if action == "resolve_flow" else "flowId"
    document = {"action": action, **ON_A_FLOW.get(action, {})}
    foreign = gateway.post({**document, key: flow_id}, route="other")
    missing = gateway.post({**document, key: MISSING}, route="other")
    assert foreign.status_code == missing.status_code
    assert foreign.content == missing.content
    without_id = {**missing.headers, "x-request-id": ""}
    assert {**foreign.headers, "x-request-id": ""} == without_id
    assert gateway.ask("get_flow", flowId=flow_id) == before


@pytest.mark.parametrize("action", [name for name in ON_A_FLOW if not name.startswith("get_")])
def test_a_change_of_no_flow_is_not_found(gateway: Gateway, action: str) -> None:
    answer = gateway.post({"action": action, "flowId": MISSING, **ON_A_FLOW[action]})
    result = RESULTS.get(action, {"applied": False, "code": "not_found"})
    assert answer.status_code == 404
    assert list(answer.json.items()) == [
        ("ok", False),
        ("routeId", "zapier"),
        ("code", "not_found"),
        ("error", "TaskFlow not found."),
        ("result", result),
    ]


def test_lists_and_the_latest_flow_are_the_owners_own(gateway: Gateway) -> None:
    gateway.create()
    assert gateway.ask("list_flows", route="other")["result"] == {"flows": []}
    assert gateway.ask("find_latest_flow", route="other")["result"] == {"flow": None}
    token = {"token": "agent:main:main"}
    assert gateway.ask("resolve_flow", route="other", **token)["result"] == {"flow": None}


def test_two_routes_of_one_owner_share_its_flows(gateway: Gateway) -> None:
    flow_id = gateway.create()
    answer = gateway.ask("finish_flow", route="twin", flowId=flow_id, expectedRevision=0)
    assert (answer["routeId"], answer["result"]["flow"]["status"]) == ("twin", "succeeded")
