"""The life of a flow, as one table.

Theory: a flow is a finite state machine over `FlowStatus`, with two flags that guards read: the
cancel intent, and whether a child task is active. For each command and each state exactly one row
applies; it either refuses, or says which events may follow, where the flow may stand then, and by
how much its revision moves. `decide` consults the table first and adds only what depends on data
(ownership, revisions, which task). `docs/lifecycle.md` is generated from it, and the auditor's
checks hold every recorded step against it.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from attrs import frozen

from domain.flow.commands import (
    COMMANDS,
    CancelFlow,
    Command,
    CreateFlow,
    FailFlow,
    FinishFlow,
    LoseTask,
    RequestCancel,
    ResumeFlow,
    RunTask,
    SetWaiting,
    UpdateTask,
)
from domain.flow.events import (
    Event,
    FlowBecameBlocked,
    FlowBeganWaiting,
    FlowCancelled,
    FlowCancelRequested,
    FlowCreated,
    FlowFailed,
    FlowResumed,
    FlowSucceeded,
    TaskDescribed,
    TaskEnded,
    TaskLinked,
    TaskProgressed,
    TaskStarted,
)
from domain.flow.refusals import RefusalCode
from domain.flow.state import Flow, active_tasks, cancel_requested
from domain.flow.status import LIVE, TERMINAL, FlowStatus

State: TypeAlias = FlowStatus | None
"""A status, or None before the flow was created."""

ANY = frozenset({True, False})
YES = frozenset({True})
NO = frozenset({False})
ALL = frozenset(FlowStatus)
ABSENT: frozenset[State] = frozenset({None})
UNCHANGED: frozenset[FlowStatus] = frozenset()
"""As a row's `target`: the flow stays where it is."""


@frozen(kw_only=True)
class LifecycleRow:
    """One line of the table: under these guards, this command has this outcome."""

    command: type[Command]
    source: frozenset[State]
    intent: frozenset[bool] = ANY
    active: frozenset[bool] = ANY
    refusal: RefusalCode | None = None
    events: tuple[type[Event], ...] = ()
    target: frozenset[FlowStatus] = UNCHANGED
    moves: frozenset[int] = frozenset({0})


def _ends(command: type[Command], event: type[Event], target: FlowStatus) -> LifecycleRow:
    return LifecycleRow(
        command=command,
        source=LIVE,
        events=(event,),
        target=frozenset({target}),
        moves=frozenset({1}),
    )


def _settles(command: type[Command], events: tuple[type[Event], ...]) -> LifecycleRow:
    """Return the row of the last child to end, which takes a live flow with an intent with it."""
    return LifecycleRow(
        command=command,
        source=LIVE,
        intent=YES,
        events=(*events, FlowCancelled),
        target=frozenset({FlowStatus.CANCELLED}),
        moves=frozenset({0, 1}),
    )


REPORTS: tuple[type[Event], ...] = (TaskStarted, TaskProgressed, TaskEnded)


LIFECYCLE: tuple[LifecycleRow, ...] = (
    LifecycleRow(command=CreateFlow, source=ABSENT, events=(FlowCreated,), target=LIVE),
    LifecycleRow(command=CreateFlow, source=ALL, refusal=RefusalCode.CREATE_REJECTED),
    LifecycleRow(
        command=SetWaiting,
        source=LIVE,
        events=(FlowBeganWaiting, FlowBecameBlocked),
        target=frozenset({FlowStatus.WAITING, FlowStatus.BLOCKED}),
        moves=frozenset({1}),
    ),
    LifecycleRow(
        command=ResumeFlow,
        source=LIVE,
        events=(FlowResumed,),
        target=frozenset({FlowStatus.QUEUED, FlowStatus.RUNNING}),
        moves=frozenset({1}),
    ),
    _ends(FinishFlow, FlowSucceeded, FlowStatus.SUCCEEDED),
    _ends(FailFlow, FlowFailed, FlowStatus.FAILED),
    LifecycleRow(
        command=RequestCancel, source=LIVE, events=(FlowCancelRequested,), moves=frozenset({1})
    ),
    LifecycleRow(
        command=CancelFlow,
        source=LIVE,
        intent=NO,
        active=NO,
        events=(FlowCancelRequested, FlowCancelled),
        target=frozenset({FlowStatus.CANCELLED}),
        moves=frozenset({2}),
    ),
    LifecycleRow(
        command=CancelFlow,
        source=LIVE,
        intent=YES,
        active=NO,
        events=(FlowCancelled,),
        target=frozenset({FlowStatus.CANCELLED}),
        moves=frozenset({1}),
    ),
    LifecycleRow(
        command=CancelFlow,
        source=LIVE,
        intent=NO,
        active=YES,
        events=(FlowCancelRequested,),
        moves=frozenset({1}),
    ),
    LifecycleRow(command=CancelFlow, source=LIVE, intent=YES, active=YES),
    *(
        row
        for command in (SetWaiting, ResumeFlow, FinishFlow, FailFlow, RequestCancel, CancelFlow)
        for row in (
            LifecycleRow(command=command, source=ABSENT, refusal=RefusalCode.NOT_FOUND),
            LifecycleRow(command=command, source=TERMINAL, refusal=RefusalCode.TERMINAL),
        )
    ),
    LifecycleRow(command=RunTask, source=ABSENT, refusal=RefusalCode.NOT_FOUND),
    LifecycleRow(command=RunTask, source=LIVE, intent=NO, events=(TaskLinked, TaskDescribed)),
    LifecycleRow(command=RunTask, source=ALL, intent=YES, refusal=RefusalCode.CANCEL_REQUESTED),
    LifecycleRow(command=RunTask, source=TERMINAL, intent=NO, refusal=RefusalCode.TERMINAL),
    # Children may outlive their flow, so a terminal flow hears of them too.
    LifecycleRow(command=UpdateTask, source=ABSENT, refusal=RefusalCode.NOT_FOUND),
    LifecycleRow(command=UpdateTask, source=LIVE, intent=NO, events=REPORTS),
    _settles(UpdateTask, REPORTS),
    LifecycleRow(command=UpdateTask, source=TERMINAL, events=REPORTS),
    LifecycleRow(command=LoseTask, source=ABSENT, refusal=RefusalCode.NOT_FOUND),
    LifecycleRow(command=LoseTask, source=ALL, intent=NO, refusal=RefusalCode.TASK_NOT_SILENT),
    _settles(LoseTask, (TaskEnded,)),
    LifecycleRow(command=LoseTask, source=TERMINAL, intent=YES, events=(TaskEnded,)),
)


def matching_rows(
    command: type[Command], state: State, *, intent: bool, active: bool
) -> tuple[LifecycleRow, ...]:
    """Return the rows that apply to a command in a state: exactly one (a test counts them)."""
    return tuple(
        row
        for row in LIFECYCLE
        if row.command is command
        and state in row.source
        and intent in row.intent
        and active in row.active
    )


_ROW_FOR: Final = {
    (command, state, intent, active): row
    for command in COMMANDS
    for state in (None, *FlowStatus)
    for intent in ANY
    for active in ANY
    for row in matching_rows(command, state, intent=intent, active=active)
}


def row_for(command: type[Command], flow: Flow | None) -> LifecycleRow:
    """Return the row that applies to a command on a flow, or on none."""
    if flow is None:
        return _ROW_FOR[command, None, False, False]
    return _ROW_FOR[command, flow.status, cancel_requested(flow), bool(active_tasks(flow))]
