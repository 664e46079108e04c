"""Replies of the wire are read strictly: what is not in the contract is a fault."""

from __future__ import annotations

import json
from typing import Any

import pytest

from adapters.testing.answers import ACCEPTED, Answer
from adapters.testing.drivers import WireFault, wire
from domain.flow.commands import (
    CancelFlow,
    Command,
    CreateFlow,
    FinishFlow,
    RunTask,
    SetWaiting,
    UpdateTask,
)
from domain.flow.ids import FlowId, RouteId, TaskId
from domain.flow.status import Runtime, TaskStatus
from domain.flow.values import JSON_NULL, Json

FLOW = {"flowId": "f", "syncMode": "managed", "revision": 2, "status": "queued", "stateJson": [1]}
SHOWN = {"flow_id": "f", "revision": 2, "status": "queued", "state_json": "[1]"}
TASK = {"taskId": "t", "scopeKind": "session", "deliveryStatus": "pending", "status": "queued"}
SHOWN_TASK = {"task_id": "t", "status": "queued"}
PENDING = {"reason": "One or more child tasks are still active."}
CANCEL = CancelFlow(flow_id=FlowId("f"))
FINISH = FinishFlow(flow_id=FlowId("f"), expected_revision=0)
CREATE = CreateFlow(goal="g", controller_id="c")
RUN = RunTask(flow_id=FlowId("f"), runtime=Runtime.ACP, task="work")
UPDATE = UpdateTask(flow_id=FlowId("f"), task_id=TaskId("t"), status=TaskStatus.RUNNING)


def _yes(status: int, result: Any, **more: Any) -> tuple[int, Any]:  # noqa: ANN401 - JSON
    return status, {"ok": True, "routeId": "r", "result": result, **more}


def _no(status: int, code: str, error: str, result: Any) -> tuple[int, Any]:  # noqa: ANN401 - JSON
    return status, {"ok": False, "routeId": "r", "code": code, "error": error, "result": result}


def _read(command: Command, reply: tuple[int, Any]) -> Answer:
    status, body = reply
    return wire.parse_answer(command, status, json.dumps(body).encode(), route_id=RouteId("r"))


@pytest.mark.parametrize(
    ("command", "reply", "answer"),
    [
        (CREATE, _yes(200, {"created": True, "flow": FLOW}), Answer(ACCEPTED, "", SHOWN)),
        (FINISH, _yes(200, {"applied": True, "flow": FLOW}), Answer(ACCEPTED, "", SHOWN)),
        (
            CANCEL,
            _yes(
                202,
                {"found": True, "cancelled": False, **PENDING, "flow": FLOW, "tasks": [TASK]},
                code="cancel_pending",
            ),
            Answer(ACCEPTED, "", SHOWN, None, (SHOWN_TASK,)),
        ),
        (
            RUN,
            _yes(200, {"created": True, "flow": FLOW, "task": TASK}),
            Answer(ACCEPTED, "", SHOWN, SHOWN_TASK),
        ),
        (
            FINISH,
            _no(
                409,
                "terminal",
                "Flow is already failed.",
                {"applied": False, "code": "terminal", "current": FLOW},
            ),
            Answer("terminal", "Flow is already failed.", SHOWN),
        ),
        (
            UPDATE,
            _no(
                404,
                "not_found",
                "TaskFlow not found.",
                {"found": False, "updated": False, "reason": "Flow not found."},
            ),
            Answer("not_found", "Flow not found."),
        ),
        (
            FINISH,
            _no(422, "idempotency_key_reused", "It was used.", {}),
            Answer("idempotency_key_reused", "It was used."),
        ),
    ],
)
def test_a_reply_of_the_contract_is_read(
    command: Command, reply: tuple[int, Any], answer: Answer
) -> None:
    assert _read(command, reply) == answer


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        (CREATE, _yes(201, {"created": True, "flow": FLOW})),
        (CREATE, _yes(200, {"created": False, "flow": FLOW})),
        (CREATE, _yes(200, {"created": True, "flow": FLOW, "owner": "o"})),
        (CREATE, _yes(200, {"created": True})),
        (CREATE, _yes(200, {"created": True, "flow": {**FLOW, "syncMode": "mirrored"}})),
        (CREATE, _yes(200, {"created": True, "flow": FLOW}, owner="o")),
        (CREATE, _yes(200, {"created": True, "flow": FLOW}, code="done")),
        (CREATE, (200, {"ok": True, "routeId": "s", "result": {"created": True, "flow": FLOW}})),
        (CREATE, (200, {"ok": True, "result": {"created": True, "flow": FLOW}})),
        (CREATE, (200, [])),
        (CANCEL, _yes(200, {"found": True, "cancelled": False, **PENDING, "flow": FLOW})),
        (CANCEL, _yes(202, {"found": True, "cancelled": True, "flow": FLOW})),
        (RUN, _yes(200, {"created": True, "flow": FLOW, "task": {"taskId": "t"}})),
        (FINISH, _no(400, "terminal", "No.", {"applied": False, "code": "terminal"})),
        (FINISH, _no(409, "terminal", "No.", {"applied": True, "code": "terminal"})),
        (FINISH, _no(409, "terminal", "No.", {"applied": False, "code": "other"})),
        (FINISH, _no(404, "not_found", "No.", {"applied": False, "code": "not_found"})),
        (FINISH, _no(422, "idempotency_key_reused", "No.", {"applied": False})),
        (
            UPDATE,
            _no(404, "task_not_found", "No.", {"found": False, "updated": False, "reason": "No."}),
        ),
    ],
)
def test_a_reply_that_breaks_the_contract_is_a_fault(
    command: Command, reply: tuple[int, Any]
) -> None:
    with pytest.raises(WireFault, match="the reply is"):
        _read(command, reply)


def test_what_is_not_json_is_a_fault() -> None:
    with pytest.raises(WireFault, match="not JSON: b'<html>'"):
        wire.parse_answer(CREATE, 200, b"<html>", route_id=RouteId("r"))


@pytest.mark.parametrize(
    ("status", "body"),
    [(404, {"ok": True, "routeId": "r", "result": {}}), (200, {"ok": False, "routeId": "r"})],
)
def test_a_question_that_is_refused_is_a_fault(status: int, body: Any) -> None:  # noqa: ANN401 - JSON
    with pytest.raises(WireFault):
        wire.parse_result(status, json.dumps(body).encode(), route_id=RouteId("r"))


def test_a_request_says_what_its_command_says_and_no_more() -> None:
    command = SetWaiting(
        flow_id=FlowId("f"),
        expected_revision=1,
        current_step=None,
        state_json=Json('{"b":1,"a":12345678901234567890}'),
        wait_json=JSON_NULL,
    )
    assert wire.request_of(command) == (
        b'{"action":"set_waiting","flowId":"f","expectedRevision":1,"currentStep":null,'
        b'"stateJson":{"b":1,"a":12345678901234567890},"waitJson":null}'
    )
