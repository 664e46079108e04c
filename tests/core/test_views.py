"""What is shown of a flow, and what is not."""

from __future__ import annotations

from attrs import asdict, fields
from attrs import evolve as replace

from adapters.testing.examples import CREATED, FLOW, NOW, OWNER, THEN, ended, linked
from adapters.testing.scenario import given
from domain.application.views import (
    FlowView,
    TaskSummary,
    TaskView,
    flow_view,
    task_summary,
    task_view,
    task_views,
)
from domain.flow.events import Event, FlowCancelRequested, TaskEnded
from domain.flow.ids import TaskId
from domain.flow.state import Flow
from domain.flow.status import FlowStatus, NotifyPolicy, Runtime, TaskStatus
from domain.flow.task import Task
from domain.flow.task_counts import NO_TASKS
from domain.flow.values import KEEP


def test_a_flow_is_shown_with_its_fields_in_the_recorded_order() -> None:
    flow = given(CREATED, FlowCancelRequested(at=NOW)).flow
    assert list(asdict(flow_view(flow)).items()) == [
        ("flow_id", FLOW),
        ("controller_id", "webhooks/zapier"),
        ("correlation_key", None),
        ("current_step", None),
        ("blocked_task_id", None),
        ("blocked_summary", None),
        ("revision", 1),
        ("status", FlowStatus.QUEUED),
        ("notify_policy", NotifyPolicy.DONE_ONLY),
        ("goal", "ship it"),
        ("state_json", None),
        ("wait_json", None),
        ("until", None),
        ("on_timeout", None),
        ("cancel_requested_at", NOW),
        ("created_at", THEN),
        ("updated_at", NOW),
        ("ended_at", None),
    ]


def test_a_task_is_shown_with_its_fields_in_the_recorded_order() -> None:
    (task,) = given(CREATED, linked(TaskId("t")), ended(TaskId("t"), TaskStatus.LOST)).flow.tasks
    assert list(asdict(task_view(task, FLOW)).items()) == [
        ("task_id", "t"),
        ("runtime", Runtime.SUBAGENT),
        ("source_id", None),
        ("child_session_key", None),
        ("parent_flow_id", FLOW),
        ("parent_task_id", None),
        ("agent_id", "main"),
        ("run_id", None),
        ("label", None),
        ("error", None),
        ("progress_summary", None),
        ("terminal_summary", None),
        ("terminal_outcome", None),
        ("task", "work"),
        ("status", TaskStatus.LOST),
        ("notify_policy", NotifyPolicy.DONE_ONLY),
        ("created_at", THEN),
        ("started_at", None),
        ("ended_at", THEN),
        ("last_event_at", THEN),
        ("cleanup_after", THEN + 24 * 60 * 60 * 1000),
    ]


def test_all_of_a_flow_is_shown_but_its_owner_its_tasks_and_our_book_keeping() -> None:
    hidden = {"owner", "tasks", "counts", "version", "latest_at"}
    hidden |= {"link_hash", "used_link", "requesters", "kept_resume"}
    assert _names(Flow) - _names(FlowView) == hidden
    assert _names(Task) - _names(TaskView) == {"last_heartbeat_at"}
    assert OWNER not in repr(flow_view(given(CREATED).flow))


def _names(shape: type[Flow | FlowView | Task | TaskView]) -> set[str]:
    return {field.name for field in fields(shape)}


def test_tasks_are_shown_newest_first() -> None:
    flow = given(CREATED, linked(TaskId("a")), linked(TaskId("b")), linked(TaskId("c"))).flow
    assert [task.task_id for task in task_views(flow)] == ["c", "b", "a"]


def test_a_task_that_began_before_others_is_shown_after_them() -> None:
    before, last = (
        replace(linked(TaskId(name)), created_at=THEN - age) for name, age in (("b", 9), ("d", 2))
    )
    flow = given(CREATED, linked(TaskId("a")), before, linked(TaskId("c")), last).flow
    assert [task.task_id for task in task_views(flow)] == ["c", "a", "d", "b"]


def test_a_summary_counts_every_status_and_runtime() -> None:
    events: tuple[Event, ...] = (
        *(linked(TaskId(f"q{n}")) for n in range(2)),
        replace(linked(TaskId("r"), TaskStatus.RUNNING), runtime=Runtime.ACP),
        *(linked(TaskId(f"e{n}")) for n in range(5)),
        ended(TaskId("e0"), TaskStatus.SUCCEEDED),
        ended(TaskId("e1"), TaskStatus.FAILED),
        ended(TaskId("e2"), TaskStatus.TIMED_OUT),
        ended(TaskId("e3"), TaskStatus.CANCELLED),
        TaskEnded(at=NOW, task_id=TaskId("e4"), status=TaskStatus.LOST),
    )
    assert task_summary(given(CREATED, *events).flow.counts) == TaskSummary(
        total=8,
        active=3,
        terminal=5,
        failures=3,
        by_status={
            "queued": 2,
            "running": 1,
            "succeeded": 1,
            "failed": 1,
            "timed_out": 1,
            "cancelled": 1,
            "lost": 1,
        },
        by_runtime={"subagent": 7, "acp": 1, "cli": 0, "cron": 0},
    )


def test_a_summary_of_no_tasks_is_all_zeros_in_the_recorded_order() -> None:
    summary = task_summary(NO_TASKS)
    assert list(summary.by_status) == [
        "queued",
        "running",
        "succeeded",
        "failed",
        "timed_out",
        "cancelled",
        "lost",
    ]
    assert list(summary.by_runtime) == ["subagent", "acp", "cli", "cron"]
    assert {*summary.by_status.values(), *summary.by_runtime.values()} == {0}


def test_an_absent_field_says_so() -> None:
    assert repr(KEEP) == "KEEP"
