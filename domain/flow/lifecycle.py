"""The lifecycle of a flow, as one table.

A flow is a finite state machine over `FlowStatus`, with four flags that guards read: the cancel
intent; whether a child task is active; whether the caller let the flow wait and may not resume it;
and whether a resume was kept for the wait. For each command and each state exactly one row applies;
it either refuses, or says which events may follow, which status the flow may have then, and by how
much its revision moves. `decide` consults the table first and adds only what depends on data
(ownership, revisions, which task). `docs/lifecycle.md` is generated from it, and a replay compares
every recorded transition with it.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from itertools import product
from typing import Final, TypeAlias

from attrs import evolve as replace
from attrs import frozen

from domain.flow import commands as c
from domain.flow import events as e
from domain.flow.refusals import RefusalCode
from domain.flow.state import Flow, cancel_requested
from domain.flow.status import LIVE, TERMINAL, WAITS, FlowStatus
from domain.flow.status import FlowStatus as S

State: TypeAlias = FlowStatus | None
"""A status, or None before the flow was created."""

EventTypes: TypeAlias = tuple[type[e.Event], ...]

ANY = frozenset({True, False})
YES = frozenset({True})
NO = frozenset({False})
ALL = frozenset(FlowStatus)
GOING = LIVE - WAITS
NOT_WAITING = ALL - WAITS
ABSENT: frozenset[State] = frozenset({None})
UNCHANGED: frozenset[FlowStatus] = frozenset()
"""As a row's `target`: the flow stays where it is."""


@frozen(kw_only=True)
class LifecycleRow:
    """One line of the table: under these guards, this command has this outcome."""

    command: type[c.Command]
    source: frozenset[State]
    intent: frozenset[bool] = ANY
    active: frozenset[bool] = ANY
    same: frozenset[bool] = ANY
    kept: frozenset[bool] = ANY
    refusal: RefusalCode | None = None
    events: EventTypes = ()
    target: frozenset[FlowStatus] = UNCHANGED
    moves: frozenset[int] = frozenset({0})


def _moves(
    command: type[c.Command],
    events: EventTypes,
    target: AbstractSet[FlowStatus] = UNCHANGED,
    by: AbstractSet[int] = frozenset({1}),
    guards: tuple[frozenset[bool], frozenset[bool]] = (ANY, ANY),
) -> LifecycleRow:
    """Return a row of live flows; its guards are the cancel intent, and an active child."""
    return LifecycleRow(
        command=command,
        source=LIVE,
        intent=guards[0],
        active=guards[1],
        events=events,
        target=frozenset(target),
        moves=frozenset(by),
    )


def _settles(command: type[c.Command], events: EventTypes) -> LifecycleRow:
    """Return the row of the last child to end, which takes a live flow with an intent with it."""
    return _moves(command, (*events, e.FlowCancelled), {S.CANCELLED}, {0, 1}, (YES, ANY))


REPORTS: Final[EventTypes] = (e.TaskStarted, e.TaskProgressed, e.TaskEnded)
_BEGINNINGS: Final[EventTypes] = (e.FlowBeganWaiting, e.FlowBecameBlocked)
_FLOW_COMMANDS: Final = (*c.REVISIONED, c.CancelFlow)

