"""What a request that makes sense asks of the domain."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.webhooks.actions import ACTIONS, CommandAction, make_command, read_call
from adapters.webhooks.fields import Issue
from adapters.webhooks.strict_json import OVERFLOW
from domain.flow.commands import (
    CancelFlow,
    Command,
    CreateFlow,
    FailFlow,
    FinishFlow,
    RequestCancel,
    ResumeFlow,
    RunTask,
    SetWaiting,
    UpdateTask,
)
from domain.flow.ids import FlowId, TaskId
from domain.flow.status import FlowStatus, NotifyPolicy, Runtime, TaskStatus, TerminalOutcome
from domain.flow.values import BLANKS, JSON_NULL, Json
from tests.webhooks.minimal import MINIMAL, command


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (command("create_flow"), CreateFlow(goal="g", controller_id="webhooks/zapier")),
        (
            command(
                "create_flow",
                goal=f"{BLANKS} padded goal {BLANKS}",
                controllerId=" c ",
                status="waiting",
                notifyPolicy="silent",
                currentStep=" s ",
                stateJson=None,
                waitJson=["w", 1],
            ),
            CreateFlow(
                goal="padded goal",
                controller_id="c",
                status=FlowStatus.WAITING,
                notify_policy=NotifyPolicy.SILENT,
                current_step="s",
                state_json=JSON_NULL,
                wait_json=Json('["w",1]'),
            ),
        ),
        (
            command("create_flow", goal="\u200b"),
            CreateFlow(goal="\u200b", controller_id="webhooks/zapier"),
        ),
        (command("set_waiting"), SetWaiting(flow_id=FlowId("f"), expected_revision=0)),
        (
            command(
                "set_waiting",
                flowId=" f ",
                expectedRevision=2**53 - 1,
                currentStep=None,
                stateJson=" ",
                waitJson=None,
                blockedTaskId=" t ",
                blockedSummary=None,
            ),
            SetWaiting(
                flow_id=FlowId("f"),
                expected_revision=2**53 - 1,
                current_step=None,
                state_json=Json('" "'),
                wait_json=JSON_NULL,
                blocked_task_id="t",
                blocked_summary=None,
            ),
        ),
        (
            command("resume_flow", status="running", currentStep="s", stateJson=1),
            ResumeFlow(
                flow_id=FlowId("f"),
                expected_revision=0,
                status=FlowStatus.RUNNING,
                current_step="s",
                state_json=Json("1"),
            ),
        ),
        (
            command("finish_flow", stateJson={}),
            FinishFlow(flow_id=FlowId("f"), expected_revision=0, state_json=Json("{}")),
        ),
        (
            command("fail_flow", stateJson=[], blockedTaskId="t", blockedSummary="s"),
            FailFlow(
                flow_id=FlowId("f"),
                expected_revision=0,
                state_json=Json("[]"),
                blocked_task_id="t",
                blocked_summary="s",
            ),
        ),
        (command("request_cancel"), RequestCancel(flow_id=FlowId("f"), expected_revision=0)),
        (command("cancel_flow"), CancelFlow(flow_id=FlowId("f"))),
        (command("run_task"), RunTask(flow_id=FlowId("f"), runtime=Runtime.ACP, task="t")),
        (
            command(
                "run_task",
                runtime="subagent",
                sourceId=" src ",
                childSessionKey="agent:a:b",
                parentTaskId="p",
                agentId="a",
                runId="r",
                label=" l ",
                preferMetadata=True,
                notifyPolicy="state_changes",
                status="running",
                startedAt=1,
                lastEventAt=2,
                progressSummary="  some \n\u00a0 progress\ufeff",
            ),
            RunTask(
                flow_id=FlowId("f"),
                runtime=Runtime.SUBAGENT,
                task="t",
                source_id="src",
                child_session_key="agent:a:b",
                parent_task_id="p",
                agent_id="a",
                run_id="r",
                label="l",
                prefer_metadata=True,
                notify_policy=NotifyPolicy.STATE_CHANGES,
                status=TaskStatus.RUNNING,
                started_at=1,
                last_event_at=2,
                progress_summary="some progress",
            ),
        ),
        (
            command(
                "update_task",
                status="timed_out",
                progressSummary=None,
                terminalSummary=" over \t and out ",
                terminalOutcome="blocked",
                error=" two  blanks ",
            ),
            UpdateTask(
                flow_id=FlowId("f"),
                task_id=TaskId("t"),
                status=TaskStatus.TIMED_OUT,
                progress_summary=None,
                terminal_summary="over and out",
                terminal_outcome=TerminalOutcome.BLOCKED,
                error="two  blanks",
            ),
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_request_becomes_a_command(made: Command, expected: Command) -> None:
    assert made == expected


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from([OVERFLOW, 0.5, 1e300]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=4,
)


@given(data=st.data())
def test_whatever_the_fields_hold_there_is_a_command_or_an_issue(data: st.DataObject) -> None:
    action = data.draw(st.sampled_from(list(ACTIONS.values())))
    known = sorted(action.schema.known)
    given = data.draw(st.dictionaries(st.sampled_from(known) | st.text(), json_values))
    call = read_call({**MINIMAL[action.name], **given, "action": action.name})
    if not isinstance(call, Issue) and isinstance(call.action, CommandAction):
        assert isinstance(make_command(call.action, call.values, "c"), call.action.command)
