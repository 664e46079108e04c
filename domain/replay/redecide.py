"""Whether the rules that an event was decided by would bring about again what is recorded.

An event says nearly all that its command said. So the command is made again from the event and the
flow as it was, in each way that could have led there, and decided: one of them must bring about
exactly the recorded events, under a row of the lifecycle table that allows them.

What an event does not keep is taken as favourably as possible: a child may have been given up
however short its silence was, and any agent may have been named.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce

from attrs import evolve as replace

from domain.flow import commands as c
from domain.flow import events as e
from domain.flow.decide import decide
from domain.flow.evolve import evolve
from domain.flow.ids import Owner
from domain.flow.lifecycle import LifecycleRow, row_for
from domain.flow.rules import RULES, DecisionRules
from domain.flow.state import Flow
from domain.replay.task_commands import commands_behind


def is_legal_transition(
    flow: Flow | None, events: Sequence[e.Event], rules: DecisionRules = RULES
) -> bool:
    """Say whether some command brings about exactly these events on a flow as it was, by rules.

    Their moments are not judged, but that they are one.
    """
    first = events[0]
    before = None if flow is None else replace(flow, latest_at=first.at)
    return any(
        _reproduces(before, replace(context, rules=rules), tuple(events))
        for context in _candidate_commands(before, first)
    )


def _reproduces(flow: Flow | None, context: c.CommandContext, events: tuple[e.Event, ...]) -> bool:
    row = row_for(type(context.command), flow)
    return decide(flow, context) == events and _row_allows(row, flow, events)


def _row_allows(row: LifecycleRow, flow: Flow | None, events: tuple[e.Event, ...]) -> bool:
    """Say whether events are such as a row of the table allows."""
    after = reduce(evolve, events[1:], evolve(flow, events[0]))
    moved = after.revision - (0 if flow is None else flow.revision)
    stays = flow is not None and after.status is flow.status
    rests = not row.target or (moved == 0 and flow is not None)
    return (
        {type(event) for event in events} <= set(row.events)
        and moved in row.moves
        and (stays if rests else after.status in row.target)
    )


def _candidate_commands(flow: Flow | None, first: e.Event) -> Iterator[c.CommandContext]:
    """Return what may have been asked for, where this event came of it first."""
    if isinstance(first, e.FlowCreated):
        yield _issued(_creation(first), first.owner, first, new_id=first.flow_id)
        return
    if flow is None:
        return
    new_id = first.task_id if isinstance(first, e.TaskLinked) else ""
    for command in _commands(flow, first):
        yield _issued(command, flow.owner, first, new_id=new_id)


def _issued(command: c.Command, owner: Owner, first: e.Event, *, new_id: str) -> c.CommandContext:
    return c.CommandContext(command=command, owner=owner, at=first.at, new_id=new_id)


def _creation(event: e.FlowCreated) -> c.CreateFlow:
    return c.CreateFlow(
        goal=event.goal,
        controller_id=event.controller_id,
        status=event.status,
        notify_policy=event.notify_policy,
        current_step=event.current_step,
        state_json=event.state_json,
        wait_json=event.wait_json,
    )


def _commands(flow: Flow, first: e.FlowEvent | e.TaskEvent) -> Iterator[c.Command]:
    flow_id, revision = flow.flow_id, flow.revision
    match first:
        case e.FlowBeganWaiting() | e.FlowBecameBlocked():
            yield _waiting(flow, first)
        case e.FlowResumed():
            yield c.ResumeFlow(
                flow_id=flow_id,
                expected_revision=revision,
                status=first.status,
                current_step=first.current_step,
                state_json=first.state_json,
            )
        case e.FlowSucceeded():
            yield c.FinishFlow(
                flow_id=flow_id, expected_revision=revision, state_json=first.state_json
            )
        case e.FlowFailed():
            yield _failing(flow, first)
        case e.FlowCancelRequested() | e.FlowCancelled():
            yield c.RequestCancel(flow_id=flow_id, expected_revision=revision)
            yield c.CancelFlow(flow_id=flow_id)
        case _:
            yield from commands_behind(flow, first)


def _waiting(flow: Flow, event: e.FlowBeganWaiting | e.FlowBecameBlocked) -> c.SetWaiting:
    return c.SetWaiting(
        flow_id=flow.flow_id,
        expected_revision=flow.revision,
        current_step=event.current_step,
        state_json=event.state_json,
        wait_json=event.wait_json,
        blocked_task_id=event.blocked_task_id,
        blocked_summary=event.blocked_summary,
    )


def _failing(flow: Flow, event: e.FlowFailed) -> c.FailFlow:
    return c.FailFlow(
        flow_id=flow.flow_id,
        expected_revision=flow.revision,
        state_json=event.state_json,
        blocked_task_id=event.blocked_task_id,
        blocked_summary=event.blocked_summary,
    )
