"""The life of a child task: start, progress, end, and loss."""

from __future__ import annotations

import pytest
from attrs import evolve as replace

from adapters.testing.examples import CREATED, FLOW, NOW, THEN, ended, linked
from adapters.testing.scenario import Given, given
from domain.flow.commands import LoseTask, UpdateTask
from domain.flow.events import (
    FlowCancelled,
    FlowCancelRequested,
    FlowFailed,
    FlowSucceeded,
    TaskEnded,
    TaskProgressed,
    TaskStarted,
)
from domain.flow.ids import TaskId
from domain.flow.refusals import Refusal, RefusalCode
from domain.flow.status import ENDED, FlowStatus, TaskStatus, TerminalOutcome
from domain.flow.task_counts import NO_TASKS

QUEUED = given(CREATED, linked(TaskId("t")))
RUNNING = given(CREATED, replace(linked(TaskId("t"), TaskStatus.RUNNING), progress_summary="half"))
REPORT = UpdateTask(flow_id=FLOW, task_id=TaskId("t"), status=TaskStatus.RUNNING)
LOSE = LoseTask(flow_id=FLOW, task_id=TaskId("t"), silent_before=THEN)
DAY = 24 * 60 * 60 * 1000


def test_a_queued_task_starts() -> None:
    started = QUEUED.when(REPORT).then(TaskStarted(at=NOW, task_id=TaskId("t")))
    (task,) = QUEUED.flow.tasks
    assert started.flow == replace(
        QUEUED.flow,
        version=3,
        latest_at=NOW,
        counts=NO_TASKS.changed((), RUNNING.flow.tasks),
        tasks=(
            replace(
                task,
                status=TaskStatus.RUNNING,
                started_at=NOW,
                last_event_at=NOW,
                last_heartbeat_at=NOW,
            ),
        ),
    )


def test_a_running_task_makes_progress_and_keeps_when_it_started() -> None:
    decided = RUNNING.when(replace(REPORT, progress_summary="more"))
    decided.then(TaskProgressed(at=NOW, task_id=TaskId("t"), progress_summary="more"))
    (task,) = RUNNING.flow.tasks
    assert decided.flow.tasks == (
        replace(task, last_event_at=NOW, last_heartbeat_at=NOW, progress_summary="more"),
    )


def test_progress_is_kept_when_absent_and_cleared_by_null() -> None:
    assert RUNNING.when(REPORT).flow.tasks[0].progress_summary == "half"
    cleared = RUNNING.when(replace(REPORT, progress_summary=None))
    assert cleared.flow.tasks[0].progress_summary is None


@pytest.mark.parametrize("status", sorted(ENDED - {TaskStatus.LOST}))
@pytest.mark.parametrize("flow", [QUEUED, RUNNING])
def test_a_task_ends_with_all_that_is_told_of_its_end(status: TaskStatus, flow: Given) -> None:
    command = replace(
        REPORT,
        status=status,
        progress_summary="all",
        terminal_summary="it is done",
        terminal_outcome=TerminalOutcome.BLOCKED,
        error="none to speak of",
    )
    decided = flow.when(command)
    decided.then(
        TaskEnded(
            at=NOW,
            task_id=TaskId("t"),
            status=status,
            progress_summary="all",
            terminal_summary="it is done",
            terminal_outcome=TerminalOutcome.BLOCKED,
            error="none to speak of",
        ),
    )
    (task,) = flow.flow.tasks
    assert decided.flow.tasks == (
        replace(
            task,
            status=status,
            ended_at=NOW,
            last_event_at=NOW,
            last_heartbeat_at=NOW,
            progress_summary="all",
            terminal_summary="it is done",
            terminal_outcome=TerminalOutcome.BLOCKED,
            error="none to speak of",
        ),
    )


@pytest.mark.parametrize("status", sorted(ENDED))
@pytest.mark.parametrize("command", [REPORT, replace(REPORT, status=TaskStatus.FAILED), LOSE])
def test_an_ended_task_stays_as_it_is(status: TaskStatus, command: UpdateTask | LoseTask) -> None:
    flow = given(
        CREATED,
        linked(TaskId("t")),
        linked(TaskId("u")),
        ended(TaskId("t"), status),
        FlowCancelRequested(at=THEN),
    )
    assert flow.when(command).decision == Refusal(
        code=RefusalCode.TASK_TERMINAL, reason=f"Task is already {status}.", flow=flow.flow
    )


@pytest.mark.parametrize("command", [REPORT, LOSE])
def test_a_task_of_another_flow_is_not_found(command: UpdateTask | LoseTask) -> None:
    flow = given(CREATED, linked(TaskId("u")), FlowCancelRequested(at=THEN))
    assert flow.when(command).decision == Refusal(
        code=RefusalCode.TASK_NOT_FOUND, reason="Task not found.", flow=flow.flow
    )


