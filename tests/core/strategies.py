"""Commands to generate: small values from small alphabets, so that they meet."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from domain.commands import (
    CancelFlow,
    Command,
    CreateFlow,
    FailFlow,
    FinishFlow,
    FlowCommand,
    Issued,
    LoseTask,
    RequestCancel,
    ResumeFlow,
    Revisioned,
    RunTask,
    SetWaiting,
    UpdateTask,
)
from domain.status import (
    ACTIVE,
    LIVE,
    FlowStatus,
    NotifyPolicy,
    Runtime,
    TaskStatus,
    TerminalOutcome,
)
from domain.values import KEEP, Json
from tests.core.scenario import FLOW, OWNER

EXAMPLES = settings(
    max_examples=150,
    deadline=None,
    # A machine that others share may be slow at any moment; that says nothing of the strategies.
    suppress_health_check=[HealthCheck.too_slow],
)

texts = st.sampled_from(["", " ", "a", "b"])
maybe = st.none() | texts
patches = st.just(KEEP) | maybe
jsons = st.sampled_from([Json("null"), Json("1"), Json('{"a":[]}')])
json_patches = st.just(KEEP) | jsons
moments = st.integers(0, 50)
maybe_moments = st.none() | moments
task_ids = st.integers(0, 4).map("task-{}".format)
revisions = st.integers(0, 3)
policies = st.sampled_from(NotifyPolicy)
live = st.sampled_from(sorted(LIVE))
active = st.sampled_from(sorted(ACTIVE))
outcomes = st.none() | st.sampled_from(TerminalOutcome)
flow_ids = st.just(FLOW)

creations = st.builds(
    CreateFlow,
    goal=texts,
    controller_id=texts,
    status=live,
    notify_policy=policies,
    current_step=maybe,
    state_json=st.none() | jsons,
    wait_json=st.none() | jsons,
)
revisioned: st.SearchStrategy[Revisioned] = st.one_of(
    st.builds(
        SetWaiting,
        flow_id=flow_ids,
        expected_revision=revisions,
        current_step=patches,
        state_json=json_patches,
        wait_json=json_patches,
        blocked_task_id=patches,
        blocked_summary=patches,
    ),
    st.builds(
        ResumeFlow,
        flow_id=flow_ids,
        expected_revision=revisions,
        status=st.sampled_from([FlowStatus.QUEUED, FlowStatus.RUNNING]),
        current_step=patches,
        state_json=json_patches,
    ),
    st.builds(FinishFlow, flow_id=flow_ids, expected_revision=revisions, state_json=json_patches),
    st.builds(
        FailFlow,
        flow_id=flow_ids,
        expected_revision=revisions,
        state_json=json_patches,
        blocked_task_id=patches,
        blocked_summary=patches,
    ),
    st.builds(RequestCancel, flow_id=flow_ids, expected_revision=revisions),
)
runs = st.builds(
    RunTask,
    flow_id=flow_ids,
    runtime=st.sampled_from(Runtime),
    task=texts,
    source_id=maybe,
    child_session_key=st.none() | st.sampled_from(["agent:a:b", "agent:a", ""]),
    parent_task_id=maybe,
    agent_id=maybe,
    run_id=maybe,
    label=maybe,
    prefer_metadata=st.booleans(),
    notify_policy=policies,
    status=active,
    started_at=maybe_moments,
    last_event_at=maybe_moments,
    progress_summary=maybe,
)
reports: st.SearchStrategy[UpdateTask | LoseTask] = st.one_of(
    st.builds(
        UpdateTask,
        flow_id=flow_ids,
        task_id=task_ids,
        status=st.sampled_from(TaskStatus),
        progress_summary=patches,
        terminal_summary=maybe,
        terminal_outcome=outcomes,
        error=maybe,
    ),
    st.builds(LoseTask, flow_id=flow_ids, task_id=task_ids, silent_before=moments),
)
flow_commands: st.SearchStrategy[FlowCommand] = st.one_of(
    revisioned, st.builds(CancelFlow, flow_id=flow_ids), runs, reports
)
commands: st.SearchStrategy[Command] = creations | flow_commands

misused: st.SearchStrategy[Command] = st.one_of(
    st.builds(CreateFlow, goal=texts, controller_id=texts, status=st.sampled_from(FlowStatus)),
    st.builds(
        ResumeFlow,
        flow_id=flow_ids,
        expected_revision=revisions,
        status=st.sampled_from(FlowStatus),
    ),
    st.builds(
        RunTask,
        flow_id=flow_ids,
        runtime=st.sampled_from(Runtime),
        task=texts,
        status=st.sampled_from(TaskStatus),
    ),
)
"""Commands with a status that the edge would not let through."""


def issued(
    command: st.SearchStrategy[Command] = commands, owner: str = OWNER
) -> st.SearchStrategy[Issued]:
    """Return commands with their moment, and an id that is new to all flows."""
    return st.builds(
        Issued, command=command, owner=st.just(owner), at=moments, new_id=st.just("task-new")
    )
