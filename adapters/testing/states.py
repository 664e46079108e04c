"""Flows in every state of the lifecycle, and commands that try all of its transitions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from attrs import evolve as replace
from attrs import frozen

from adapters.testing.examples import CREATED, FLOW, THEN, ended, linked
from adapters.testing.scenario import Decided, Given, given
from adapters.testing.targeting import at_revision_of
from domain.flow.commands import (
    CancelFlow,
    Command,
    CreateFlow,
    FailFlow,
    FinishFlow,
    LoseTask,
    RequestCancel,
    ResumeFlow,
    RunTask,
    SetWaiting,
    UpdateTask,
)
from domain.flow.events import (
    Event,
    FlowBecameBlocked,
    FlowBeganWaiting,
    FlowCancelled,
    FlowCancelRequested,
    FlowFailed,
    FlowResumed,
    FlowSucceeded,
)
from domain.flow.ids import TaskId
from domain.flow.state import Flow
from domain.flow.status import ENDED, LIVE, FlowStatus, Runtime, TaskStatus

TOWARDS: Final[dict[FlowStatus, tuple[Event, ...]]] = {
    FlowStatus.QUEUED: (),
    FlowStatus.RUNNING: (FlowResumed(at=THEN, status=FlowStatus.RUNNING),),
    FlowStatus.WAITING: (FlowBeganWaiting(at=THEN),),
    FlowStatus.BLOCKED: (FlowBecameBlocked(at=THEN, blocked_summary="why"),),
    FlowStatus.SUCCEEDED: (FlowSucceeded(at=THEN),),
    FlowStatus.FAILED: (FlowFailed(at=THEN),),
    FlowStatus.CANCELLED: (FlowCancelled(at=THEN),),
}
"""The events that lead a new flow to a status."""

CHILD: Final = replace(linked(TaskId("child")), run_id="run-1")
RUNNING_CHILD: Final = replace(CHILD, status=TaskStatus.RUNNING)
CHILDREN: Final[tuple[tuple[Event, ...], ...]] = (
    (),
    (CHILD,),
    (RUNNING_CHILD,),
    (CHILD, linked(TaskId("sibling"))),
    *((CHILD, ended(TaskId("child"), status)) for status in sorted(ENDED)),
)

COMMANDS: Final[tuple[Command, ...]] = (
    *(CreateFlow(goal="g", controller_id="c", status=status) for status in sorted(LIVE)),
    SetWaiting(flow_id=FLOW, expected_revision=0),
    SetWaiting(flow_id=FLOW, expected_revision=0, blocked_summary="why"),
    ResumeFlow(flow_id=FLOW, expected_revision=0),
    ResumeFlow(flow_id=FLOW, expected_revision=0, status=FlowStatus.RUNNING),
    FinishFlow(flow_id=FLOW, expected_revision=0),
    FailFlow(flow_id=FLOW, expected_revision=0),
    RequestCancel(flow_id=FLOW, expected_revision=0),
    CancelFlow(flow_id=FLOW),
    RunTask(flow_id=FLOW, runtime=Runtime.ACP, task="work"),
    RunTask(flow_id=FLOW, runtime=Runtime.ACP, task="work", status=TaskStatus.RUNNING),
    RunTask(flow_id=FLOW, runtime=Runtime.SUBAGENT, task="work", run_id="run-1", source_id="s"),
    *(
        UpdateTask(flow_id=FLOW, task_id=TaskId("child"), status=status)
        for status in TaskStatus
        if status not in {TaskStatus.QUEUED, TaskStatus.LOST}
    ),
    LoseTask(flow_id=FLOW, task_id=TaskId("child"), silent_before=THEN),
    LoseTask(flow_id=FLOW, task_id=TaskId("child"), silent_before=None),
)


@frozen
class LifecycleCase:
    """One command on one flow, and the decision."""

    before: Flow | None
    command: Command
    decided: Decided


def given_state(status: FlowStatus, children: Iterable[Event], *, intent: bool) -> Given:
    """Return a flow in a state, also in one that no command leads to."""
    requested = (FlowCancelRequested(at=THEN),) if intent else ()
    return given(CREATED, *children, *requested, *TOWARDS[status])


def lifecycle_cases() -> Iterable[LifecycleCase]:
    """Try every command on no flow and on a flow in every state, with its own revision."""
    flows = [
        given(),
        *(
            given_state(status, children, intent=intent)
            for status in FlowStatus
            for intent in (False, True)
            for children in CHILDREN
        ),
    ]
    for flow in flows:
        for command in COMMANDS:
            current = at_revision_of(flow.found, command)
            yield LifecycleCase(flow.found, current, flow.when(current))
