"""Moments: a clock that steps back, and children that report moments of their own."""

from __future__ import annotations

from attrs import evolve as replace

from adapters.testing.examples import CREATED, FLOW, NOW, THEN, linked
from adapters.testing.scenario import given
from domain.flow.commands import CancelFlow, LoseTask, RequestCancel, RunTask, UpdateTask
from domain.flow.events import FlowCancelled, FlowCancelRequested, TaskEnded, TaskStarted
from domain.flow.ids import TaskId
from domain.flow.status import Runtime, TaskStatus

EARLIER = THEN - 5_000
FAR_FUTURE = 9_007_199_254_740_991
RUN = RunTask(flow_id=FLOW, runtime=Runtime.ACP, task="work", status=TaskStatus.RUNNING)
LOSE = LoseTask(flow_id=FLOW, task_id=TaskId("new-1"), silent_before=THEN)


def test_a_clock_that_steps_back_is_held_at_the_latest_event() -> None:
    held = given(CREATED).when(CancelFlow(flow_id=FLOW), at=EARLIER)
    held.then(FlowCancelRequested(at=THEN), FlowCancelled(at=THEN))


def test_the_clock_is_held_by_news_of_a_child_too() -> None:
    heard = given(CREATED, linked(TaskId("t")), TaskStarted(at=NOW, task_id=TaskId("t")))
    command = RequestCancel(flow_id=FLOW, expected_revision=0)
    flow = heard.when(command, at=THEN).then(FlowCancelRequested(at=NOW)).flow
    assert (flow.created_at, flow.updated_at, flow.cancel_requested_at) == (THEN, NOW, NOW)


def test_a_new_child_under_a_held_clock_is_as_old_as_the_latest_event() -> None:
    (task,) = given(CREATED).when(RUN, at=EARLIER).flow.tasks
    assert (task.created_at, task.last_event_at, task.last_heartbeat_at) == (THEN, THEN, THEN)


def test_a_child_may_have_started_before_we_heard_of_it() -> None:
    (task,) = given(CREATED).when(replace(RUN, started_at=1_000)).flow.tasks
    assert (task.created_at, task.started_at, task.last_event_at, task.last_heartbeat_at) == (
        1_000,
        1_000,
        1_000,
        NOW,
    )


def test_the_last_news_of_a_child_is_never_before_its_start() -> None:
    command = replace(RUN, started_at=5_000, last_event_at=3_000)
    (task,) = given(CREATED).when(command).flow.tasks
    assert (task.created_at, task.started_at, task.last_event_at) == (3_000, 5_000, 5_000)


def test_a_child_is_never_created_in_the_future() -> None:
    (task,) = given(CREATED).when(replace(RUN, started_at=FAR_FUTURE)).flow.tasks
    assert (task.created_at, task.started_at, task.last_event_at) == (NOW, FAR_FUTURE, FAR_FUTURE)


def test_news_from_the_future_does_not_keep_a_child_from_being_lost() -> None:
    claimed = given(CREATED).when(replace(RUN, last_event_at=FAR_FUTURE), at=THEN)
    pending = given(CREATED, *claimed.events, FlowCancelRequested(at=THEN))
    pending.when(LOSE).then(
        TaskEnded(
            at=NOW, task_id=TaskId("new-1"), status=TaskStatus.LOST, error="backing session missing"
        ),
        FlowCancelled(at=NOW),
    )


def test_old_news_lets_a_child_be_lost_however_late_we_heard_of_it() -> None:
    claimed = given(CREATED).when(replace(RUN, last_event_at=EARLIER), at=NOW)
    pending = given(CREATED, *claimed.events, FlowCancelRequested(at=NOW))
    assert pending.when(LOSE).flow.tasks[0].status is TaskStatus.LOST


def test_fresh_news_replaces_a_moment_in_the_future() -> None:
    claimed = given(CREATED).when(replace(RUN, last_event_at=FAR_FUTURE), at=THEN)
    report = UpdateTask(flow_id=FLOW, task_id=TaskId("new-1"), status=TaskStatus.RUNNING)
    (task,) = given(CREATED, *claimed.events).when(report).flow.tasks
    assert (task.last_event_at, task.last_heartbeat_at) == (NOW, NOW)