@pytest.mark.parametrize("ending", [FlowSucceeded(at=THEN), FlowFailed(at=THEN)])
def test_a_child_that_outlives_its_flow_is_still_heard(
    ending: FlowSucceeded | FlowFailed,
) -> None:
    outlived = given(CREATED, linked(TaskId("t")), FlowCancelRequested(at=THEN), ending)
    running = outlived.when(REPORT).then(TaskStarted(at=NOW, task_id=TaskId("t")))
    report = replace(REPORT, status=TaskStatus.SUCCEEDED)
    done = running.when(report).then(
        TaskEnded(at=NOW, task_id=TaskId("t"), status=TaskStatus.SUCCEEDED)
    )
    assert (done.flow.status, done.flow.revision) == (
        outlived.flow.status,
        outlived.flow.revision,
    )


def test_a_silent_child_of_a_flow_with_an_intent_is_lost_and_takes_its_flow_with_it() -> None:
    pending = given(CREATED, linked(TaskId("t")), FlowCancelRequested(at=THEN))
    settled = pending.when(LOSE).then(
        TaskEnded(
            at=NOW, task_id=TaskId("t"), status=TaskStatus.LOST, error="backing session missing"
        ),
        FlowCancelled(at=NOW),
    )
    (task,) = pending.flow.tasks
    assert settled.flow.status is FlowStatus.CANCELLED
    assert settled.flow.tasks == (
        replace(
            task,
            status=TaskStatus.LOST,
            ended_at=NOW,
            last_event_at=NOW,
            last_heartbeat_at=NOW,
            cleanup_after=NOW + DAY,
            error="backing session missing",
        ),
    )


def test_a_lost_child_with_an_active_sibling_leaves_its_flow_pending() -> None:
    pending = given(CREATED, linked(TaskId("t")), linked(TaskId("u")), FlowCancelRequested(at=THEN))
    after = pending.when(LOSE).flow
    assert (after.status, after.revision) == (FlowStatus.QUEUED, 1)


def test_a_silent_child_of_an_ended_flow_with_an_intent_is_lost_without_its_flow() -> None:
    ended_flow = given(
        CREATED, linked(TaskId("t")), FlowCancelRequested(at=THEN), FlowSucceeded(at=THEN)
    )
    ended_flow.when(LOSE).then(
        TaskEnded(
            at=NOW, task_id=TaskId("t"), status=TaskStatus.LOST, error="backing session missing"
        ),
    )


def test_no_child_is_lost_while_nobody_wants_the_flow_cancelled() -> None:
    assert QUEUED.when(LOSE).refusal == (
        RefusalCode.TASK_NOT_SILENT,
        "Flow cancellation has not been requested.",
    )


def test_a_child_with_news_is_not_lost() -> None:
    pending = given(CREATED, linked(TaskId("t")), FlowCancelRequested(at=THEN))
    assert pending.when(replace(LOSE, silent_before=THEN - 1)).refusal == (
        RefusalCode.TASK_NOT_SILENT,
        "There was news of the task.",
    )
    heard = pending.when(REPORT).then(TaskStarted(at=NOW, task_id=TaskId("t")))
    assert heard.when(LOSE).refusal[0] is RefusalCode.TASK_NOT_SILENT


def test_a_child_is_not_lost_where_more_happened_to_the_tasks_than_was_seen() -> None:
    """Under a clock that is held, news bears the same moment as the news before it."""
    pending = given(CREATED, linked(TaskId("t")), linked(TaskId("u")), FlowCancelRequested(at=THEN))
    seen = replace(LOSE, silent_before=THEN, task_events=2)
    assert pending.when(seen).flow.tasks[0].status is TaskStatus.LOST
    heard = given(
        CREATED,
        linked(TaskId("t")),
        linked(TaskId("u")),
        FlowCancelRequested(at=THEN),
        TaskStarted(at=THEN, task_id=TaskId("t")),
    )
    assert heard.when(seen).refusal == (
        RefusalCode.TASK_NOT_SILENT,
        "There was news of the task.",
    )
    assert heard.when(replace(seen, task_events=3)).flow.tasks[0].status is TaskStatus.LOST


def test_an_operator_gives_a_child_up_however_recent_its_news() -> None:
    pending = given(CREATED, linked(TaskId("t")), FlowCancelRequested(at=THEN))
    heard = pending.when(REPORT).then(TaskStarted(at=NOW, task_id=TaskId("t")))
    heard.when(replace(LOSE, silent_before=None)).then(
        TaskEnded(
            at=NOW, task_id=TaskId("t"), status=TaskStatus.LOST, error="given up by an operator"
        ),
        FlowCancelled(at=NOW),
    )
