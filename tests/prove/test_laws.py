"""Each law is broken by a step that was made up for it, and by no step of the decider."""

from __future__ import annotations

from typing import Final

import pytest
from attrs import evolve as replace

from adapters.testing.examples import linked
from domain.flow.commands import (
    CancelFlow,
    Command,
    CommandContext,
    CreateFlow,
    ExpireWait,
    FinishFlow,
    FollowLink,
    ResumeFlow,
    SetWaiting,
)
from domain.flow.events import (
    FlowBeganWaiting,
    FlowCancelRequested,
    FlowResumed,
    FlowResumedByLink,
    FlowWaitExpired,
    TaskEnded,
)
from domain.flow.evolve import fold
from domain.flow.ids import CallerId, Owner, TaskId
from domain.flow.refusals import Refusal, RefusalCode
from domain.flow.state import Flow
from domain.flow.status import FlowStatus, NotifyPolicy, OnTimeout, Runtime, TaskStatus
from tests.prove.laws import LAWS, Step, broken
from tests.prove.small_world import FLOW, OWNERS

OWNER, STRANGER = OWNERS
LATER: Final = 20
NOT_FOUND: Final = Refusal(code=RefusalCode.NOT_FOUND, reason="Flow not found.")


def issued(command: Command, owner: Owner = OWNER) -> CommandContext:
    """Return a command as it is decided."""
    return CommandContext(command=command, owner=owner, at=LATER, new_id="task-2")


def flow(**given: object) -> Flow:
    """Return a flow."""
    plain = Flow(
        flow_id=FLOW,
        owner=OWNER,
        controller_id="c",
        goal="g",
        status=FlowStatus.QUEUED,
        notify_policy=NotifyPolicy.DONE_ONLY,
        created_at=10,
        updated_at=10,
        latest_at=10,
    )
    return replace(plain, **given)  # type: ignore[arg-type] # fields of a flow


LINKED: Final = replace(
    linked(TaskId("task-1")), at=LATER, runtime=Runtime.ACP, created_at=LATER, last_event_at=LATER
)
WAITS: Final = FlowBeganWaiting(at=LATER)
ENDS: Final = TaskEnded(at=LATER, task_id=TaskId("task-1"), status=TaskStatus.SUCCEEDED)
WAIT: Final = issued(SetWaiting(flow_id=FLOW, expected_revision=0))
CANCEL: Final = issued(CancelFlow(flow_id=FLOW))
CREATE: Final = issued(CreateFlow(goal="g", controller_id="c"))


def after(before: Flow, *events: object) -> Flow:
    """Return a flow after some events."""
    found = fold(before, events)  # type: ignore[arg-type] # events
    assert found is not None
    return found


PARENT: Final = after(flow(), LINKED)
ENDED: Final = after(flow(cancel_requested_at=10), LINKED, ENDS)
OVER: Final = flow(status=FlowStatus.SUCCEEDED, ended_at=10)
WANTED: Final = flow(cancel_requested_at=10)

CALLER: Final = CallerId("route/key")
RESUME: Final = issued(ResumeFlow(flow_id=FLOW, expected_revision=0))
FOLLOW: Final = issued(FollowLink(flow_id=FLOW, link_hash="link"))
EXPIRE: Final = issued(ExpireWait(flow_id=FLOW, until=LATER + 1))
RESUMED: Final = FlowResumed(at=LATER, status=FlowStatus.QUEUED)
BY_LINK: Final = FlowResumedByLink(at=LATER, link_hash="link")
EXPIRED: Final = FlowWaitExpired(at=LATER, on_timeout=OnTimeout.FAIL)
ASKED: Final = flow(status=FlowStatus.WAITING, requesters=(CALLER,))
TIMED: Final = flow(status=FlowStatus.WAITING, until=LATER + 1, on_timeout=OnTimeout.FAIL)

NAMED: Final = flow(correlation_key="key")
AGAIN: Final = issued(CreateFlow(goal="g", controller_id="c", correlation_key="key"))

