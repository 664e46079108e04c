"""A flow and its children as the model holds them: plain records, and what is shown of them."""

from __future__ import annotations

from typing import Final

from attrs import fields, frozen

from adapters.testing.answers import Shown
from domain.flow.ids import FlowId, Owner, TaskId

LIVE: Final = ("queued", "running", "waiting", "blocked")
ACTIVE: Final = ("queued", "running")
HIDDEN: Final = ("owner", "latest_at", "children", "heard_at", "happened")
STATUSES: Final = ("queued", "running", "succeeded", "failed", "timed_out", "cancelled", "lost")
RUNTIMES: Final = ("subagent", "acp", "cli", "cron")
FAILURES: Final = ("failed", "timed_out", "lost")


@frozen(kw_only=True)
class Child:
    """A child task; words and moments as they are shown."""

    task_id: TaskId
    runtime: str
    task: str
    status: str
    agent_id: str | None = None
    notify_policy: str
    created_at: int
    last_event_at: int
    heard_at: int
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
class Life:
    """A flow; JSON values as their text.

    `latest_at` is when anything last happened to it, `happened` how often: news of a child may say
    nothing new, and is recorded all the same.
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
    happened: int = 1
    revision: int = 0
    current_step: str | None = None
    state_json: str | None = None
    wait_json: str | None = None
    blocked_task_id: str | None = None
    blocked_summary: str | None = None
    cancel_requested_at: int | None = None
    ended_at: int | None = None
    children: tuple[Child, ...] = ()

    @property
    def is_live(self) -> bool:
        """Whether it has yet to end."""
        return self.status in LIVE

    @property
    def wants_cancel(self) -> bool:
        """Whether somebody asked for its cancellation."""
        return self.cancel_requested_at is not None

    @property
    def is_busy(self) -> bool:
        """Whether a child of it is active."""
        return any(child.is_active for child in self.children)

    @property
    def reports(self) -> int:
        """How often anything happened to its children: not its creation, nor what moved it."""
        return self.happened - 1 - self.revision

    @property
    def listed_children(self) -> tuple[Child, ...]:
        """Its children as a cancellation lists them: youngest first, then the one added last."""
        by_age = sorted(enumerate(self.children), key=lambda at: (at[1].created_at, at[0]))
        return tuple(child for _, child in reversed(by_age))

    def child(self, task_id: TaskId) -> Child | None:
        """Return one of its children."""
        return next((child for child in self.children if child.task_id == task_id), None)


def shown_life(life: Life) -> Shown:
    """Return what is shown of a flow."""
    return _shown(life)


def shown_child(child: Child, flow_id: FlowId) -> Shown:
    """Return what is shown of a child of a flow."""
    return {**_shown(child), "parent_flow_id": flow_id}


def _shown(record: Life | Child) -> Shown:
    held = ((field.name, getattr(record, field.name)) for field in fields(type(record)))
    return {name: value for name, value in held if value is not None and name not in HIDDEN}


def summary_of(life: Life) -> Shown:
    """Return the counts of a flow's children."""
    words = [child.status for child in life.children]
    runtimes = [child.runtime for child in life.children]
    active = sum(word in ACTIVE for word in words)
    return {
        "total": len(words),
        "active": active,
        "terminal": len(words) - active,
        "failures": sum(word in FAILURES for word in words),
        "by_status": {status: words.count(status) for status in STATUSES},
        "by_runtime": {runtime: runtimes.count(runtime) for runtime in RUNTIMES},
    }
