"""Reading a history: it judges nothing, and refuses only what cannot be one."""

from __future__ import annotations

import pytest
from attrs import evolve as replace

from adapters.testing.examples import CREATED, CREATED_FLOW, FLOW, NOW, THEN, linked
from adapters.testing.scenario import given
from domain.flow.events import FlowCancelled, FlowResumed, TaskStarted
from domain.flow.evolve import BrokenHistory, evolve, fold
from domain.flow.ids import TaskId
from domain.flow.status import FlowStatus


def test_no_events_leave_a_flow_as_it_is() -> None:
    assert fold(CREATED_FLOW, ()) == CREATED_FLOW
    assert fold(None, ()) is None


def test_a_history_that_does_not_begin_with_its_creation_is_broken() -> None:
    with pytest.raises(BrokenHistory, match="TaskStarted comes before the flow was created"):
        evolve(None, TaskStarted(at=THEN, task_id=TaskId("t")))


def test_a_history_with_two_creations_is_broken() -> None:
    with pytest.raises(BrokenHistory, match=f"flow {FLOW} is created twice"):
        evolve(CREATED_FLOW, CREATED)


def test_an_event_of_an_unknown_task_only_counts() -> None:
    known = given(CREATED, linked(TaskId("t"))).flow
    after = evolve(known, TaskStarted(at=NOW, task_id=TaskId("unknown")))
    assert after == replace(known, version=3, latest_at=NOW)


def test_a_history_that_no_command_could_have_made_is_still_read() -> None:
    reopened = given(
        CREATED, FlowCancelled(at=THEN), FlowResumed(at=NOW, status=FlowStatus.RUNNING)
    )
    assert (reopened.flow.status, reopened.flow.revision) == (FlowStatus.RUNNING, 2)
