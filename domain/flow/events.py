"""What can happen to a flow: facts, in the past tense, each with its moment `at`.

A `Patch` field that is `KEEP` was left out of the command. The stored names of
these classes are permanent (`adapters/store/names.py`); a class may be renamed, a name may not.
"""

from __future__ import annotations

from typing import TypeAlias, get_args

from attrs import frozen

from domain.flow.ids import CallerId, FlowId, Owner, TaskId
from domain.flow.status import (
    FlowStatus,
    NotifyPolicy,
    OnTimeout,
    Runtime,
    TaskStatus,
    TerminalOutcome,
)
from domain.flow.values import KEEP, Json, Patch, Timestamp


@frozen(kw_only=True)
class FlowCreated:
    """A flow was opened; revision 0. `requester` is as of a wait."""

    at: Timestamp
    flow_id: FlowId
    owner: Owner
    controller_id: str
    goal: str
    status: FlowStatus
    notify_policy: NotifyPolicy
    current_step: str | None = None
    state_json: Json | None = None
    wait_json: Json | None = None
    correlation_key: str | None = None
    requester: CallerId | None = None


@frozen(kw_only=True)
class _Wait:
    """A wait: it ends `until` a moment as `on_timeout` says; a link with that hash resumes it.

    `requester` is who may not, where another key than that of who let it wait has to.
    """

    at: Timestamp
    current_step: Patch[str | None] = KEEP
    state_json: Patch[Json] = KEEP
    wait_json: Patch[Json] = KEEP
    blocked_task_id: Patch[str | None] = KEEP
    blocked_summary: Patch[str | None] = KEEP
    until: Patch[Timestamp | None] = KEEP
    on_timeout: OnTimeout | None = None
    link_hash: Patch[str | None] = KEEP
    requester: CallerId | None = None


@frozen(kw_only=True)
class FlowBeganWaiting(_Wait):
    """The flow waits; its wait data may say for what."""


@frozen(kw_only=True)
class FlowBecameBlocked(_Wait):
    """The flow cannot go on; the block fields say why."""


@frozen(kw_only=True)
class FlowResumed:
    """The flow goes on, `queued` or `running`; wait data and block fields are cleared."""

    at: Timestamp
    status: FlowStatus
    current_step: Patch[str | None] = KEEP
    state_json: Patch[Json] = KEEP


@frozen(kw_only=True)
class FlowResumeKept:
    """A flow that did not wait will go on when it waits next; its revision does not move."""

    at: Timestamp
    status: FlowStatus
    current_step: Patch[str | None] = KEEP
    state_json: Patch[Json] = KEEP
    caller: CallerId | None = None


@frozen(kw_only=True)
class FlowResumedByLink:
    """Somebody followed the link of the wait: the flow is `queued`, wait and block data cleared."""

    at: Timestamp
    link_hash: str


@frozen(kw_only=True)
class FlowWaitExpired:
    """The wait ended by time: the flow is `queued`, or failed; its wait data is cleared."""

    at: Timestamp
    on_timeout: OnTimeout


@frozen(kw_only=True)
class FlowSucceeded:
    """The flow ended well; wait data and block fields are cleared."""

    at: Timestamp
    state_json: Patch[Json] = KEEP


@frozen(kw_only=True)
class FlowFailed:
    """The flow ended badly; wait data is cleared, the block fields may say why."""

    at: Timestamp
    state_json: Patch[Json] = KEEP
    blocked_task_id: Patch[str | None] = KEEP
    blocked_summary: Patch[str | None] = KEEP


@frozen(kw_only=True)
class FlowCancelRequested:
    """Somebody wants the flow cancelled; this never un-happens."""

    at: Timestamp


@frozen(kw_only=True)
class FlowCancelled:
    """The flow ended because somebody wanted it; wait data and block fields are cleared."""

    at: Timestamp


@frozen(kw_only=True)
class TaskLinked:
    """A child task became part of the flow.

    `created_at`, `started_at` and `last_event_at` are as the caller reported them; `at` is ours.
    """

    at: Timestamp
    task_id: TaskId
    runtime: Runtime
    task: str
    status: TaskStatus
    agent_id: str | None
    notify_policy: NotifyPolicy
    created_at: Timestamp
    last_event_at: Timestamp
    started_at: Timestamp | None = None
    source_id: str | None = None
    child_session_key: str | None = None
    parent_task_id: str | None = None
    run_id: str | None = None
    label: str | None = None
    progress_summary: str | None = None


@frozen(kw_only=True)
class TaskDescribed:
    """A repeated `run_task` completed what was known of a child task."""

    at: Timestamp
    task_id: TaskId
    source_id: Patch[str] = KEEP
    parent_task_id: Patch[str] = KEEP
    label: Patch[str] = KEEP
    task: Patch[str] = KEEP
    notify_policy: Patch[NotifyPolicy] = KEEP
    agent_id: Patch[str] = KEEP


@frozen(kw_only=True)
class _News:
    at: Timestamp
    task_id: TaskId
    progress_summary: Patch[str | None] = KEEP


@frozen(kw_only=True)
class TaskStarted(_News):
    """A queued child task runs."""


@frozen(kw_only=True)
class TaskProgressed(_News):
    """A running child task gave news."""


@frozen(kw_only=True)
class TaskEnded:
    """A child task came to its end, which is final."""

    at: Timestamp
    task_id: TaskId
    status: TaskStatus
    progress_summary: Patch[str | None] = KEEP
    terminal_summary: str | None = None
    terminal_outcome: TerminalOutcome | None = None
    error: str | None = None


FlowEvent: TypeAlias = (
    FlowBeganWaiting
    | FlowBecameBlocked
    | FlowResumed
    | FlowResumedByLink
    | FlowWaitExpired
    | FlowSucceeded
    | FlowFailed
    | FlowCancelRequested
    | FlowCancelled
)
TaskEvent: TypeAlias = TaskLinked | TaskDescribed | TaskStarted | TaskProgressed | TaskEnded
Event: TypeAlias = FlowCreated | FlowEvent | FlowResumeKept | TaskEvent

EVENTS: tuple[type[Event], ...] = get_args(Event)
