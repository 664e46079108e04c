"""Each action on the wire: what it answers, key by key."""

from __future__ import annotations

from typing import Any, cast

import pytest
from attrs import evolve

from domain.flow.events import FlowCreated
from domain.flow.ids import FlowId
from tests.webhooks.gateway import NOW, Gateway

FLOW: dict[str, Any] = {
    "flowId": "id-1",
    "syncMode": "managed",
    "controllerId": "webhooks/zapier",
    "revision": 0,
    "status": "queued",
    "notifyPolicy": "done_only",
    "goal": "ship it",
    "createdAt": NOW,
    "updatedAt": NOW,
}
TASK: dict[str, Any] = {
    "taskId": "id-2",
    "runtime": "acp",
    "parentFlowId": "id-1",
    "agentId": "main",
    "scopeKind": "session",
    "task": "work",
    "status": "queued",
    "deliveryStatus": "pending",
    "notifyPolicy": "done_only",
    "createdAt": NOW,
    "lastEventAt": NOW,
}


def succeeded(result: dict[str, Any]) -> dict[str, Any]:
    return {"ok": True, "routeId": "zapier", "result": result}


def refused(code: str, error: str, result: dict[str, Any]) -> dict[str, Any]:
    return {"ok": False, "routeId": "zapier", "code": code, "error": error, "result": result}


def assert_answer(
    gateway: Gateway, document: dict[str, Any], status: int, expected: dict[str, Any]
) -> None:
    """Compare a whole answer, the order of its keys included."""
    answer = gateway.post(document)
    assert (answer.status_code, answer.json) == (status, expected)
    assert str(answer.json) == str(expected)


def test_create_flow(gateway: Gateway) -> None:
    document = {"action": "create_flow", "goal": " ship it "}
    assert_answer(gateway, document, 200, succeeded({"created": True, "flow": FLOW}))


def test_a_flow_shows_all_that_was_given(gateway: Gateway) -> None:
    given = {
        "controllerId": "mine",
        "status": "waiting",
        "notifyPolicy": "silent",
        "currentStep": "s",
        "stateJson": {"b": 1, "a": [12345678901234567890, 1.5, "\u00fc\u2028"]},
        "waitJson": None,
    }
    shown = {
        "flowId": "id-1",
        "syncMode": "managed",
        "controllerId": "mine",
        "currentStep": "s",
        "revision": 0,
        "status": "waiting",
        "notifyPolicy": "silent",
        "goal": "ship it",
        "stateJson": given["stateJson"],
        "waitJson": None,
        "createdAt": NOW,
        "updatedAt": NOW,
    }
    document = {"action": "create_flow", "goal": "ship it", **given}
    assert_answer(gateway, document, 200, succeeded({"created": True, "flow": shown}))
    assert_answer(
        gateway, {"action": "get_flow", "flowId": "id-1"}, 200, succeeded({"flow": shown})
    )


@pytest.mark.parametrize(
    "document",
    [
        {"action": "get_flow", "flowId": " id-1 "},
        {"action": "find_latest_flow"},
        {"action": "resolve_flow", "token": "id-1"},
        {"action": "resolve_flow", "token": " agent:main:main "},
    ],
)
def test_a_flow_is_found(gateway: Gateway, document: dict[str, Any]) -> None:
    gateway.create()
    assert_answer(gateway, document, 200, succeeded({"flow": FLOW}))


@pytest.mark.parametrize(
    ("document", "key"),
    [
        ({"action": "get_flow", "flowId": "x"}, "flow"),
        ({"action": "find_latest_flow"}, "flow"),
        ({"action": "resolve_flow", "token": "x"}, "flow"),
        ({"action": "resolve_flow", "token": "agent:main:other"}, "flow"),
        ({"action": "resolve_flow", "token": "Agent:main:main"}, "flow"),
        ({"action": "get_task_summary", "flowId": "x"}, "summary"),
    ],
)
def test_what_is_not_there_is_null(gateway: Gateway, document: dict[str, Any], key: str) -> None:
    assert_answer(gateway, document, 200, succeeded({key: None}))


