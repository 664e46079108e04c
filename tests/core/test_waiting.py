"""Waiting, blocked, and going on again: what each field of the request does to the flow."""

from __future__ import annotations

import pytest
from attrs import evolve as replace

from adapters.testing.examples import CREATED, FLOW, NOW, THEN
from adapters.testing.scenario import given
from domain.flow.commands import ResumeFlow, SetWaiting
from domain.flow.events import FlowBecameBlocked, FlowBeganWaiting, FlowResumed
from domain.flow.status import FlowStatus
from domain.flow.values import JSON_NULL, Json
from tests.core.examples import moved

WAIT = SetWaiting(flow_id=FLOW, expected_revision=0)
RESUME = ResumeFlow(flow_id=FLOW, expected_revision=0)

QUEUED = given(
    replace(CREATED, current_step="s0", state_json=Json('{"k":1}'), wait_json=Json('{"w":1}')),
)
BLOCKED = given(
    CREATED,
    FlowBecameBlocked(
        at=THEN, blocked_task_id="t", blocked_summary="why", wait_json=Json('{"w":1}')
    ),
)
"""At revision 1."""


def test_a_flow_that_waits_keeps_all_that_the_request_leaves_out() -> None:
    decided = QUEUED.when(WAIT)
    decided.then(FlowBeganWaiting(at=NOW))
    assert decided.flow == moved(
        QUEUED.flow,
        status=FlowStatus.WAITING,
    )


def test_a_flow_that_waits_takes_all_that_the_request_gives() -> None:
    command = replace(
        WAIT,
        current_step="s1",
        state_json=Json("[1]"),
        wait_json=Json('{"u":2}'),
        blocked_task_id="t",
        blocked_summary="why",
    )
    decided = QUEUED.when(command)
    decided.then(
        FlowBecameBlocked(
            at=NOW,
            current_step="s1",
            state_json=Json("[1]"),
            wait_json=Json('{"u":2}'),
            blocked_task_id="t",
            blocked_summary="why",
        ),
    )
    assert decided.flow == moved(
        QUEUED.flow,
        status=FlowStatus.BLOCKED,
        current_step="s1",
        state_json=Json("[1]"),
        wait_json=Json('{"u":2}'),
        blocked_task_id="t",
        blocked_summary="why",
    )


def test_null_clears_a_text_and_is_kept_as_a_json_value() -> None:
    command = replace(
        WAIT,
        current_step=None,
        state_json=JSON_NULL,
        wait_json=JSON_NULL,
        blocked_task_id=None,
        blocked_summary=None,
    )
    assert QUEUED.when(command).flow == moved(
        QUEUED.flow,
        status=FlowStatus.WAITING,
        current_step=None,
        state_json=JSON_NULL,
        wait_json=JSON_NULL,
    )


@pytest.mark.parametrize("text", ["", " ", "\u00a0\t\n", "\ufeff", "\u2028\u3000", None])
def test_a_blank_reason_blocks_nothing(text: str | None) -> None:
    command = replace(WAIT, blocked_task_id=text, blocked_summary=text)
    assert QUEUED.when(command).flow.status is FlowStatus.WAITING


@pytest.mark.parametrize("text", ["\x1c", "\x1d", "\x1e", "\x1f", "\x85", "\u200b"])
def test_what_only_python_takes_for_a_blank_blocks(text: str) -> None:
    assert QUEUED.when(replace(WAIT, blocked_summary=text)).flow.status is FlowStatus.BLOCKED


@pytest.mark.parametrize(
    "command",
    [
        replace(WAIT, blocked_task_id="t"),
        replace(WAIT, blocked_summary="why"),
        replace(WAIT, blocked_task_id=None, blocked_summary="why"),
        replace(WAIT, blocked_task_id="t", blocked_summary=""),
    ],
)
def test_one_reason_is_enough_to_block(command: SetWaiting) -> None:
    assert QUEUED.when(command).flow.status is FlowStatus.BLOCKED


def test_a_blocked_flow_that_waits_again_keeps_its_block_fields() -> None:
    decided = BLOCKED.when(replace(WAIT, expected_revision=1))
    assert decided.flow == moved(
        BLOCKED.flow,
        status=FlowStatus.WAITING,
    )


def test_a_null_clears_one_block_field_and_leaves_the_other() -> None:
    flow = BLOCKED.when(replace(WAIT, expected_revision=1, blocked_task_id=None)).flow
    assert (flow.status, flow.blocked_task_id, flow.blocked_summary) == (
        FlowStatus.WAITING,
        None,
        "why",
    )


def test_a_blocked_flow_resumes_without_its_wait_data_and_block_fields() -> None:
    decided = BLOCKED.when(replace(RESUME, expected_revision=1))
    decided.then(FlowResumed(at=NOW, status=FlowStatus.QUEUED))
    assert decided.flow == moved(
        BLOCKED.flow,
        status=FlowStatus.QUEUED,
        wait_json=JSON_NULL,
        blocked_task_id=None,
        blocked_summary=None,
    )


def test_a_resumed_flow_shows_a_null_where_wait_data_was_never_set() -> None:
    assert given(CREATED).when(RESUME).flow.wait_json == JSON_NULL


def test_a_flow_resumes_running_with_a_new_step_and_state() -> None:
    command = replace(RESUME, status=FlowStatus.RUNNING, current_step="s1", state_json=Json('"x"'))
    decided = QUEUED.when(command)
    decided.then(
        FlowResumed(at=NOW, status=FlowStatus.RUNNING, current_step="s1", state_json=Json('"x"')),
    )
    assert decided.flow == moved(
        QUEUED.flow,
        status=FlowStatus.RUNNING,
        current_step="s1",
        state_json=Json('"x"'),
        wait_json=JSON_NULL,
    )


def test_a_resumed_flow_loses_a_step_and_keeps_a_null_state_when_told_so() -> None:
    flow = QUEUED.when(replace(RESUME, current_step=None, state_json=JSON_NULL)).flow
    assert (flow.current_step, flow.state_json) == (None, JSON_NULL)
