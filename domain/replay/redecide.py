"""Decides again: do the rules that an event was decided by lead to what is recorded?

An event holds nearly all of its command. So each command that may have led to it is made from the
event and the flow as it was, and decided: one of them must lead to exactly the recorded events,
under a row of the lifecycle table that allows them.

What an event does not hold is taken as favourably as possible: a child may have been given up
however fresh its news, and any agent may have been named.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from typing import Any, Final, assert_never

from attrs import asdict
from attrs import evolve as replace

from domain.flow import commands as c
from domain.flow import events as e
from domain.flow.decide import decide
from domain.flow.decide_wait import row_of
from domain.flow.evolve import evolve
from domain.flow.evolve_task import evolve_tasks
from domain.flow.ids import CallerId, Owner
from domain.flow.lifecycle import LifecycleRow
from domain.flow.rules import RULES, DecisionRules
from domain.flow.state import Flow
from domain.flow.status import TaskStatus
from domain.flow.task import find_task


def is_legal_transition(
    flow: Flow | None,
    events: Sequence[e.Event],
    rules: DecisionRules = RULES,
    caller: CallerId | None = None,
) -> bool:
    """Say whether some command of a caller leads to exactly these events on a flow, by some rules.

    Their moments are not compared, but must be one.
    """
    first = events[0]
    before = None if flow is None else replace(flow, latest_at=first.at)
    return any(
        _reproduces(before, replace(context, rules=rules, caller=caller), tuple(events))
        for context in _candidate_commands(before, first)
    )


def _reproduces(flow: Flow | None, context: c.CommandContext, events: tuple[e.Event, ...]) -> bool:
    row = row_of(flow, context)
    return decide(flow, context) == events and _row_allows(row, flow, events)


def _row_allows(row: LifecycleRow, flow: Flow | None, events: tuple[e.Event, ...]) -> bool:
    """Say whether a row of the table allows events."""
    after = reduce(evolve, events[1:], evolve(flow, events[0]))
    moved = after.revision - (0 if flow is None else flow.revision)
    stays = flow is not None and after.status is flow.status
    must_stay = not row.target or (moved == 0 and flow is not None)
    return (
        {type(event) for event in events} <= set(row.events)
        and moved in row.moves
        and (stays if must_stay else after.status in row.target)
    )


def _candidate_commands(flow: Flow | None, first: e.Event) -> Iterator[c.CommandContext]:
    """Return the commands whose first event may be this one."""
    if isinstance(first, e.FlowCreated):
        fields = _held(first, "flow_id", "owner", "requester")
        command = c.CreateFlow(**fields, separate_approver=first.requester is not None)
        yield _context(command, first.owner, first, new_id=first.flow_id)
    elif flow is not None:
        new_id = first.task_id if isinstance(first, e.TaskLinked) else ""
        for each in _commands(flow, first):
            yield _context(each, flow.owner, first, new_id=new_id)


def _context(command: c.Command, owner: Owner, first: e.Event, *, new_id: str) -> c.CommandContext:
    return c.CommandContext(command=command, owner=owner, at=first.at, new_id=new_id)


_COMMAND_OF: Final[Mapping[type[e.Event], type[c.Revisioned]]] = {
    e.FlowResumed: c.ResumeFlow,
    e.FlowSucceeded: c.FinishFlow,
    e.FlowFailed: c.FailFlow,
    e.FlowCancelRequested: c.RequestCancel,
}


def _commands(
    flow: Flow, first: e.FlowEvent | e.FlowResumeKept | e.TaskEvent
) -> Iterator[c.Command]:
    if isinstance(first, e.TaskEvent):
        yield from _task_commands(flow, first)
        return
    if isinstance(first, e.FlowBeganWaiting | e.FlowBecameBlocked):
        separate = first.requester is not None
        wait = c.SetWaiting(
            flow_id=flow.flow_id,
            expected_revision=flow.revision,
            separate_approver=separate,
            **_held(first, "requester"),
        )
        yield wait
    if isinstance(first, e.FlowResumeKept):
        yield c.ResumeEarly(
            flow_id=flow.flow_id, expected_revision=flow.revision, **_held(first, "caller")
        )
    if isinstance(first, e.FlowResumedByLink):
        yield c.FollowLink(flow_id=flow.flow_id, link_hash=first.link_hash)
    if isinstance(first, e.FlowWaitExpired) and flow.until is not None:
        yield c.ExpireWait(flow_id=flow.flow_id, until=flow.until)
    if command := _COMMAND_OF.get(type(first)):
        yield command(flow_id=flow.flow_id, expected_revision=flow.revision, **_held(first))
    if isinstance(first, e.FlowCancelRequested | e.FlowCancelled):
        yield c.CancelFlow(flow_id=flow.flow_id)


_DESCRIPTION: Final = (
    *("runtime", "task", "source_id", "child_session_key", "parent_task_id"),
    *("agent_id", "run_id", "label", "notify_policy"),
)


def _held(event: e.Event, *but: str) -> dict[str, Any]:
    """Return the fields of an event but for its moment and those that are named."""
    fields = asdict(event, recurse=False)
    return {name: value for name, value in fields.items() if name not in {"at", *but}}


def _task_commands(flow: Flow, event: e.TaskEvent) -> Iterator[c.RunTask | c.UpdateTask]:
    """Return the commands whose first event may be this one.

    A task that was given up is taken for one that was reported as lost: `decide` returns the same
    events, and how long it was stale is not recorded.
    """
    match event:
        case e.TaskLinked():
            yield from _links(flow, event)
        case e.TaskDescribed():
            yield from _descriptions(flow, event)
        case e.TaskStarted() | e.TaskProgressed():
            yield c.UpdateTask(flow_id=flow.flow_id, status=TaskStatus.RUNNING, **_held(event))
        case e.TaskEnded():
            yield c.UpdateTask(flow_id=flow.flow_id, **_held(event))
        case _:
            assert_never(event)


def _links(flow: Flow, event: e.TaskLinked) -> Iterator[c.RunTask]:
    """Return the ways to link a task: its caller reported a moment, or left it to be derived."""
    if find_task(flow.tasks, event.task_id) is not None:
        return  # ids are new, so nothing links a task again under one that is known
    fields = _held(event, "task_id", "created_at", "last_event_at")
    for reported in (None, event.last_event_at, event.created_at):
        yield c.RunTask(flow_id=flow.flow_id, last_event_at=reported, **fields)


def _descriptions(flow: Flow, event: e.TaskDescribed) -> Iterator[c.RunTask]:
    known = find_task(flow.tasks, event.task_id)
    if known is None:
        return
    (described,) = evolve_tasks((known,), event)
    fields: dict[str, Any] = {name: getattr(described, name) for name in _DESCRIPTION}
    for preferred in (False, True):
        yield c.RunTask(flow_id=flow.flow_id, prefer_metadata=preferred, **fields)
