"""Succeeded, failed, and what comes after: nothing."""

from __future__ import annotations

import pytest
from attrs import evolve as replace

from adapters.testing.examples import CREATED, FLOW, NOW, THEN, linked
from adapters.testing.scenario import given
from domain.flow.commands import (
    CancelFlow,
    FailFlow,
    FinishFlow,
    FlowCommand,
    RequestCancel,
    ResumeFlow,
    RunTask,
    SetWaiting,
)
from domain.flow.events import (
    FlowBecameBlocked,
    FlowCancelled,
    FlowEvent,
    FlowFailed,
    FlowSucceeded,
)
from domain.flow.ids import TaskId
from domain.flow.refusals import Refusal, RefusalCode
from domain.flow.status import FlowStatus, Runtime
from domain.flow.values import JSON_NULL, Json
from tests.core.examples import moved

BLOCKED = given(
    replace(CREATED, current_step="s0", state_json=Json('{"k":1}'), wait_json=Json('{"w":1}')),
    FlowBecameBlocked(at=THEN, blocked_task_id="t", blocked_summary="why"),
)
FINISH = FinishFlow(flow_id=FLOW, expected_revision=1)
FAIL = FailFlow(flow_id=FLOW, expected_revision=1)


def test_a_finished_flow_keeps_its_step_and_loses_wait_data_and_block_fields() -> None:
    decided = BLOCKED.when(FINISH)
    decided.then(FlowSucceeded(at=NOW))
    assert decided.flow == moved(
        BLOCKED.flow,
        status=FlowStatus.SUCCEEDED,
        ended_at=NOW,
        wait_json=JSON_NULL,
        blocked_task_id=None,
        blocked_summary=None,
    )


def test_a_finished_flow_takes_its_last_state() -> None:
    decided = BLOCKED.when(replace(FINISH, state_json=JSON_NULL))
    decided.then(FlowSucceeded(at=NOW, state_json=JSON_NULL))
    assert decided.flow.state_json == JSON_NULL


def test_a_failed_flow_keeps_its_block_fields_and_loses_its_wait_data() -> None:
    decided = BLOCKED.when(FAIL)
    decided.then(FlowFailed(at=NOW))
    assert decided.flow == moved(
        BLOCKED.flow,
        status=FlowStatus.FAILED,
        ended_at=NOW,
        wait_json=JSON_NULL,
    )


def test_a_failed_flow_takes_its_last_state_and_block_fields_and_stays_failed() -> None:
    command = replace(FAIL, state_json=Json("7"), blocked_task_id=None, blocked_summary="disk")
    decided = BLOCKED.when(command)
    decided.then(
        FlowFailed(at=NOW, state_json=Json("7"), blocked_task_id=None, blocked_summary="disk"),
    )
    assert decided.flow == moved(
        BLOCKED.flow,
        status=FlowStatus.FAILED,
        ended_at=NOW,
        state_json=Json("7"),
        wait_json=JSON_NULL,
        blocked_task_id=None,
        blocked_summary="disk",
    )


@pytest.mark.parametrize("command", [FINISH, FAIL])
def test_an_ended_flow_leaves_its_active_children_untouched(
    command: FinishFlow | FailFlow,
) -> None:
    flow = given(CREATED, linked(TaskId("child")))
    after = flow.when(replace(command, expected_revision=0)).flow
    assert after.tasks == flow.flow.tasks


ENDINGS: tuple[tuple[FlowEvent, str], ...] = (
    (FlowSucceeded(at=THEN), "Flow is already succeeded."),
    (FlowFailed(at=THEN), "Flow is already failed."),
    (FlowCancelled(at=THEN), "Flow is already cancelled."),
)
LATE: tuple[FlowCommand, ...] = (
    SetWaiting(flow_id=FLOW, expected_revision=1),
    ResumeFlow(flow_id=FLOW, expected_revision=1),
    FINISH,
    FAIL,
    RequestCancel(flow_id=FLOW, expected_revision=1),
    CancelFlow(flow_id=FLOW),
    RunTask(flow_id=FLOW, runtime=Runtime.ACP, task="work"),
)


@pytest.mark.parametrize(("ending", "reason"), ENDINGS)
@pytest.mark.parametrize("command", LATE)
def test_an_ended_flow_refuses_with_its_status_and_shows_itself(
    ending: FlowEvent, reason: str, command: FlowCommand
) -> None:
    flow = given(CREATED, ending)
    refusal = Refusal(code=RefusalCode.TERMINAL, reason=reason, flow=flow.flow)
    assert flow.when(command).decision == refusal
