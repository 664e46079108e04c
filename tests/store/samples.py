"""The values whose stored bytes are kept as golden: of each event one with every field, and others.

Each sample has a title, unique for its name, that never changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from attrs import evolve as replace

from adapters.store.snapshot import FlowSnapshot, Stored
from domain.application.recorded_events import Actor, ActorKind, Metadata, RecordedEvent
from domain.flow import events as e
from domain.flow.ids import CallerId, FlowId, KeyId, Owner, RequestId, TaskId
from domain.flow.state import Flow, KeptResume
from domain.flow.status import (
    FlowStatus,
    NotifyPolicy,
    OnTimeout,
    Runtime,
    TaskStatus,
    TerminalOutcome,
)
from domain.flow.task import Task
from domain.flow.task_counts import NO_TASKS
from domain.flow.values import Json

AT: Final = 1_767_225_600_000
STATE: Final = Json('{"b":[1,2.5,null,true],"a":{"id":12345678901234567890123}}')
WAIT: Final = Json("null")

LINK: Final = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
CALLER: Final = CallerId("zapier/2026-01")

SPARSE_METADATA: Final = Metadata(
    recorded_at=AT,
    actor=Actor(kind=ActorKind.SYSTEM, name="sweep"),
    request_id=RequestId("sweep-1"),
    correlation_id="sweep-1",
    causation_id="sweep-1",
)
FULL_METADATA: Final = Metadata(
    recorded_at=AT + 1,
    actor=Actor(kind=ActorKind.ROUTE, name="zapier", key_id=KeyId("default")),
    request_id=RequestId("6f1f0f5e-6d0f-4b06-9f53-9d2a4d1f8a11"),
    correlation_id="6f1f0f5e-6d0f-4b06-9f53-9d2a4d1f8a11",
    causation_id="flow-1/1",
    remote_address="203.0.113.7",
    idempotency_key="order-7",
    request_hash="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
)

LINK_METADATA: Final = replace(
    SPARSE_METADATA, actor=Actor(kind=ActorKind.LINK, name="zapier", key_id=KeyId("2026-01"))
)

_WAITING: Final = e.FlowBeganWaiting(
    at=AT,
    current_step="ask Zoë\n😀",
    state_json=STATE,
    wait_json=WAIT,
    blocked_task_id="task-1",
    blocked_summary=" ",
)
_UNTIL: Final = e.FlowBeganWaiting(at=AT, until=AT + 86_400_000, on_timeout=OnTimeout.RESUME)
_NOTHING_WAITED_FOR: Final = e.FlowBeganWaiting(
    at=AT, current_step=None, blocked_task_id=None, blocked_summary=None
)
_BLOCKED: Final = e.FlowBecameBlocked(
    at=AT,
    current_step="deploy",
    state_json=STATE,
    wait_json=Json('"tomorrow"'),
    blocked_task_id="task-1",
    blocked_summary="no rights",
)
_LINKED: Final = e.TaskLinked(
    at=AT,
    task_id=TaskId("task-1"),
    runtime=Runtime.SUBAGENT,
    task="write the report",
    status=TaskStatus.QUEUED,
    agent_id="main",
    notify_policy=NotifyPolicy.DONE_ONLY,
    created_at=AT,
    last_event_at=AT,
)
_RUN_LINKED: Final = replace(
    _LINKED,
    runtime=Runtime.ACP,
    status=TaskStatus.RUNNING,
    notify_policy=NotifyPolicy.SILENT,
    created_at=AT - 5,
    started_at=AT - 5,
    last_event_at=AT - 1,
    source_id="source-1",
    child_session_key="agent:main:child",
    parent_task_id="task-0",
    run_id="run-1",
    label="report",
    progress_summary="half",
)
_CREATED: Final = e.FlowCreated(
    at=AT,
    flow_id=FlowId("flow-1"),
    owner=Owner("agent:main:main"),
    controller_id="webhooks/zapier",
    goal="ship it",
    status=FlowStatus.QUEUED,
    notify_policy=NotifyPolicy.DONE_ONLY,
)
_FLOW: Final = Flow(
    flow_id=FlowId("flow-1"),
    owner=Owner("agent:main:main"),
    controller_id="webhooks/zapier",
    goal="ship it",
    status=FlowStatus.QUEUED,
    notify_policy=NotifyPolicy.DONE_ONLY,
    created_at=AT,
    updated_at=AT,
    latest_at=AT,
)
_TASK: Final = Task(
    task_id=TaskId("task-1"),
    runtime=Runtime.ACP,
    task="write the report",
    status=TaskStatus.LOST,
    agent_id="main",
    notify_policy=NotifyPolicy.STATE_CHANGES,
    created_at=AT - 5,
    last_event_at=AT + 2,
    last_heartbeat_at=AT + 2,
    started_at=AT - 5,
    ended_at=AT + 2,
    cleanup_after=AT + 86_400_002,
    source_id="source-1",
    child_session_key="agent:main:child",
    parent_task_id="task-0",
    run_id="run-1",
    label="report",
    progress_summary="half",
    terminal_summary="done so far",
    terminal_outcome=TerminalOutcome.BLOCKED,
    error="backing session missing",
)
_FULL_FLOW: Final = replace(
    _FLOW,
    status=FlowStatus.FAILED,
    updated_at=AT + 3,
    latest_at=AT + 4,
    version=6,
    revision=3,
    current_step="deploy",
    state_json=STATE,
    wait_json=WAIT,
    blocked_task_id="task-1",
    blocked_summary="no rights",
    cancel_requested_at=AT + 1,
    ended_at=AT + 3,
    tasks=(
        _TASK,
        replace(_TASK, task_id=TaskId("task-2"), cleanup_after=None, terminal_outcome=None),
    ),
)
_WAITING_FLOW: Final = replace(
    _FLOW,
    status=FlowStatus.WAITING,
    version=3,
    revision=2,
    wait_json=WAIT,
    until=AT + 1,
    on_timeout=OnTimeout.FAIL,
    link_hash=LINK,
    requesters=(CALLER, CallerId("zapier/default")),
)
_RESUMED_FLOW: Final = replace(
    _FLOW,
    version=4,
    revision=2,
    wait_json=WAIT,
    used_link=LINK,
    kept_resume=KeptResume(
        status=FlowStatus.RUNNING, current_step="next", state_json=STATE, caller=CALLER
    ),
)

_EVENTS: Final[tuple[tuple[str, e.Event], ...]] = (
    ("sparse", _CREATED),
    (
        "full",
        replace(
            _CREATED,
            status=FlowStatus.BLOCKED,
            notify_policy=NotifyPolicy.STATE_CHANGES,
            current_step="first",
            state_json=STATE,
            wait_json=WAIT,
        ),
    ),
    ("sparse", e.FlowBeganWaiting(at=AT)),
    ("cleared", _NOTHING_WAITED_FOR),
    ("full", _WAITING),
    ("sparse", e.FlowBecameBlocked(at=AT, blocked_summary="no rights")),
    ("full", _BLOCKED),
    ("sparse", e.FlowResumed(at=AT, status=FlowStatus.QUEUED)),
    ("cleared", e.FlowResumed(at=AT, status=FlowStatus.QUEUED, current_step=None)),
    (
        "full",
        e.FlowResumed(at=AT, status=FlowStatus.RUNNING, current_step="next", state_json=STATE),
    ),
    ("for another key", replace(_CREATED, status=FlowStatus.WAITING, requester=CALLER)),
    ("with a correlation key", replace(_CREATED, correlation_key="pull request 17")),
    ("timed", replace(_UNTIL, link_hash=LINK)),
    ("for another key", replace(_UNTIL, on_timeout=OnTimeout.FAIL, requester=CALLER)),
    ("without an end", e.FlowBeganWaiting(at=AT, until=None, link_hash=None)),
    (
        "timed",
        e.FlowBecameBlocked(
            at=AT, until=AT + 1, on_timeout=OnTimeout.FAIL, link_hash=LINK, requester=CALLER
        ),
    ),
    ("sparse", e.FlowResumeKept(at=AT, status=FlowStatus.QUEUED)),
    (
        "full",
        e.FlowResumeKept(
            at=AT, status=FlowStatus.RUNNING, current_step="next", state_json=STATE, caller=CALLER
        ),
    ),
    ("by link", e.FlowResumedByLink(at=AT, link_hash=LINK)),
    ("sparse", e.FlowWaitExpired(at=AT, on_timeout=OnTimeout.FAIL)),
    ("full", e.FlowWaitExpired(at=AT, on_timeout=OnTimeout.RESUME)),
    ("sparse", e.FlowSucceeded(at=AT)),
    ("full", e.FlowSucceeded(at=AT, state_json=STATE)),
    ("sparse", e.FlowFailed(at=AT)),
    ("cleared", e.FlowFailed(at=AT, blocked_task_id=None, blocked_summary=None)),
    (
        "full",
        e.FlowFailed(
            at=AT, state_json=STATE, blocked_task_id="task-1", blocked_summary="no rights"
        ),
    ),
    ("full", e.FlowCancelRequested(at=AT)),
    ("full", e.FlowCancelled(at=AT)),
    ("sparse", _LINKED),
    ("full", _RUN_LINKED),
    ("by rules 2", replace(_LINKED, agent_id=None)),
    ("by rules 2", e.TaskDescribed(at=AT, task_id=TaskId("task-1"), agent_id="Ops")),
    ("sparse", e.TaskDescribed(at=AT, task_id=TaskId("task-1"), label="report")),
    (
        "full",
        e.TaskDescribed(
            at=AT,
            task_id=TaskId("task-1"),
            source_id="source-1",
            parent_task_id="task-0",
            label="report",
            task="write the report again",
            notify_policy=NotifyPolicy.STATE_CHANGES,
        ),
    ),
    ("sparse", e.TaskStarted(at=AT, task_id=TaskId("task-1"))),
    ("full", e.TaskStarted(at=AT, task_id=TaskId("task-1"), progress_summary="begun")),
    ("sparse", e.TaskProgressed(at=AT, task_id=TaskId("task-1"))),
    ("cleared", e.TaskProgressed(at=AT, task_id=TaskId("task-1"), progress_summary=None)),
    ("full", e.TaskProgressed(at=AT, task_id=TaskId("task-1"), progress_summary="half")),
    ("sparse", e.TaskEnded(at=AT, task_id=TaskId("task-1"), status=TaskStatus.TIMED_OUT)),
    (
        "full",
        e.TaskEnded(
            at=AT,
            task_id=TaskId("task-1"),
            status=TaskStatus.SUCCEEDED,
            progress_summary="whole",
            terminal_summary="reported",
            terminal_outcome=TerminalOutcome.SUCCEEDED,
            error="none to speak of",
        ),
    ),
)


def samples() -> Iterator[tuple[str, Stored]]:
    """Give each sample with its title."""
    for title, event in _EVENTS:
        metadata = FULL_METADATA if title == "full" else SPARSE_METADATA
        if title == "by link":
            metadata = LINK_METADATA
        if title == "by rules 2":
            metadata = replace(metadata, rules=2)
        yield (
            title,
            RecordedEvent(flow_id=FlowId("flow-1"), version=2, event=event, metadata=metadata),
        )
    yield "sparse", FlowSnapshot(FlowId("flow-1"), 1, _FLOW)
    yield "full", FlowSnapshot(FlowId("flow-1"), 6, _FULL_FLOW)
    head = replace(_FULL_FLOW, tasks=(), counts=NO_TASKS.changed((), _FULL_FLOW.tasks))
    yield "with its tasks in rows", FlowSnapshot(FlowId("flow-1"), 6, head)
    yield "waiting", FlowSnapshot(FlowId("flow-1"), 3, _WAITING_FLOW)
    named = replace(_FLOW, correlation_key="pull request 17")
    yield "with a correlation key", FlowSnapshot(FlowId("flow-1"), 1, named)
    yield "resumed by link", FlowSnapshot(FlowId("flow-1"), 4, _RESUMED_FLOW)