BROKEN: Final = {
    "a correlation key is of one live flow": Step(
        NAMED,
        AGAIN,
        Refusal(code=RefusalCode.CREATE_REJECTED, reason="Flow already exists.", flow=NAMED),
        NAMED,
    ),
    "a stranger brings nothing about": Step(
        flow(),
        issued(SetWaiting(flow_id=FLOW, expected_revision=0), Owner(STRANGER)),
        (WAITS,),
        after(flow(), WAITS),
    ),
    "a refusal of not found tells nothing": Step(
        flow(owner=STRANGER), WAIT, replace(NOT_FOUND, flow=flow(owner=STRANGER)), None
    ),
    "another revision is a conflict": Step(
        flow(revision=3), WAIT, (WAITS,), after(flow(revision=3), WAITS)
    ),
    "what is refused shows the flow as it is": Step(
        OVER,
        CANCEL,
        Refusal(code=RefusalCode.TERMINAL, reason="", flow=replace(OVER, goal="x")),
        OVER,
    ),
    "terminal is final": Step(OVER, WAIT, (WAITS,), after(OVER, WAITS)),
    "an intent never clears": Step(
        WANTED, WAIT, (WAITS,), replace(after(WANTED, WAITS), cancel_requested_at=None)
    ),
    "no task is linked after an intent": Step(WANTED, CANCEL, (LINKED,), after(WANTED, LINKED)),
    "the last child takes a flow with an intent with it": Step(
        after(WANTED, LINKED), CANCEL, (ENDS,), after(WANTED, LINKED, ENDS)
    ),
    "a cancelled flow was wanted so and has no active child": Step(
        flow(), CANCEL, (), flow(status=FlowStatus.CANCELLED, ended_at=LATER)
    ),
    "a child that ended stays as it ended": Step(
        ENDED, CANCEL, (), replace(ENDED, tasks=(replace(ENDED.tasks[0], error="no"),))
    ),
    "who let a flow wait for another key does not resume it": Step(
        ASKED, replace(RESUME, caller=CALLER), (RESUMED,), after(ASKED, RESUMED)
    ),
    "a wait ends once": Step(flow(), FOLLOW, (BY_LINK,), after(flow(), BY_LINK)),
    "what a wait has goes with it": Step(
        ASKED, RESUME, (RESUMED,), replace(after(ASKED, RESUMED), until=LATER)
    ),
    "no wait is due before its time": Step(TIMED, EXPIRE, (EXPIRED,), after(TIMED, EXPIRED)),
    "the revision counts what happened to the flow": Step(
        flow(), WAIT, (WAITS,), replace(after(flow(), WAITS), revision=2)
    ),
    "the version counts all that happened": Step(
        flow(), WAIT, (WAITS,), replace(after(flow(), WAITS), version=1)
    ),
    "the clock is held": Step(
        flow(), WAIT, (replace(WAITS, at=5),), after(flow(), replace(WAITS, at=5))
    ),
    "an ended flow has an end": Step(flow(), CANCEL, (), flow(ended_at=LATER)),
    "a flow keeps its owner and its id": Step(flow(), CANCEL, (), flow(goal="another")),
    "the model comes to the same": Step(
        flow(),
        CANCEL,
        (FlowCancelRequested(at=LATER),),
        after(flow(), FlowCancelRequested(at=LATER)),
    ),
    "no task is there twice": Step(
        PARENT, CANCEL, (), replace(PARENT, tasks=(*PARENT.tasks, *PARENT.tasks))
    ),
}


@pytest.mark.parametrize("law", BROKEN)
def test_a_step_that_breaks_a_law_is_found(law: str) -> None:
    assert law in set(broken(BROKEN[law]))


def test_every_law_was_broken() -> None:
    assert set(BROKEN) == {law.__name__.replace("_", " ") for law in LAWS}


@pytest.mark.parametrize(
    "step",
    [
        Step(flow(), WAIT, (WAITS,), after(flow(), WAITS)),
        Step(flow(owner=STRANGER), WAIT, NOT_FOUND, flow(owner=STRANGER)),
        Step(
            PARENT,
            CANCEL,
            (FlowCancelRequested(at=LATER),),
            after(PARENT, FlowCancelRequested(at=LATER)),
        ),
        Step(
            OVER,
            issued(FinishFlow(flow_id=FLOW, expected_revision=0)),
            Refusal(code=RefusalCode.TERMINAL, reason="Flow is already succeeded.", flow=OVER),
            OVER,
        ),
    ],
)
def test_a_step_as_it_should_be_breaks_none(step: Step) -> None:
    assert list(broken(step)) == []
