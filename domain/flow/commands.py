"""The commands of a flow. A command names the flow, and cannot name an owner."""

from __future__ import annotations

from typing import TypeAlias, get_args

from attrs import frozen

from domain.flow.ids import CallerId, FlowId, Owner, TaskId
from domain.flow.rules import RULES, DecisionRules
from domain.flow.status import (
    FlowStatus,
    NotifyPolicy,
    OnTimeout,
    Runtime,
    TaskStatus,
    TerminalOutcome,
)
from domain.flow.values import KEEP, Json, Patch, Timestamp

ExpectedRevision: TypeAlias = int | None
"""The revision that a flow must have; None is for whichever it has (ADR 76)."""


@frozen(kw_only=True)
class CreateFlow:
    """Open a flow; no live flow of its owner has the same correlation key.

    `separate_approver` is as in `SetWaiting`.
    """

    goal: str
    controller_id: str
    status: FlowStatus = FlowStatus.QUEUED
    notify_policy: NotifyPolicy = NotifyPolicy.DONE_ONLY
    current_step: str | None = None
    state_json: Json | None = None
    wait_json: Json | None = None
    correlation_key: str | None = None
    separate_approver: bool = False


@frozen(kw_only=True)
class SetWaiting:
    """Let a flow wait for something, or say that it is blocked.

    A wait `until` a moment ends then by itself; by default the flow fails. With `link_hash` (the
    SHA-256 of a link, in hex) whoever has the link may resume it. Of a `separate_approver` the
    caller is not one: it may not resume the flow, nor let time or a link do it.
    """

    flow_id: FlowId
    expected_revision: ExpectedRevision
    current_step: Patch[str | None] = KEEP
    state_json: Patch[Json] = KEEP
    wait_json: Patch[Json] = KEEP
    blocked_task_id: Patch[str | None] = KEEP
    blocked_summary: Patch[str | None] = KEEP
    until: Patch[Timestamp | None] = KEEP
    on_timeout: OnTimeout | None = None
    link_hash: Patch[str | None] = KEEP
    separate_approver: bool = False


@frozen(kw_only=True)
class _Resume:
    flow_id: FlowId
    expected_revision: ExpectedRevision
    status: FlowStatus = FlowStatus.QUEUED
    current_step: Patch[str | None] = KEEP
    state_json: Patch[Json] = KEEP


@frozen(kw_only=True)
class ResumeFlow(_Resume):
    """Let a flow go on."""


@frozen(kw_only=True)
class ResumeEarly(_Resume):
    """Let a flow that waits go on, or the next wait of one that does not wait yet."""


@frozen(kw_only=True)
class FollowLink:
    """Let a flow go on by a link that was made for its wait."""

    flow_id: FlowId
    link_hash: str


@frozen(kw_only=True)
class ExpireWait:
    """End the wait of a flow that lasts until a moment, now that it has come."""

    flow_id: FlowId
    until: Timestamp


@frozen(kw_only=True)
class FinishFlow:
    """End a flow well."""

    flow_id: FlowId
    expected_revision: ExpectedRevision
    state_json: Patch[Json] = KEEP


@frozen(kw_only=True)
class FailFlow:
    """End a flow badly."""

    flow_id: FlowId
    expected_revision: ExpectedRevision
    state_json: Patch[Json] = KEEP
    blocked_task_id: Patch[str | None] = KEEP
    blocked_summary: Patch[str | None] = KEEP


@frozen(kw_only=True)
class RequestCancel:
    """Set the cancel intent, and nothing else."""

    flow_id: FlowId
    expected_revision: ExpectedRevision


@frozen(kw_only=True)
class CancelFlow:
    """Cancel a flow now, or as soon as its last active child has ended."""

    flow_id: FlowId


@frozen(kw_only=True)
class RunTask:
    """Link a child task to a flow, or find the one that the same run linked before."""

    flow_id: FlowId
    runtime: Runtime
    task: str
    source_id: str | None = None
    child_session_key: str | None = None
    parent_task_id: str | None = None
    agent_id: str | None = None
    run_id: str | None = None
    label: str | None = None
    prefer_metadata: bool = False
    notify_policy: NotifyPolicy = NotifyPolicy.DONE_ONLY
    status: TaskStatus = TaskStatus.QUEUED
    started_at: Timestamp | None = None
    last_event_at: Timestamp | None = None
    progress_summary: str | None = None


@frozen(kw_only=True)
class UpdateTask:
    """Report that a child task runs, makes progress, or has ended."""

    flow_id: FlowId
    task_id: TaskId
    status: TaskStatus
    progress_summary: Patch[str | None] = KEEP
    terminal_summary: str | None = None
    terminal_outcome: TerminalOutcome | None = None
    error: str | None = None


@frozen(kw_only=True)
class LoseTask:
    """Give up a child of a flow with a cancel intent, unless it has news.

    News is later than `silent_before`. Where moments do not decide, as the flow once saw a clock
    that was ahead, news is any event of a task beyond the `task_events` that were seen. Without
    `silent_before` an operator gives the child up, whatever its news.
    """

    flow_id: FlowId
    task_id: TaskId
    silent_before: Timestamp | None
    task_events: int | None = None


Revisioned: TypeAlias = (
    SetWaiting | ResumeFlow | ResumeEarly | FinishFlow | FailFlow | RequestCancel
)
FlowCommand: TypeAlias = (
    Revisioned | FollowLink | ExpireWait | CancelFlow | RunTask | UpdateTask | LoseTask
)
Command: TypeAlias = CreateFlow | FlowCommand

COMMANDS: tuple[type[Command], ...] = get_args(Command)
REVISIONED: tuple[type[Revisioned], ...] = get_args(Revisioned)


@frozen(kw_only=True)
class CommandContext:
    """A command as `decide` gets it: with its owner, its moment, and an id for what it may create.

    All come from outside, read once for each command, so that deciding stays pure. `caller` is the
    key that it came with, if it came over a route. Only a replay decides by other rules than the
    latest.
    """

    command: Command
    owner: Owner
    at: Timestamp
    new_id: str
    rules: DecisionRules = RULES
    caller: CallerId | None = None
