"""The cancel intent, and how a flow with one comes to its end."""

from __future__ import annotations

from attrs import evolve as replace

from adapters.testing.examples import CREATED, FLOW, NOW, THEN, ended, linked
from adapters.testing.scenario import given
from domain.flow.commands import (
    CancelFlow,
    FailFlow,
    FinishFlow,
    RequestCancel,
    RunTask,
    UpdateTask,
)
from domain.flow.events import (
    FlowBecameBlocked,
    FlowCancelled,
    FlowCancelRequested,
    FlowFailed,
    FlowSucceeded,
    TaskEnded,
)
from domain.flow.ids import TaskId
from domain.flow.refusals import Refusal, RefusalCode
from domain.flow.status import FlowStatus, Runtime, TaskStatus
from domain.flow.values import JSON_NULL, Json
from tests.core.examples import moved

REQUEST = RequestCancel(flow_id=FLOW, expected_revision=0)
CANCEL = CancelFlow(flow_id=FLOW)
REQUESTED = FlowCancelRequested(at=THEN)


def test_a_request_sets_the_intent_and_nothing_else() -> None:
    blocked = given(CREATED, FlowBecameBlocked(at=THEN, wait_json=Json("1"), blocked_summary="w"))
    decided = blocked.when(replace(REQUEST, expected_revision=1))
    decided.then(FlowCancelRequested(at=NOW))
    assert decided.flow == moved(
        blocked.flow,
        cancel_requested_at=NOW,
    )


def test_a_repeated_request_renews_the_moment_of_the_intent() -> None:
    again = given(CREATED, REQUESTED).when(replace(REQUEST, expected_revision=1))
    assert (again.flow.cancel_requested_at, again.flow.revision) == (NOW, 2)


def test_a_flow_without_children_is_cancelled_in_two_steps_of_one_moment() -> None:
    blocked = given(
        CREATED,
        FlowBecameBlocked(
            at=THEN,
            current_step="s",
            state_json=Json("1"),
            blocked_task_id="t",
            blocked_summary="w",
        ),
    )
    decided = blocked.when(CANCEL)
    decided.then(FlowCancelRequested(at=NOW), FlowCancelled(at=NOW))
    assert decided.flow == moved(
        blocked.flow,
        2,
        status=FlowStatus.CANCELLED,
        cancel_requested_at=NOW,
        ended_at=NOW,
        wait_json=JSON_NULL,
        blocked_task_id=None,
        blocked_summary=None,
    )


def test_a_cancellation_keeps_the_moment_of_an_earlier_intent() -> None:
    decided = given(CREATED, REQUESTED).when(CANCEL)
    decided.then(FlowCancelled(at=NOW))
    assert (decided.flow.cancel_requested_at, decided.flow.ended_at) == (THEN, NOW)


def test_a_cancellation_is_pending_while_a_child_is_active() -> None:
    pending = given(CREATED, linked(TaskId("child"))).when(CANCEL).then(FlowCancelRequested(at=NOW))
    assert pending.flow.status is FlowStatus.QUEUED
    assert pending.when(CANCEL, at=NOW + 1).then() == pending


def test_ended_children_do_not_hold_a_cancellation_up() -> None:
    given(CREATED, linked(TaskId("child")), ended(TaskId("child"))).when(CANCEL).then(
        FlowCancelRequested(at=NOW), FlowCancelled(at=NOW)
    )


def test_the_end_of_the_last_active_child_brings_a_pending_cancellation_about() -> None:
    report = UpdateTask(flow_id=FLOW, task_id=TaskId("b"), status=TaskStatus.FAILED)
    pending = given(
        CREATED, linked(TaskId("a")), linked(TaskId("b")), REQUESTED, ended(TaskId("a"))
    )
    settled = pending.when(report).then(
        TaskEnded(at=NOW, task_id=TaskId("b"), status=TaskStatus.FAILED), FlowCancelled(at=NOW)
    )
    assert (settled.flow.status, settled.flow.revision) == (FlowStatus.CANCELLED, 2)


def test_the_end_of_one_child_of_two_leaves_the_cancellation_pending() -> None:
    report = UpdateTask(flow_id=FLOW, task_id=TaskId("b"), status=TaskStatus.SUCCEEDED)
    pending = given(CREATED, linked(TaskId("a")), linked(TaskId("b")), REQUESTED)
    still = pending.when(report).then(
        TaskEnded(at=NOW, task_id=TaskId("b"), status=TaskStatus.SUCCEEDED),
    )
    assert (still.flow.status, still.flow.revision) == (FlowStatus.QUEUED, 1)


def test_the_end_of_the_last_child_without_an_intent_leaves_its_flow_alone() -> None:
    report = UpdateTask(flow_id=FLOW, task_id=TaskId("a"), status=TaskStatus.SUCCEEDED)
    after = given(CREATED, linked(TaskId("a"))).when(report).flow
    assert (after.status, after.revision, after.updated_at) == (FlowStatus.QUEUED, 0, THEN)


def test_the_end_of_the_last_child_does_not_cancel_a_flow_that_has_ended_otherwise() -> None:
    report = UpdateTask(flow_id=FLOW, task_id=TaskId("a"), status=TaskStatus.SUCCEEDED)
    finished = given(CREATED, linked(TaskId("a")), REQUESTED, FlowSucceeded(at=THEN))
    after = finished.when(report).flow
    assert (after.status, after.revision, after.ended_at) == (FlowStatus.SUCCEEDED, 2, THEN)


def test_a_flow_with_an_intent_may_still_finish_or_fail_and_keeps_the_intent() -> None:
    requested = given(CREATED, linked(TaskId("a")), REQUESTED)
    finished = requested.when(FinishFlow(flow_id=FLOW, expected_revision=1))
    failed = requested.when(FailFlow(flow_id=FLOW, expected_revision=1))
    assert finished.then(FlowSucceeded(at=NOW)).flow.cancel_requested_at == THEN
    assert failed.then(FlowFailed(at=NOW)).flow.cancel_requested_at == THEN


def test_a_flow_with_an_intent_takes_no_more_children_not_even_known_ones() -> None:
    requested = given(CREATED, replace(linked(TaskId("a")), run_id="run-1"), REQUESTED)
    command = RunTask(flow_id=FLOW, runtime=Runtime.SUBAGENT, task="work", run_id="run-1")
    assert requested.when(command).decision == Refusal(
        code=RefusalCode.CANCEL_REQUESTED,
        reason="Flow cancellation has already been requested.",
        flow=requested.flow,
    )


def test_the_intent_is_the_reason_also_where_the_flow_has_ended() -> None:
    cancelled = given(CREATED, REQUESTED, FlowCancelled(at=THEN))
    command = RunTask(flow_id=FLOW, runtime=Runtime.SUBAGENT, task="work")
    assert cancelled.when(command).refusal[0] is RefusalCode.CANCEL_REQUESTED
