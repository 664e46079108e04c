"""The rules of waits as plain code: their time, their link, and who may not resume them."""

from __future__ import annotations

from attrs import evolve as replace

from adapters.testing.model.records import WAITING, ModelFlow, ModelRejection
from domain.flow.commands import (
    CommandContext,
    CreateFlow,
    ExpireWait,
    FollowLink,
    ResumeEarly,
    ResumeFlow,
    SetWaiting,
)
from domain.flow.ids import CallerId
from domain.flow.values import KEEP


def objection_to_end(
    flow: ModelFlow, command: FollowLink | ExpireWait, at: int
) -> ModelRejection | None:
    """Return why a link, or time, does not end a wait."""
    if isinstance(command, FollowLink):
        if command.link_hash == flow.used_link:
            return ModelRejection("link_used", "The link has been used.")
        if flow.is_waiting and command.link_hash == flow.link_hash:
            return None
    if isinstance(command, ExpireWait) and flow.is_waiting and flow.until == command.until:
        return (
            ModelRejection("wait_not_due", "The wait is not due yet.")
            if at < command.until
            else None
        )
    return ModelRejection("wait_over", "The wait is over.")


def objection_of_four_eyes(flow: ModelFlow, context: CommandContext) -> ModelRejection | None:
    """Return why a caller may not resume a flow, or let it wait as it wants to."""
    command = context.command
    resumes = isinstance(command, ResumeFlow | ResumeEarly)
    if resumes and flow.is_waiting and context.caller in flow.requesters:
        return ModelRejection("same_approver", "The key that let the flow wait may not resume it.")
    if not isinstance(command, SetWaiting) or not command.separate_approver:
        return None
    kept = command.until is KEEP
    on_timeout = flow.on_timeout if kept else command.on_timeout
    timed = (flow.until if kept else command.until) is not None and on_timeout == "resume"
    if timed or command.link_hash not in {KEEP, None}:
        reason = "A wait for another key can end neither by a link nor by a timed resume."
        return ModelRejection("same_approver", reason)
    return None


def requesters_of_new(command: CreateFlow, caller: CallerId | None) -> tuple[str, ...]:
    """Return who may not resume a new flow."""
    barred = command.separate_approver and str(command.status) in WAITING
    return (caller,) if barred and caller is not None else ()


def with_wait(flow: ModelFlow, command: SetWaiting, caller: CallerId | None) -> ModelFlow:
    """Return a flow with the wait that a command gives it; what is not given stays."""
    if command.until is not KEEP:
        on_timeout = None if command.until is None else str(command.on_timeout or "fail")
        flow = replace(flow, until=command.until, on_timeout=on_timeout)
    flow = replace(flow, used_link=None)
    if command.separate_approver:
        flow = replace(flow, link_hash=None)
    if command.link_hash is not KEEP:
        flow = replace(flow, link_hash=command.link_hash)
    if command.separate_approver and caller is not None and caller not in flow.requesters:
        flow = replace(flow, requesters=(*flow.requesters, caller))
    return replace(flow, kept_resume=None, kept_by=None)


def without_wait(flow: ModelFlow) -> ModelFlow:
    """Return a flow whose wait is over."""
    return replace(flow, until=None, on_timeout=None, link_hash=None, requesters=())


def without_more_waits(flow: ModelFlow) -> ModelFlow:
    """Return a flow that has ended: no resume is kept any more."""
    return replace(without_wait(flow), kept_resume=None, kept_by=None)