def test_list_flows_shows_the_newest_first(gateway: Gateway) -> None:
    first, second = gateway.create(), gateway.create()
    answer = gateway.ask("list_flows")
    assert list(answer["result"]) == ["flows"]
    assert [flow["flowId"] for flow in answer["result"]["flows"]] == [second, first]


def test_a_long_list_comes_in_pages(gateway: Gateway) -> None:
    made = [gateway.create() for _ in range(5)]
    gateway.ask("finish_flow", flowId=made[2], expectedRevision=0)
    seen = []
    result = gateway.ask("list_flows", limit=2)["result"]
    for _ in range(2):
        seen += [flow["flowId"] for flow in result["flows"]]
        result = gateway.ask("list_flows", limit=2, cursor=result["nextCursor"])["result"]
    assert "nextCursor" not in result
    assert [*seen, *(flow["flowId"] for flow in result["flows"])] == made[::-1]
    live = gateway.ask("list_flows", status="queued", limit=4)["result"]
    assert [flow["flowId"] for flow in live["flows"]] == [made[4], made[3], made[1], made[0]]
    assert "nextCursor" not in live


def test_a_page_has_at_most_a_thousand_flows() -> None:
    gateway = Gateway()
    gateway.create()
    [first] = gateway.store.records
    for flow_id in (FlowId(f"copy-{i}") for i in range(1000)):
        event = evolve(cast("FlowCreated", first.event), flow_id=flow_id)
        gateway.store.streams[flow_id] = [evolve(first, flow_id=flow_id, event=event)]
    result = gateway.ask("list_flows")["result"]
    assert len(result["flows"]) == 1000
    rest = gateway.ask("list_flows", cursor=result["nextCursor"])["result"]
    assert rest == {"flows": [FLOW]}


def test_get_task_summary_counts_tasks(gateway: Gateway) -> None:
    flow_id = gateway.create()
    gateway.link(flow_id)
    summary = {
        "total": 1,
        "active": 1,
        "terminal": 0,
        "failures": 0,
        "byStatus": {
            "queued": 1,
            "running": 0,
            "succeeded": 0,
            "failed": 0,
            "timed_out": 0,
            "cancelled": 0,
            "lost": 0,
        },
        "byRuntime": {"subagent": 0, "acp": 1, "cli": 0, "cron": 0},
    }
    document = {"action": "get_task_summary", "flowId": flow_id}
    assert_answer(gateway, document, 200, succeeded({"summary": summary}))


@pytest.mark.parametrize(
    ("action", "given", "shown"),
    [
        (
            "set_waiting",
            {"blockedTaskId": "t", "blockedSummary": "s", "waitJson": 1},
            {"blockedTaskId": "t", "blockedSummary": "s", "status": "blocked", "waitJson": 1},
        ),
        ("set_waiting", {"currentStep": "s"}, {"currentStep": "s", "status": "waiting"}),
        ("resume_flow", {"status": "running"}, {"status": "running", "waitJson": None}),
        (
            "finish_flow",
            {"stateJson": {}},
            {"status": "succeeded", "stateJson": {}, "waitJson": None},
        ),
        (
            "fail_flow",
            {"stateJson": None},
            {"status": "failed", "stateJson": None, "waitJson": None},
        ),
        ("request_cancel", {}, {"cancelRequestedAt": NOW + 1}),
    ],
)
def test_a_mutation_is_applied(
    gateway: Gateway, action: str, given: dict[str, Any], shown: dict[str, Any]
) -> None:
    flow_id = gateway.create()
    gateway.now += 1
    ended = {"endedAt": NOW + 1} if action in {"finish_flow", "fail_flow"} else {}
    answer = gateway.ask(action, flowId=flow_id, expectedRevision=0, **given)
    expected = {**FLOW, "revision": 1, "updatedAt": NOW + 1, **shown, **ended}
    assert answer == succeeded({"applied": True, "flow": expected})
    assert list(answer["result"]) == ["applied", "flow"]