LIFECYCLE: Final[tuple[LifecycleRow, ...]] = (
    LifecycleRow(command=c.CreateFlow, source=ABSENT, events=(e.FlowCreated,), target=LIVE),
    LifecycleRow(command=c.CreateFlow, source=ALL, refusal=RefusalCode.CREATE_REJECTED),
    replace(_moves(c.SetWaiting, _BEGINNINGS, WAITS), kept=NO),
    replace(_moves(c.SetWaiting, (*_BEGINNINGS, e.FlowResumed), GOING, {2}), kept=YES),
    replace(_moves(c.ResumeFlow, (e.FlowResumed,), GOING), same=NO),
    replace(_moves(c.ResumeEarly, (e.FlowResumed,), GOING), source=WAITS, same=NO),
    replace(_moves(c.ResumeEarly, (e.FlowResumeKept,), by={0}), source=GOING),
    LifecycleRow(command=c.ResumeFlow, source=LIVE, same=YES, refusal=RefusalCode.SAME_APPROVER),
    LifecycleRow(command=c.ResumeEarly, source=WAITS, same=YES, refusal=RefusalCode.SAME_APPROVER),
    replace(_moves(c.FollowLink, (e.FlowResumedByLink,), {S.QUEUED}), source=WAITS),
    replace(_moves(c.ExpireWait, (e.FlowWaitExpired,), {S.QUEUED, S.FAILED}), source=WAITS),
    *(
        row
        for command in (c.FollowLink, c.ExpireWait)
        for row in (
            LifecycleRow(command=command, source=ABSENT, refusal=RefusalCode.NOT_FOUND),
            LifecycleRow(command=command, source=NOT_WAITING, refusal=RefusalCode.WAIT_OVER),
        )
    ),
    _moves(c.FinishFlow, (e.FlowSucceeded,), {S.SUCCEEDED}),
    _moves(c.FailFlow, (e.FlowFailed,), {S.FAILED}),
    _moves(c.RequestCancel, (e.FlowCancelRequested,)),
    _moves(c.CancelFlow, (e.FlowCancelRequested, e.FlowCancelled), {S.CANCELLED}, {2}, (NO, NO)),
    _moves(c.CancelFlow, (e.FlowCancelled,), {S.CANCELLED}, guards=(YES, NO)),
    _moves(c.CancelFlow, (e.FlowCancelRequested,), guards=(NO, YES)),
    LifecycleRow(command=c.CancelFlow, source=LIVE, intent=YES, active=YES),
    *(
        row
        for command in _FLOW_COMMANDS
        for row in (
            LifecycleRow(command=command, source=ABSENT, refusal=RefusalCode.NOT_FOUND),
            LifecycleRow(command=command, source=TERMINAL, refusal=RefusalCode.TERMINAL),
        )
    ),
    LifecycleRow(command=c.RunTask, source=ABSENT, refusal=RefusalCode.NOT_FOUND),
    LifecycleRow(command=c.RunTask, source=LIVE, intent=NO, events=(e.TaskLinked, e.TaskDescribed)),
    LifecycleRow(command=c.RunTask, source=ALL, intent=YES, refusal=RefusalCode.CANCEL_REQUESTED),
    LifecycleRow(command=c.RunTask, source=TERMINAL, intent=NO, refusal=RefusalCode.TERMINAL),
    # Children may outlive their flow, so a terminal flow takes their reports too.
    LifecycleRow(command=c.UpdateTask, source=ABSENT, refusal=RefusalCode.NOT_FOUND),
    LifecycleRow(command=c.UpdateTask, source=LIVE, intent=NO, events=REPORTS),
    _settles(c.UpdateTask, REPORTS),
    LifecycleRow(command=c.UpdateTask, source=TERMINAL, events=REPORTS),
    LifecycleRow(command=c.LoseTask, source=ABSENT, refusal=RefusalCode.NOT_FOUND),
    LifecycleRow(command=c.LoseTask, source=ALL, intent=NO, refusal=RefusalCode.TASK_NOT_SILENT),
    _settles(c.LoseTask, (e.TaskEnded,)),
    LifecycleRow(command=c.LoseTask, source=TERMINAL, intent=YES, events=(e.TaskEnded,)),
)


def matching_rows(  # noqa: PLR0913 - a guard a flag
    command: type[c.Command],
    state: State,
    *,
    intent: bool,
    active: bool,
    same: bool = False,
    kept: bool = False,
) -> tuple[LifecycleRow, ...]:
    """Return the rows that apply to a command in a state: exactly one (a test counts them)."""
    return tuple(
        row
        for row in LIFECYCLE
        if row.command is command
        and state in row.source
        and intent in row.intent
        and active in row.active
        and same in row.same
        and kept in row.kept
    )


_ROW_FOR: Final = {
    (command, state, intent, active, same, kept): row
    for command in c.COMMANDS
    for state in (None, *FlowStatus)
    for intent, active, same, kept in product(ANY, repeat=4)
    for row in matching_rows(command, state, intent=intent, active=active, same=same, kept=kept)
}


def row_for(
    command: type[c.Command], flow: Flow | None, *, same: bool = False, kept: bool = False
) -> LifecycleRow:
    """Return the row that applies to a command on a flow, or on none."""
    if flow is None:
        return _ROW_FOR[command, None, False, False, same, kept]
    intent, active = cancel_requested(flow), flow.active_count > 0
    return _ROW_FOR[command, flow.status, intent, active, same, kept]
