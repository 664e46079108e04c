"""Flows in every state of the lifecycle, and commands that try all of its transitions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from attrs import evolve as replace
from attrs import frozen

from adapters.testing.examples import CREATED, FLOW, THEN, ended, linked
from adapters.testing.scenario import Decided, Given, given
from adapters.testing.targeting import at_revision_of
from domain.flow import commands as c
from domain.flow import events as e
from domain.flow.ids import CallerId, TaskId
from domain.flow.lifecycle import GOING
from domain.flow.state import Flow
from domain.flow.status import ENDED, LIVE, WAITS, FlowStatus, OnTimeout, Runtime, TaskStatus

CALLER: Final = CallerId("zapier/default")
WAIT: Final = e.FlowBeganWaiting(at=THEN, until=THEN, on_timeout=OnTimeout.RESUME, link_hash="hash")
BLOCK: Final = e.FlowBecameBlocked(
    at=THEN, until=THEN, on_timeout=OnTimeout.RESUME, link_hash="hash", blocked_summary="why"
)

TOWARDS: Final[dict[FlowStatus, tuple[e.Event, ...]]] = {
    FlowStatus.QUEUED: (),
    FlowStatus.RUNNING: (e.FlowResumed(at=THEN, status=FlowStatus.RUNNING),),
    FlowStatus.WAITING: (WAIT,),
    FlowStatus.BLOCKED: (BLOCK,),
    FlowStatus.SUCCEEDED: (e.FlowSucceeded(at=THEN),),
    FlowStatus.FAILED: (e.FlowFailed(at=THEN),),
    FlowStatus.CANCELLED: (e.FlowCancelled(at=THEN),),
}
"""The events that lead a new flow to a status."""

KEPT: Final = e.FlowResumeKept(at=THEN, status=FlowStatus.QUEUED)
GUARDED: Final[tuple[tuple[e.Event, ...], ...]] = (
    (KEPT,),
    (replace(KEPT, status=FlowStatus.RUNNING),),
    (e.FlowBeganWaiting(at=THEN, requester=CALLER),),
    (e.FlowBecameBlocked(at=THEN, requester=CALLER),),
    (replace(WAIT, on_timeout=OnTimeout.FAIL),),
    (replace(BLOCK, on_timeout=OnTimeout.FAIL),),
    *((wait, replace(KEPT, status=status)) for wait in (WAIT, BLOCK) for status in sorted(GOING)),
)
"""What waits are guarded by: a kept resume, a caller that may not end them; and the other end."""

CHILD: Final = replace(linked(TaskId("child")), run_id="run-1")
RUNNING_CHILD: Final = replace(CHILD, status=TaskStatus.RUNNING)
CHILDREN: Final[tuple[tuple[e.Event, ...], ...]] = (
    (),
    (CHILD,),
    (RUNNING_CHILD,),
    (CHILD, linked(TaskId("sibling"))),
    *((CHILD, ended(TaskId("child"), status)) for status in sorted(ENDED)),
)

COMMANDS: Final[tuple[c.Command, ...]] = (
    *(c.CreateFlow(goal="g", controller_id="c", status=status) for status in sorted(LIVE)),
    c.SetWaiting(flow_id=FLOW, expected_revision=0),
    c.SetWaiting(flow_id=FLOW, expected_revision=0, blocked_summary="why"),
    c.ResumeFlow(flow_id=FLOW, expected_revision=0),
    c.ResumeFlow(flow_id=FLOW, expected_revision=0, status=FlowStatus.RUNNING),
    c.SetWaiting(flow_id=FLOW, expected_revision=0, until=THEN, link_hash="hash"),
    c.ResumeEarly(flow_id=FLOW, expected_revision=0),
    c.ResumeEarly(flow_id=FLOW, expected_revision=0, status=FlowStatus.RUNNING),
    c.FollowLink(flow_id=FLOW, link_hash="hash"),
    c.ExpireWait(flow_id=FLOW, until=THEN),
    c.FinishFlow(flow_id=FLOW, expected_revision=0),
    c.FailFlow(flow_id=FLOW, expected_revision=0),
    c.RequestCancel(flow_id=FLOW, expected_revision=0),
    c.CancelFlow(flow_id=FLOW),
    c.RunTask(flow_id=FLOW, runtime=Runtime.ACP, task="work"),
    c.RunTask(flow_id=FLOW, runtime=Runtime.ACP, task="work", status=TaskStatus.RUNNING),
    c.RunTask(flow_id=FLOW, runtime=Runtime.SUBAGENT, task="work", run_id="run-1", source_id="s"),
    *(
        c.UpdateTask(flow_id=FLOW, task_id=TaskId("child"), status=status)
        for status in TaskStatus
        if status not in {TaskStatus.QUEUED, TaskStatus.LOST}
    ),
    c.LoseTask(flow_id=FLOW, task_id=TaskId("child"), silent_before=THEN),
    c.LoseTask(flow_id=FLOW, task_id=TaskId("child"), silent_before=None),
)


@frozen
class LifecycleCase:
    """One command on one flow, and the decision."""

    before: Flow | None
    context: c.CommandContext
    decided: Decided

    @property
    def command(self) -> c.Command:
        """The command."""
        return self.context.command


def given_state(status: FlowStatus, children: Iterable[e.Event], *, intent: bool) -> Given:
    """Return a flow in a state, also in one that no command leads to."""
    requested = (e.FlowCancelRequested(at=THEN),) if intent else ()
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
        *(
            given(CREATED, *guarded, *(each for each in TOWARDS[status] if status not in WAITS))
            for status in FlowStatus
            for guarded in GUARDED
        ),
    ]
    for flow in flows:
        for command in COMMANDS:
            current = at_revision_of(flow.found, command)
            decided = flow.when(current, caller=CALLER)
            yield LifecycleCase(flow.found, decided.context, decided)
