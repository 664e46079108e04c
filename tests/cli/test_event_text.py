from __future__ import annotations

import pytest
from attrs import evolve as replace

from adapters.presentation.event_text import event_name, event_summary
from adapters.testing import examples
from domain.flow import events as e
from domain.flow.ids import CallerId, TaskId
from domain.flow.status import (
    FlowStatus,
    NotifyPolicy,
    OnTimeout,
    Runtime,
    TaskStatus,
    TerminalOutcome,
)
from domain.flow.values import JSON_NULL, Json

CREATED = replace(examples.CREATED, controller_id="c")
LINKED = replace(examples.linked(TaskId("t")), runtime=Runtime.ACP, task="fetch")
TELLINGS: list[tuple[e.Event, str, str]] = [
    (CREATED, "flow_created", 'created: status queued, goal "ship it", controller "c"'),
    (
        e.FlowBeganWaiting(at=1, wait_json=Json('{"a":1}')),
        "flow_began_waiting",
        'began waiting: wait {"a":1}',
    ),
    (
        e.FlowBecameBlocked(at=1, current_step=None, blocked_task_id="t", blocked_summary="why"),
        "flow_became_blocked",
        'became blocked: step cleared, blocked by "t", because "why"',
    ),
    (
        e.FlowResumed(at=1, status=FlowStatus.RUNNING, state_json=JSON_NULL),
        "flow_resumed",
        "resumed: status running, state null",
    ),
    (
        e.FlowBeganWaiting(
            at=1, until=1_767_225_600_000, on_timeout=OnTimeout.FAIL, link_hash="ab"
        ),
        "flow_began_waiting",
        'began waiting: until 2026-01-01T00:00:00.000Z, on timeout fail, link with SHA-256 "ab"',
    ),
    (
        e.FlowBeganWaiting(at=1, until=None, requester=CallerId("zapier/default")),
        "flow_began_waiting",
        'began waiting: until cleared, not to be resumed by "zapier/default"',
    ),
    (
        e.FlowResumeKept(at=1, status=FlowStatus.QUEUED),
        "flow_resume_kept",
        "resume kept for its next wait: status queued",
    ),
    (
        e.FlowResumedByLink(at=1, link_hash="ab"),
        "flow_resumed_by_link",
        'resumed by a link: link with SHA-256 "ab"',
    ),
    (
        e.FlowWaitExpired(at=1, on_timeout=OnTimeout.RESUME),
        "flow_wait_expired",
        "wait expired: on timeout resume",
    ),
    (e.FlowSucceeded(at=1), "flow_succeeded", "succeeded"),
    (e.FlowFailed(at=1, blocked_summary="why"), "flow_failed", 'failed: because "why"'),
    (e.FlowCancelRequested(at=1), "flow_cancel_requested", "cancel requested"),
    (e.FlowCancelled(at=1), "flow_cancelled", "cancelled"),
    (LINKED, "task_linked", 'task t linked: status queued, runtime acp, task "fetch"'),
    (
        e.TaskDescribed(at=1, task_id=TaskId("t"), label="l", notify_policy=NotifyPolicy.SILENT),
        "task_described",
        'task t described: label "l", notify policy silent',
    ),
    (e.TaskStarted(at=1, task_id=TaskId("t")), "task_started", "task t started"),
    (
        e.TaskProgressed(at=1, task_id=TaskId("t"), progress_summary=None),
        "task_progressed",
        "task t progressed: progress cleared",
    ),
    (
        e.TaskEnded(
            at=1,
            task_id=TaskId("t"),
            status=TaskStatus.SUCCEEDED,
            terminal_outcome=TerminalOutcome.BLOCKED,
            terminal_summary="half",
        ),
        "task_ended",
        'task t ended: status succeeded, outcome blocked, summary "half"',
    ),
]


@pytest.mark.parametrize(("event", "name", "telling"), TELLINGS, ids=[t[1] for t in TELLINGS])
def test_an_event_has_a_word_and_a_telling(event: e.Event, name: str, telling: str) -> None:
    assert (event_name(event), event_summary(event)) == (name, telling)


def test_every_event_is_told() -> None:
    assert {type(event) for event, _, _ in TELLINGS} == set(e.EVENTS)


def test_a_telling_is_short_and_printable() -> None:
    blocked = e.FlowBecameBlocked(at=1, blocked_summary="\x1b]0;" + "x" * 10_000)
    assert event_summary(blocked) == f'became blocked: because "\\x1b]0;{"x" * 52}…"'
