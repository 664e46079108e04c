"""The decisions about a wait, once the lifecycle of its flow allows the command."""

from __future__ import annotations

from domain.flow import events as e
from domain.flow.commands import CommandContext, ExpireWait, FollowLink, SetWaiting
from domain.flow.lifecycle import LifecycleRow, row_for
from domain.flow.refusals import Refusal, RefusalCode
from domain.flow.rules import DecisionRules
from domain.flow.state import Flow, KeptResume
from domain.flow.status import OnTimeout
from domain.flow.values import KEEP, Patch, Timestamp


def row_of(flow: Flow | None, context: CommandContext) -> LifecycleRow:
    """Return the row of the lifecycle that applies to a command on a flow, or on none."""
    command = context.command
    if flow is None:
        return row_for(type(command), None)
    same = context.caller is not None and context.caller in flow.requesters
    kept = isinstance(command, SetWaiting) and _usable(flow, command, context) is not None
    return row_for(type(command), flow, same=same, kept=kept)


def _usable(flow: Flow, command: SetWaiting, context: CommandContext) -> KeptResume | None:
    """Return the resume that was kept for a wait, unless it is of who may not resume it."""
    kept, bars = flow.kept_resume, command.separate_approver and context.caller is not None
    if kept is not None and bars and kept.caller == context.caller:
        return None
    return kept


def link_objection(flow: Flow, command: FollowLink) -> Refusal | None:
    """Return why a link does not resume a flow, whatever its status."""
    if command.link_hash == flow.used_link:
        reason = "The link has been used."
        return Refusal(code=RefusalCode.LINK_USED, reason=reason, flow=flow)
    return None if command.link_hash == flow.link_hash else wait_over(flow)


def wait_over(flow: Flow) -> Refusal:
    """Refuse to end a wait that is over."""
    return Refusal(code=RefusalCode.WAIT_OVER, reason="The wait is over.", flow=flow)


def set_waiting(
    flow: Flow, command: SetWaiting, context: CommandContext, *, at: Timestamp
) -> tuple[e.Event, ...] | Refusal:
    """Let a flow wait, or be blocked; a resume that was kept for it ends the wait at once."""
    if command.separate_approver and _ends_otherwise(flow, command):
        reason = "A wait for another key can end neither by a link nor by a timed resume."
        return Refusal(code=RefusalCode.SAME_APPROVER, reason=reason, flow=flow)
    began, kept = _began(command, context, at), _usable(flow, command, context)
    if kept is None:
        return (began,)
    resumed = e.FlowResumed(
        at=at, status=kept.status, current_step=kept.current_step, state_json=kept.state_json
    )
    return (began, resumed)


def _ends_otherwise(flow: Flow, command: SetWaiting) -> bool:
    """Say whether a wait would end by a link, or go on by time."""
    until, on_timeout = command.until, command.on_timeout
    if until is KEEP:
        until, on_timeout = flow.until, flow.on_timeout
    timed = until is not None and on_timeout is OnTimeout.RESUME
    return timed or isinstance(command.link_hash, str)


def _began(
    command: SetWaiting, context: CommandContext, at: Timestamp
) -> e.FlowBeganWaiting | e.FlowBecameBlocked:
    texts, rules = (command.blocked_task_id, command.blocked_summary), context.rules
    fact = e.FlowBecameBlocked if any(_given(t, rules) for t in texts) else e.FlowBeganWaiting
    timed = command.until is not KEEP and command.until is not None
    separate = command.separate_approver
    return fact(
        at=at,
        current_step=command.current_step,
        state_json=command.state_json,
        wait_json=command.wait_json,
        blocked_task_id=command.blocked_task_id,
        blocked_summary=command.blocked_summary,
        until=command.until,
        on_timeout=(command.on_timeout or OnTimeout.FAIL) if timed else None,
        # APPSEC: a link of an earlier wait may be in the hands of whoever lets it wait now.
        link_hash=None if separate else command.link_hash,
        requester=context.caller if separate else None,
    )


def _given(text: Patch[str | None], rules: DecisionRules) -> bool:
    return text is not KEEP and text is not None and not rules.is_blank(text)


def expire(flow: Flow, command: ExpireWait, at: Timestamp) -> tuple[e.Event, ...] | Refusal:
    """End a wait by time, if it is still the same one and due."""
    if flow.until != command.until or flow.on_timeout is None:
        return wait_over(flow)
    if at < command.until:
        reason = "The wait is not due yet."
        return Refusal(code=RefusalCode.WAIT_NOT_DUE, reason=reason, flow=flow)
    return (e.FlowWaitExpired(at=at, on_timeout=flow.on_timeout),)
