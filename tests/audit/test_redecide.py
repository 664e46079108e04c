"""What commands brought about can be decided again; what none could bring about cannot."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from attrs import evolve as replace
from hypothesis import example, given

from adapters.testing.examples import CREATED, FLOW, NOW, ended, linked
from adapters.testing.strategies.histories import (
    DecidedStep,
    afterlives,
    decided_histories,
    play,
    unreadable_histories,
)
from domain.flow.commands import CreateFlow, ResumeEarly, SetWaiting
from domain.flow.events import (
    Event,
    FlowBecameBlocked,
    FlowBeganWaiting,
    FlowCancelled,
    FlowCancelRequested,
    FlowResumed,
    FlowSucceeded,
    TaskDescribed,
    TaskProgressed,
    TaskStarted,
)
from domain.flow.evolve import fold
from domain.flow.ids import TaskId
from domain.flow.status import FlowStatus, NotifyPolicy, TaskStatus
from domain.replay.redecide import is_legal_transition
from tests.core.examples import EXAMPLES


@EXAMPLES
@example(
    play(
        CreateFlow(goal="g", controller_id="c"),
        [
            (ResumeEarly(flow_id=FLOW, expected_revision=0), 0),
            (SetWaiting(flow_id=FLOW, expected_revision=0, separate_approver=True), 0),
        ],
    )
)
@given(decided_histories)
def test_whatever_commands_bring_about_can_be_decided_again(life: Sequence[DecidedStep]) -> None:
    for step in life:
        assert not step.events or is_legal_transition(step.before, step.events), step


@EXAMPLES
@given(afterlives)
def test_no_command_moves_a_flow_after_its_end(history: Sequence[Event]) -> None:
    assert not is_legal_transition(fold(None, history[:-1]), history[-1:])


@EXAMPLES
@given(unreadable_histories)
def test_a_history_without_one_creation_at_its_beginning_is_never_decidable(
    history: Sequence[Event],
) -> None:
    flow, judged = None, []
    for event in history:
        judged.append(is_legal_transition(flow, [event]))
        if not judged[-1]:
            return
        flow = fold(flow, [event])
    pytest.fail("all of it was decided again")


LINKED = linked(TaskId("task-1"))
RUNNING = linked(TaskId("task-1"), TaskStatus.RUNNING)
WANTED = FlowCancelRequested(at=NOW)
CANCELLED = FlowCancelled(at=NOW)
ENDED = replace(ended(TaskId("task-1")), at=NOW)
DESCRIBED = TaskDescribed(at=NOW, task_id=TaskId("task-1"), label="new")


@pytest.mark.parametrize(
    ("before", "events"),
    [
        ([], [replace(CREATED, status=FlowStatus.SUCCEEDED)]),
        ([CREATED], [CREATED]),
        ([CREATED], [FlowResumed(at=NOW, status=FlowStatus.WAITING)]),
        ([CREATED], [FlowBecameBlocked(at=NOW)]),
        ([CREATED], [FlowBecameBlocked(at=NOW, blocked_summary=" ")]),
        ([CREATED], [FlowBeganWaiting(at=NOW, blocked_summary="no address")]),
        ([CREATED], [CANCELLED]),
        ([CREATED], [FlowSucceeded(at=NOW), FlowSucceeded(at=NOW)]),
        ([CREATED], [WANTED, replace(CANCELLED, at=NOW + 1)]),
        ([CREATED, LINKED], [WANTED, CANCELLED]),
        ([CREATED, LINKED], [LINKED]),
        ([CREATED, WANTED], [LINKED]),
        ([CREATED], [ENDED]),
        ([CREATED, LINKED, ENDED], [ENDED]),
        ([CREATED, LINKED, ENDED], [TaskProgressed(at=NOW, task_id=TaskId("task-1"))]),
        ([CREATED, LINKED], [TaskProgressed(at=NOW, task_id=TaskId("task-1"))]),
        ([CREATED, RUNNING], [TaskStarted(at=NOW, task_id=TaskId("task-1"))]),
        ([CREATED, LINKED, WANTED], [ENDED]),
        ([CREATED, LINKED], [ENDED, CANCELLED]),
        ([CREATED, LINKED], [replace(ENDED, status=TaskStatus.RUNNING)]),
        ([CREATED], [replace(LINKED, created_at=LINKED.at + 1)]),
        ([CREATED], [DESCRIBED]),
        ([CREATED, LINKED], [DESCRIBED]),
        ([CREATED, replace(LINKED, run_id="r")], [TaskDescribed(at=NOW, task_id=TaskId("task-1"))]),
        (
            [CREATED, replace(LINKED, run_id="r", source_id="s")],
            [replace(DESCRIBED, source_id="t")],
        ),
        (
            [CREATED, replace(LINKED, run_id="r")],
            [replace(DESCRIBED, notify_policy=NotifyPolicy.SILENT)],
        ),
    ],
)
def test_what_no_command_brings_about_is_not_decidable(
    before: Sequence[Event], events: Sequence[Event]
) -> None:
    assert not is_legal_transition(fold(None, before), events)


def test_a_clock_that_stepped_back_is_not_judged_here() -> None:
    flow = fold(None, [CREATED])
    assert is_legal_transition(flow, [FlowSucceeded(at=CREATED.at - 1)])
