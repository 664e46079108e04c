"""Ownership, then the revision, then the lifecycle, then the task: the first that fails answers."""

from __future__ import annotations

import pytest
from attrs import evolve as replace

from adapters.testing.examples import CREATED, FLOW, STRANGER, THEN
from adapters.testing.scenario import given
from domain.flow.commands import (
    CancelFlow,
    FailFlow,
    FinishFlow,
    FlowCommand,
    LoseTask,
    RequestCancel,
    ResumeFlow,
    Revisioned,
    RunTask,
    SetWaiting,
    UpdateTask,
)
from domain.flow.events import FlowBeganWaiting, FlowCancelRequested, FlowSucceeded
from domain.flow.ids import TaskId
from domain.flow.refusals import Refusal, RefusalCode
from domain.flow.status import Runtime, TaskStatus

FINISHED = given(CREATED, FlowSucceeded(at=THEN))
"""At revision 1, so that revision 0 is stale."""
WAITING = given(CREATED, FlowBeganWaiting(at=THEN))
STALE: tuple[Revisioned, ...] = (
    SetWaiting(flow_id=FLOW, expected_revision=0),
    ResumeFlow(flow_id=FLOW, expected_revision=0),
    FinishFlow(flow_id=FLOW, expected_revision=0),
    FailFlow(flow_id=FLOW, expected_revision=0),
    RequestCancel(flow_id=FLOW, expected_revision=0),
)
OTHERS: tuple[FlowCommand, ...] = (
    CancelFlow(flow_id=FLOW),
    RunTask(flow_id=FLOW, runtime=Runtime.ACP, task="work"),
    UpdateTask(flow_id=FLOW, task_id=TaskId("none"), status=TaskStatus.RUNNING),
    LoseTask(flow_id=FLOW, task_id=TaskId("none"), silent_before=THEN),
)
NOT_FOUND = Refusal(code=RefusalCode.NOT_FOUND, reason="Flow not found.")


@pytest.mark.parametrize("command", [*STALE, *OTHERS])
def test_a_stranger_is_told_the_same_of_a_flow_and_of_none(command: FlowCommand) -> None:
    assert FINISHED.when(command, owner=STRANGER).decision == NOT_FOUND
    assert given().when(command, owner=STRANGER).decision == NOT_FOUND


@pytest.mark.parametrize("command", STALE)
def test_without_a_revision_a_flow_is_taken_as_it_is(command: Revisioned) -> None:
    as_it_is = replace(command, expected_revision=None)
    assert not isinstance(WAITING.when(as_it_is).decision, Refusal)
    refused = FINISHED.when(as_it_is).decision
    assert isinstance(refused, Refusal)
    assert refused.code is RefusalCode.TERMINAL
    assert WAITING.when(as_it_is, owner=STRANGER).decision == NOT_FOUND


@pytest.mark.parametrize("command", STALE)
def test_a_stale_revision_is_told_before_the_end_of_the_flow(command: Revisioned) -> None:
    assert FINISHED.when(command).decision == Refusal(
        code=RefusalCode.REVISION_CONFLICT,
        reason="TaskFlow changed since the caller's expected revision.",
        flow=FINISHED.flow,
    )


@pytest.mark.parametrize("command", STALE)
def test_the_end_of_the_flow_is_told_where_the_revision_is_right(command: Revisioned) -> None:
    decided = FINISHED.when(replace(command, expected_revision=1))
    assert decided.refusal == (RefusalCode.TERMINAL, "Flow is already succeeded.")


def test_a_revision_ahead_of_the_flow_is_a_conflict_too() -> None:
    decided = given(CREATED).when(SetWaiting(flow_id=FLOW, expected_revision=1))
    assert decided.refusal[0] is RefusalCode.REVISION_CONFLICT


def test_the_task_is_looked_for_last() -> None:
    lose = LoseTask(flow_id=FLOW, task_id=TaskId("none"), silent_before=THEN)
    assert given(CREATED).when(lose).refusal[0] is RefusalCode.TASK_NOT_SILENT
    requested = given(CREATED, FlowCancelRequested(at=THEN))
    assert requested.when(lose).refusal[0] is RefusalCode.TASK_NOT_FOUND
