"""The model's state: plain records of flows and tasks, their views, and rejections."""

from __future__ import annotations

from typing import Final, TypeAlias

from attrs import fields, frozen

from adapters.testing.answers import PlainView
from domain.flow.commands import ResumeEarly
from domain.flow.ids import FlowId, Owner, TaskId

LIVE: Final = ("queued", "running", "waiting", "blocked")
ACTIVE: Final = ("queued", "running")
WAITING: Final = ("waiting", "blocked")
HIDDEN: Final = (
    *("owner", "latest_at", "tasks", "last_heartbeat_at", "event_count"),
    *("link_hash", "used_link", "requesters", "kept_resume", "kept_by"),
)
STATUSES: Final = ("queued", "running", "succeeded", "failed", "timed_out", "cancelled", "lost")
RUNTIMES: Final = ("subagent", "acp", "cli", "cron")
FAILURES: Final = ("failed", "timed_out", "lost")


@frozen(kw_only=True)
class ModelTask:
    """A child task."""

    task_id: TaskId
    runtime: str
    task: str
    status: str
    agent_id: str | None = None
    notify_policy: str
    created_at: int
    last_event_at: int
    last_heartbeat_at: int
    started_at: int | None = None
    ended_at: int | None = None
    cleanup_after: int | None = None
    source_id: str | None = None
    child_session_key: str | None = None
    parent_task_id: str | None = None
    run_id: str | None = None
    label: str | None = None
    progress_summary: str | None = None
    terminal_summary: str | None = None
    terminal_outcome: str | None = None
    error: str | None = None

    @property
    def is_active(self) -> bool:
        """Whether it has yet to end."""
        return self.status in ACTIVE


@frozen(kw_only=True)
class ModelFlow:
    """A flow; JSON values as their text. A kept resume expects no revision any more: it is 0.

    `latest_at` and `event_count` count every recorded event, also one that changes nothing shown.
    """

    flow_id: FlowId
    owner: Owner
    controller_id: str
    goal: str
    status: str
    notify_policy: str
    created_at: int
    updated_at: int
    latest_at: int
    event_count: int = 1
    revision: int = 0
    current_step: str | None = None
    state_json: str | None = None
    wait_json: str | None = None
    blocked_task_id: str | None = None
    blocked_summary: str | None = None
    cancel_requested_at: int | None = None
    ended_at: int | None = None
    correlation_key: str | None = None
    until: int | None = None
    on_timeout: str | None = None
    link_hash: str | None = None
    used_link: str | None = None
    requesters: tuple[str, ...] = ()
    kept_resume: ResumeEarly | None = None
    kept_by: str | None = None
    tasks: tuple[ModelTask, ...] = ()

    @property
    def is_live(self) -> bool:
        """Whether it has yet to end."""
        return self.status in LIVE

    def holds(self, owner: Owner, key: str | None) -> bool:
        """Say whether no other flow of its owner may have a key now."""
        return self.is_live and (self.owner, self.correlation_key) == (owner, key or object())

    @property
    def is_waiting(self) -> bool:
        """Whether it waits, or is blocked."""
        return self.status in WAITING

    @property
    def wants_cancel(self) -> bool:
        """Whether its cancellation was requested."""
        return self.cancel_requested_at is not None

    @property
    def is_busy(self) -> bool:
        """Whether one of its tasks is active."""
        return any(task.is_active for task in self.tasks)

    @property
    def reports(self) -> int:
        """The number of events that moved no revision, but for the creation."""
        return self.event_count - 1 - self.revision

    @property
    def listed_tasks(self) -> tuple[ModelTask, ...]:
        """The tasks in the order of a cancellation: by age, then by position, the last first."""
        by_age = sorted(enumerate(self.tasks), key=lambda at: (at[1].created_at, at[0]))
        return tuple(task for _, task in reversed(by_age))

    @property
    def view(self) -> PlainView:
        """What callers see of it."""
        return _view(self)

    @property
    def summary(self) -> PlainView:
        """The counts of its tasks."""
        statuses = [task.status for task in self.tasks]
        runtimes = [task.runtime for task in self.tasks]
        active = sum(status in ACTIVE for status in statuses)
        return {
            "total": len(statuses),
            "active": active,
            "terminal": len(statuses) - active,
            "failures": sum(status in FAILURES for status in statuses),
            "by_status": {status: statuses.count(status) for status in STATUSES},
            "by_runtime": {runtime: runtimes.count(runtime) for runtime in RUNTIMES},
        }

    def task(self, task_id: TaskId | None) -> ModelTask | None:
        """Return one of its tasks."""
        return next((task for task in self.tasks if task.task_id == task_id), None)

    def task_view(self, task_id: TaskId | None) -> PlainView | None:
        """Return what callers see of one of its tasks."""
        task = self.task(task_id)
        return None if task is None else {**_view(task), "parent_flow_id": self.flow_id}


@frozen
class ModelRejection:
    """The code and the reason of a rejected command."""

    code: str
    reason: str


Verdict: TypeAlias = ModelFlow | ModelRejection
"""The flow after a command, or its rejection."""


def _view(record: ModelFlow | ModelTask) -> PlainView:
    held = ((field.name, getattr(record, field.name)) for field in fields(type(record)))
    return {name: value for name, value in held if value is not None and name not in HIDDEN}