def test_keys_of_a_flow_stand_in_one_order(gateway: Gateway) -> None:
    flow_id = gateway.create(currentStep="s", stateJson=1, waitJson=2)
    blocked = {"blockedTaskId": "t", "blockedSummary": "s"}
    gateway.ask("request_cancel", flowId=flow_id, expectedRevision=0)
    answer = gateway.ask("fail_flow", flowId=flow_id, expectedRevision=1, **blocked)
    assert list(answer["result"]["flow"]) == [
        *("flowId", "syncMode", "controllerId", "currentStep", "blockedTaskId", "blockedSummary"),
        *("revision", "status", "notifyPolicy", "goal", "stateJson", "waitJson"),
        *("cancelRequestedAt", "createdAt", "updatedAt", "endedAt"),
    ]


REVISIONED = ("set_waiting", "resume_flow", "finish_flow", "fail_flow", "request_cancel")


@pytest.mark.parametrize("action", REVISIONED)
def test_a_stale_revision_is_a_conflict(gateway: Gateway, action: str) -> None:
    gateway.create()
    document = {"action": action, "flowId": "id-1", "expectedRevision": 5}
    result = {"applied": False, "code": "revision_conflict", "current": FLOW}
    error = "TaskFlow changed since the caller's expected revision."
    assert_answer(gateway, document, 409, refused("revision_conflict", error, result))


@pytest.mark.parametrize("action", REVISIONED)
def test_an_ended_flow_stays_as_it_is(gateway: Gateway, action: str) -> None:
    gateway.create()
    current = gateway.ask("fail_flow", flowId="id-1", expectedRevision=0)["result"]["flow"]
    document = {"action": action, "flowId": "id-1", "expectedRevision": 1}
    result = {"applied": False, "code": "terminal", "current": current}
    assert_answer(gateway, document, 409, refused("terminal", "Flow is already failed.", result))


def test_cancel_flow(gateway: Gateway) -> None:
    gateway.create()
    document = {"action": "cancel_flow", "flowId": "id-1"}
    flow = {
        **{key: FLOW[key] for key in ("flowId", "syncMode", "controllerId")},
        "revision": 2,
        "status": "cancelled",
        "notifyPolicy": "done_only",
        "goal": "ship it",
        "waitJson": None,
        "cancelRequestedAt": NOW,
        "createdAt": NOW,
        "updatedAt": NOW,
        "endedAt": NOW,
    }
    shown = {"flow": flow, "tasks": []}
    assert_answer(gateway, document, 200, succeeded({"found": True, "cancelled": True, **shown}))
    reason = "Flow is already cancelled."
    result = {"found": True, "cancelled": False, "reason": reason, **shown}
    assert_answer(gateway, document, 409, refused("terminal", reason, result))


def test_a_cancellation_waits_for_children(gateway: Gateway) -> None:
    gateway.create()
    first, second = gateway.link("id-1"), gateway.link("id-1")
    document = {"action": "cancel_flow", "flowId": "id-1"}
    flow = {key: FLOW[key] for key in FLOW if key not in {"createdAt", "updatedAt"}}
    result = {
        "found": True,
        "cancelled": False,
        "reason": "One or more child tasks are still active.",
        "flow": {
            **flow,
            "revision": 1,
            "cancelRequestedAt": NOW,
            "createdAt": NOW,
            "updatedAt": NOW,
        },
        "tasks": [{**TASK, "taskId": second}, {**TASK, "taskId": first}],
    }
    pending = {"ok": True, "routeId": "zapier", "code": "cancel_pending", "result": result}
    assert_answer(gateway, document, 202, pending)
    assert_answer(gateway, document, 202, pending)


def test_run_task(gateway: Gateway) -> None:
    gateway.create()
    document = {"action": "run_task", "flowId": "id-1", "runtime": "acp", "task": "work"}
    result = {"created": True, "flow": FLOW, "task": TASK}
    assert_answer(gateway, document, 200, succeeded(result))


