"""The decider: from a flow and a command to events, pure, total and deterministic.

The order of the checks is contract: ownership, then the revision, then the lifecycle (the table of
`domain.flow.lifecycle`), then the task.
"""

from __future__ import annotations

from typing import TypeAlias, assert_never

from attrs import asdict

from domain.flow import commands as c
from domain.flow import events as e
from domain.flow.decide_task import lose_task, run_task, update_task
from domain.flow.decide_wait import expire, link_objection, row_of, set_waiting, wait_over
from domain.flow.ids import FlowId, TaskId
from domain.flow.lifecycle import row_for
from domain.flow.refusals import Refusal, RefusalCode
from domain.flow.state import Flow, cancel_requested, is_named, is_waiting
from domain.flow.task import find_task
from domain.flow.values import Timestamp

Decision: TypeAlias = tuple[e.Event, ...] | Refusal
"""The events of an accepted command, possibly none, or why it is refused."""

NOT_FOUND = Refusal(code=RefusalCode.NOT_FOUND, reason="Flow not found.")


def decide(flow: Flow | None, context: c.CommandContext) -> Decision:
    """Return the events of a command on a flow, or why it is refused.

    A creation is decided on the live flow of the owner that has its correlation key, if there is
    one.

    The events' moment is that of the command, or that of the flow's latest event if the clock has
    stepped back since.
    """
    command = context.command
    if isinstance(command, c.CreateFlow):
        return _create(flow, command, context)
    if flow is None or flow.owner != context.owner:
        return NOT_FOUND
    if isinstance(command, c.REVISIONED) and command.expected_revision not in {None, flow.revision}:
        reason = "TaskFlow changed since the caller's expected revision."
        return Refusal(code=RefusalCode.REVISION_CONFLICT, reason=reason, flow=flow)
    if isinstance(command, c.FollowLink) and (objection := link_objection(flow, command)):
        return objection
    row = row_of(flow, context)
    if row.refusal is not None:
        return Refusal(code=row.refusal, reason=_reason(row.refusal, flow), flow=flow)
    return _allowed(flow, command, context, at=max(context.at, flow.latest_at))


def may_decide_nothing(flow: Flow, task_id: TaskId | None) -> bool:
    """Say whether a flow can accept a command, on a task of it or on none, without an event.

    So it accepts a cancellation that is pending already, and a run that is linked and has no news.
    """
    row = row_for(c.CancelFlow if task_id is None else c.RunTask, flow)
    known = task_id is None or find_task(flow.tasks, task_id) is not None
    return row.refusal is None and known and (task_id is not None or not row.events)


def _reason(code: RefusalCode, flow: Flow) -> str:
    if code is RefusalCode.CANCEL_REQUESTED:
        return "Flow cancellation has already been requested."
    if code is RefusalCode.SAME_APPROVER:
        return "The key that let the flow wait may not resume it."
    if code is RefusalCode.WAIT_OVER:
        return wait_over(flow).reason
    if code is RefusalCode.TASK_NOT_SILENT:
        return "Flow cancellation has not been requested."
    return f"Flow is already {flow.status}."


def _create(flow: Flow | None, command: c.CreateFlow, context: c.CommandContext) -> Decision:
    if flow is not None and flow.owner == context.owner and is_named(flow, command.correlation_key):
        reason = "Another live flow has this correlationKey."
        return Refusal(code=RefusalCode.CORRELATION_KEY_TAKEN, reason=reason, flow=flow)
    if flow is not None:
        return Refusal(code=RefusalCode.CREATE_REJECTED, reason="Flow already exists.")
    created = e.FlowCreated(
        at=context.at,
        flow_id=FlowId(context.new_id),
        owner=context.owner,
        controller_id=command.controller_id,
        goal=command.goal,
        status=command.status,
        notify_policy=command.notify_policy,
        current_step=command.current_step,
        state_json=command.state_json,
        wait_json=command.wait_json,
        correlation_key=command.correlation_key,
        requester=context.caller if command.separate_approver else None,
    )
    return (created,)


def _allowed(  # noqa: C901, PLR0911, PLR0912 - a line a command
    flow: Flow, command: c.FlowCommand, context: c.CommandContext, *, at: Timestamp
) -> Decision:
    match command:
        case c.SetWaiting():
            return set_waiting(flow, command, context, at=at)
        case c.ResumeFlow():
            return (_resumed(command, at),)
        case c.ResumeEarly():
            resumed = _resumed(command, at)
            return (resumed if is_waiting(flow) else _kept(resumed, context),)
        case c.FollowLink():
            return (e.FlowResumedByLink(at=at, link_hash=command.link_hash),)
        case c.ExpireWait():
            return expire(flow, command, at)
        case c.FinishFlow():
            return (e.FlowSucceeded(at=at, state_json=command.state_json),)
        case c.FailFlow():
            return (_failed(command, at),)
        case c.RequestCancel():
            return (e.FlowCancelRequested(at=at),)
        case c.CancelFlow():
            return _cancel(flow, at)
        case c.RunTask():
            return run_task(flow, command, context, at=at)
        case c.UpdateTask():
            return update_task(flow, command, at)
        case c.LoseTask():
            return lose_task(flow, command, at)
        case _:
            assert_never(command)


def _resumed(command: c.ResumeFlow | c.ResumeEarly, at: Timestamp) -> e.FlowResumed:
    return e.FlowResumed(
        at=at,
        status=command.status,
        current_step=command.current_step,
        state_json=command.state_json,
    )


def _kept(resumed: e.FlowResumed, context: c.CommandContext) -> e.FlowResumeKept:
    return e.FlowResumeKept(**asdict(resumed, recurse=False), caller=context.caller)


def _failed(command: c.FailFlow, at: Timestamp) -> e.FlowFailed:
    return e.FlowFailed(
        at=at,
        state_json=command.state_json,
        blocked_task_id=command.blocked_task_id,
        blocked_summary=command.blocked_summary,
    )


def _cancel(flow: Flow, at: Timestamp) -> tuple[e.Event, ...]:
    intent = () if cancel_requested(flow) else (e.FlowCancelRequested(at=at),)
    cancelled = () if flow.active_count else (e.FlowCancelled(at=at),)
    return (*intent, *cancelled)
