"""The enumerations of flows and tasks.

Their values are wire and storage contract: none ever changes, new ones may be added.
"""

from __future__ import annotations

from enum import StrEnum


class _Word(StrEnum):
    """Text that is one of some."""

    # PERF: that of `Enum` is no C, and asked for whenever a status is looked up in a set.
    __hash__ = str.__hash__


class FlowStatus(_Word):
    """Where a flow stands."""

    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    BLOCKED = "blocked"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class TaskStatus(_Word):
    """Where a child task stands."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"
    LOST = "lost"


class Runtime(_Word):
    """What executes a child task."""

    SUBAGENT = "subagent"
    ACP = "acp"


class NotifyPolicy(_Word):
    """Of what the owner wants to be notified."""

    DONE_ONLY = "done_only"
    STATE_CHANGES = "state_changes"
    SILENT = "silent"


class TerminalOutcome(_Word):
    """What an ended child reports of its work, apart from how it ended."""

    SUCCEEDED = "succeeded"
    BLOCKED = "blocked"


class OnTimeout(_Word):
    """What becomes of a flow whose wait ends by time."""

    RESUME = "resume"
    FAIL = "fail"


LIVE = frozenset(
    {FlowStatus.QUEUED, FlowStatus.RUNNING, FlowStatus.WAITING, FlowStatus.BLOCKED},
)
TERMINAL = frozenset(FlowStatus) - LIVE
WAITS = frozenset({FlowStatus.WAITING, FlowStatus.BLOCKED})

ACTIVE = frozenset({TaskStatus.QUEUED, TaskStatus.RUNNING})
ENDED = frozenset(TaskStatus) - ACTIVE
FAILURES = frozenset({TaskStatus.FAILED, TaskStatus.TIMED_OUT, TaskStatus.LOST})