def test_keys_of_a_task_stand_in_one_order(gateway: Gateway) -> None:
    flow_id = gateway.create()
    given = {"sourceId": "s", "childSessionKey": "c", "parentTaskId": "p", "runId": "r"}
    timing = {"status": "running", "startedAt": 1, "progressSummary": " a  b "}
    task_id = gateway.link(flow_id, **given, label="l", **timing)
    outcome = {"terminalSummary": "a \n b", "terminalOutcome": "blocked", "error": "e"}
    ended = gateway.ask("update_task", flowId=flow_id, taskId=task_id, status="failed", **outcome)
    task = ended["result"]["task"]
    assert list(task) == [
        *("taskId", "runtime", "sourceId", "childSessionKey", "parentFlowId", "parentTaskId"),
        *("agentId", "runId", "label", "error", "progressSummary", "terminalSummary"),
        *("terminalOutcome", "scopeKind", "task", "status", "deliveryStatus", "notifyPolicy"),
        *("createdAt", "startedAt", "endedAt", "lastEventAt"),
    ]
    assert (task["progressSummary"], task["terminalSummary"]) == ("a b", "a b")


@pytest.mark.parametrize(
    ("before", "code", "reason"),
    [
        ("finish_flow", "terminal", "Flow is already succeeded."),
        ("request_cancel", "cancel_requested", "Flow cancellation has already been requested."),
    ],
)
def test_a_flow_that_ends_takes_no_more_tasks(
    gateway: Gateway, before: str, code: str, reason: str
) -> None:
    gateway.create()
    flow = gateway.ask(before, flowId="id-1", expectedRevision=0)["result"]["flow"]
    document = {"action": "run_task", "flowId": "id-1", "runtime": "acp", "task": "work"}
    result = {"found": True, "created": False, "reason": reason, "flow": flow}
    assert_answer(gateway, document, 409, refused(code, reason, result))


def test_update_task(gateway: Gateway) -> None:
    gateway.create()
    task_id = gateway.link("id-1")
    document = {"action": "update_task", "flowId": "id-1", "taskId": task_id, "status": "running"}
    started = {key: TASK[key] for key in TASK if key != "lastEventAt"}
    task = {
        **started,
        "taskId": task_id,
        "status": "running",
        "startedAt": NOW,
        "lastEventAt": NOW,
    }
    result = {"updated": True, "flow": FLOW, "task": task}
    assert_answer(gateway, document, 200, succeeded(result))


def test_an_unknown_task_is_not_found(gateway: Gateway) -> None:
    gateway.create()
    document = {"action": "update_task", "flowId": "id-1", "taskId": "x", "status": "failed"}
    reason = "Task not found."
    result = {"found": True, "updated": False, "reason": reason, "flow": FLOW}
    assert_answer(gateway, document, 404, refused("task_not_found", reason, result))


def test_an_ended_task_stays_as_it_is(gateway: Gateway) -> None:
    gateway.create()
    task_id = gateway.link("id-1")
    document = {"action": "update_task", "flowId": "id-1", "taskId": task_id, "status": "failed"}
    task = gateway.post(document).json["result"]["task"]
    reason = "Task is already failed."
    result = {"found": True, "updated": False, "reason": reason, "flow": FLOW, "task": task}
    assert_answer(gateway, document, 409, refused("task_terminal", reason, result))


@pytest.mark.parametrize(
    "cursor", ["", "5", "NQ", "id-2", "id-9", " id-1", "ID-1", "ü", "x" * 9999]
)
def test_a_cursor_that_is_no_flow_of_the_owners_is_an_invalid_one(
    gateway: Gateway, cursor: str
) -> None:
    assert (gateway.create(), gateway.create(route="other")) == ("id-1", "id-2")
    answer = gateway.ask("list_flows", cursor=cursor)
    assert (answer["code"], answer["error"]) == ("invalid_request", "cursor: Invalid input")
