"""Given, when, then: what holds passes, and what does not says what was there instead."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from adapters.testing.examples import CREATED, FLOW, NOW, STRANGER, THEN, linked
from adapters.testing.scenario import Given, given
from domain.flow.commands import CancelFlow, CreateFlow, FinishFlow, RequestCancel, SetWaiting
from domain.flow.events import (
    FlowBecameBlocked,
    FlowBeganWaiting,
    FlowCancelled,
    FlowCancelRequested,
)
from domain.flow.ids import TaskId
from domain.flow.refusals import RefusalCode
from domain.flow.status import FlowStatus
from tests.kit import faulty

WAIT = SetWaiting(flow_id=FLOW, expected_revision=0, current_step="approve")
CANCEL = CancelFlow(flow_id=FLOW)


def test_a_story_is_told_to_its_end() -> None:
    end = (
        given(CREATED)
        .when(WAIT)
        .then(FlowBeganWaiting(at=NOW, current_step="approve"))
        .when(WAIT)
        .refused(RefusalCode.REVISION_CONFLICT)
        .when(CANCEL, owner=STRANGER)
        .refused(RefusalCode.NOT_FOUND)
        .when(CANCEL)
        .then(FlowCancelRequested(at=NOW), FlowCancelled(at=NOW))
        .when(CANCEL)
        .refused(RefusalCode.TERMINAL)
    )
    assert end.flow.status is FlowStatus.CANCELLED


def test_what_changes_nothing_is_nothing() -> None:
    pending = given(CREATED, linked(TaskId("t")), FlowCancelRequested(at=THEN))
    assert pending.when(CANCEL).nothing() == pending


def test_a_rule_of_ones_own_is_kept_through_the_story() -> None:
    want = RequestCancel(flow_id=FLOW, expected_revision=1)
    wanted = given(CREATED, FlowCancelRequested(at=THEN), rules=faulty.wants_once_rule)
    wanted.when(want).nothing().when(want).nothing()


def _begin() -> Given:
    return given(CREATED)


@pytest.mark.parametrize(
    ("check", "told"),
    [
        (
            lambda: _begin().when(WAIT).then(FlowBecameBlocked(at=NOW, current_step="approve")),
            (
                "SetWaiting(flow_id='flow-1', expected_revision=0, current_step='approve')\n"
                "on a queued flow at revision 0 led to other events (+):\n"
                "- FlowBecameBlocked(at=1700000001000, current_step='approve')\n"
                "+ FlowBeganWaiting(at=1700000001000, current_step='approve')"
            ),
        ),
        (
            lambda: _begin().when(CANCEL).then(FlowCancelled(at=NOW)),
            (
                "CancelFlow(flow_id='flow-1')\n"
                "on a queued flow at revision 0 led to other events (+):\n"
                "+ FlowCancelRequested(at=1700000001000)"
            ),
        ),
        (
            lambda: _begin().when(CANCEL).nothing(),
            (
                "CancelFlow(flow_id='flow-1')\n"
                "on a queued flow at revision 0 led to other events (+):\n"
                "+ FlowCancelRequested(at=1700000001000)\n"
                "+ FlowCancelled(at=1700000001000)"
            ),
        ),
        (
            lambda: _begin().when(CANCEL).refused(RefusalCode.TERMINAL),
            (
                "CancelFlow(flow_id='flow-1')\n"
                "on a queued flow at revision 0 was accepted, with the events "
                "FlowCancelRequested(at=1700000001000), FlowCancelled(at=1700000001000)"
            ),
        ),
        (
            lambda: _begin().when(CANCEL, owner=STRANGER).refused(RefusalCode.TERMINAL),
            (
                "CancelFlow(flow_id='flow-1')\n"
                "on a queued flow at revision 0 was refused with not_found, not with terminal:"
                " Flow not found."
            ),
        ),
        (
            lambda: given().when(FinishFlow(flow_id=FLOW, expected_revision=0)).then(),
            (
                "FinishFlow(flow_id='flow-1', expected_revision=0)\n"
                "on no flow was refused: not_found (Flow not found.)"
            ),
        ),
        (lambda: given().flow, "there is no flow yet"),
    ],
)
def test_a_story_that_goes_otherwise_says_how(check: Callable[[], object], told: str) -> None:
    with pytest.raises(AssertionError) as failure:
        check()
    assert str(failure.value) == told


def test_long_values_are_cut_in_what_is_told() -> None:
    command = CreateFlow(goal="x" * 5_000, controller_id="c")
    with pytest.raises(AssertionError) as failure:
        given().when(command).refused(RefusalCode.TERMINAL)
    told = str(failure.value)
    assert "... (5002 characters)" in told
    assert len(told) < 1_000
