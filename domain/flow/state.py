"""The state of a flow: what its events add up to."""

from __future__ import annotations

from attrs import frozen

from domain.flow.ids import CallerId, FlowId, Owner
from domain.flow.status import TERMINAL, WAITS, FlowStatus, NotifyPolicy, OnTimeout
from domain.flow.task import Task, is_active, stale_since
from domain.flow.task_counts import NO_TASKS, TaskCounts
from domain.flow.values import KEEP, Json, Patch, Timestamp


@frozen(kw_only=True)
class KeptResume:
    """A resume that came before its wait, and whose it was."""

    status: FlowStatus
    current_step: Patch[str | None] = KEEP
    state_json: Patch[Json] = KEEP
    caller: CallerId | None = None


@frozen(kw_only=True, slots=False)  # for `domain.flow.replace`
class Flow:
    """A TaskFlow: the aggregate.

    `version` counts all its events from 1, `revision` only those that callers compare, from 0.
    It may have only those of its `tasks` with it that a command concerns; `counts` are of all.
    `latest_at` is the moment of its latest event, `updated_at` of the latest that moved the
    revision. `state_json` and `wait_json` are None until they are first set.

    Of its wait: the moment at which it ends by itself, and how; the hash of its link, and until the
    next wait that of the link that was used; and `requesters`, who let it wait and may not resume
    it.
    """

    flow_id: FlowId
    owner: Owner
    controller_id: str
    goal: str
    status: FlowStatus
    notify_policy: NotifyPolicy
    created_at: Timestamp
    updated_at: Timestamp
    latest_at: Timestamp
    version: int = 1
    revision: int = 0
    current_step: str | None = None
    state_json: Json | None = None
    wait_json: Json | None = None
    blocked_task_id: str | None = None
    blocked_summary: str | None = None
    cancel_requested_at: Timestamp | None = None
    ended_at: Timestamp | None = None
    correlation_key: str | None = None
    until: Timestamp | None = None
    on_timeout: OnTimeout | None = None
    link_hash: str | None = None
    used_link: str | None = None
    requesters: tuple[CallerId, ...] = ()
    kept_resume: KeptResume | None = None
    counts: TaskCounts = NO_TASKS
    tasks: tuple[Task, ...] = ()

    @property
    def task_count(self) -> int:
        """How many tasks the flow has, be they with it or not."""
        return self.counts.total

    @property
    def active_count(self) -> int:
        """How many of them have not ended."""
        return self.counts.active


def is_terminal(flow: Flow) -> bool:
    """Say whether a flow has ended, which is final."""
    return flow.status in TERMINAL


def is_named(flow: Flow, correlation_key: str | None) -> bool:
    """Say whether a correlation key names a flow; one that has ended frees its key."""
    is_same = correlation_key is not None and correlation_key == flow.correlation_key
    return is_same and not is_terminal(flow)


def is_waiting(flow: Flow) -> bool:
    """Say whether a flow waits, be it blocked or not."""
    return flow.status in WAITS


def cancel_requested(flow: Flow) -> bool:
    """Say whether a flow has a cancel intent."""
    return flow.cancel_requested_at is not None


def cancel_pending(flow: Flow) -> bool:
    """Say whether a flow with a cancel intent waits for the end of its children."""
    return cancel_requested(flow) and not is_terminal(flow)


def is_whole(flow: Flow) -> bool:
    """Say whether a flow has all its tasks with it."""
    return len(flow.tasks) == flow.task_count


def active_tasks(flow: Flow) -> tuple[Task, ...]:
    """Return those tasks of a flow that have not ended."""
    return tuple(task for task in flow.tasks if is_active(task))


def task_events(flow: Flow) -> int:
    """Return how many of a flow's events did not move its revision: nearly all are of tasks."""
    return flow.version - 1 - flow.revision


def flow_stale_since(flow: Flow) -> Timestamp | None:
    """Return since when the stalest active child has no news, where there is a cancel intent."""
    if not cancel_requested(flow):
        return None
    return min((stale_since(task) for task in active_tasks(flow)), default=None)
