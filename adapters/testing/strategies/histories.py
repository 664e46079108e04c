"""Histories to generate: such as commands bring about, any that can be read, and illegal ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from attrs import frozen
from hypothesis import strategies as st

from adapters.testing.examples import FLOW, OWNER
from adapters.testing.strategies.commands import WILD, creations, flow_commands
from adapters.testing.strategies.values import (
    flow_ids,
    json_patches,
    jsons,
    maybe,
    moments,
    outcomes,
    patches,
    policies,
    task_ids,
    texts,
)
from adapters.testing.targeting import at_revision_of
from domain.flow.commands import CommandContext, CreateFlow, FlowCommand
from domain.flow.decide import Decision, decide
from domain.flow.events import (
    Event,
    FlowBecameBlocked,
    FlowBeganWaiting,
    FlowCancelled,
    FlowCancelRequested,
    FlowCreated,
    FlowEvent,
    FlowFailed,
    FlowResumed,
    FlowSucceeded,
    TaskDescribed,
    TaskEnded,
    TaskEvent,
    TaskLinked,
    TaskProgressed,
    TaskStarted,
)
from domain.flow.evolve import fold
from domain.flow.refusals import Refusal
from domain.flow.state import Flow
from domain.flow.status import FlowStatus, Runtime, TaskStatus
from domain.flow.values import KEEP

History: TypeAlias = tuple[Event, ...]

creation_events = st.builds(
    FlowCreated,
    at=moments,
    flow_id=flow_ids,
    owner=st.just(OWNER),
    controller_id=texts,
    goal=texts,
    status=st.sampled_from(FlowStatus),
    notify_policy=policies,
    current_step=maybe,
    state_json=st.none() | jsons,
    wait_json=st.none() | jsons,
)
"""Also in a terminal status, as no command creates it."""

links = st.builds(
    TaskLinked,
    at=moments,
    task_id=task_ids,
    runtime=st.sampled_from(Runtime),
    task=texts,
    status=st.sampled_from(TaskStatus),
    agent_id=texts,
    notify_policy=policies,
    created_at=moments,
    last_event_at=moments,
    run_id=maybe,
    label=maybe,
    progress_summary=maybe,
)
waits: st.SearchStrategy[FlowEvent] = st.one_of(
    st.builds(FlowBeganWaiting, at=moments, wait_json=json_patches, blocked_task_id=patches),
    st.builds(FlowBecameBlocked, at=moments, current_step=patches, blocked_summary=patches),
)
endings: st.SearchStrategy[FlowEvent] = st.one_of(
    st.builds(FlowSucceeded, at=moments, state_json=json_patches),
    st.builds(FlowFailed, at=moments, state_json=json_patches, blocked_summary=patches),
    st.builds(FlowCancelled, at=moments),
)
moves: st.SearchStrategy[FlowEvent] = st.one_of(
    waits,
    st.builds(FlowResumed, at=moments, status=st.sampled_from(FlowStatus)),
    endings,
    st.builds(FlowCancelRequested, at=moments),
)
"""Events that move a flow's revision."""
task_events: st.SearchStrategy[TaskEvent] = st.one_of(
    links,
    st.builds(TaskDescribed, at=moments, task_id=task_ids, label=st.just(KEEP) | texts),
    st.builds(TaskStarted, at=moments, task_id=task_ids, progress_summary=patches),
    st.builds(TaskProgressed, at=moments, task_id=task_ids, progress_summary=patches),
    st.builds(
        TaskEnded,
        at=moments,
        task_id=task_ids,
        status=st.sampled_from(TaskStatus),
        terminal_outcome=outcomes,
        error=maybe,
    ),
)
later_events: st.SearchStrategy[FlowEvent | TaskEvent] = moves | task_events

histories = st.builds(
    lambda first, rest: (first, *rest), creation_events, st.lists(later_events, max_size=12)
)
"""Any events after a creation, also such as no commands bring about: they can be read."""


@frozen
class DecidedStep:
    """A command as it was decided in a history."""

    before: Flow | None
    issued: CommandContext
    decision: Decision

    @property
    def events(self) -> History:
        """What it brought about."""
        return () if isinstance(self.decision, Refusal) else self.decision

    @property
    def after(self) -> Flow | None:
        """The flow thereafter."""
        return fold(self.before, self.events)


def play(first: CreateFlow, rest: Sequence[tuple[FlowCommand, int]]) -> list[DecidedStep]:
    """Decide commands one after another, each at the flow's own revision, with counted ids."""
    steps: list[DecidedStep] = []
    flow: Flow | None = None
    for count, (command, at) in enumerate([(first, 0), *rest]):
        new_id = f"task-{count}" if count else FLOW
        aimed = at_revision_of(flow, command)
        wish = CommandContext(command=aimed, owner=OWNER, at=at, new_id=new_id)
        steps.append(DecidedStep(flow, wish, decide(flow, wish)))
        flow = steps[-1].after
    return steps


def events_of(life: Iterable[DecidedStep]) -> History:
    """Return all that commands brought about."""
    return tuple(event for step in life for event in step.events)


lives = st.builds(
    play, creations(WILD), st.lists(st.tuples(flow_commands, moments), min_size=1, max_size=12)
)
"""Histories as commands bring them about, step by step."""
legal_histories: st.SearchStrategy[History] = lives.map(events_of)


def _with_an_afterlife(life: History, ending: Event, later: Event) -> History:
    return (*life, ending, later)


def _created_twice(life: History, cut: int) -> History:
    at = 1 + cut % len(life)
    return (*life[:at], life[0], *life[at:])


afterlives = st.builds(_with_an_afterlife, legal_histories, endings, moves)
"""Histories in which a flow moves after its end; they can be read, and are illegal."""
unreadable_histories: st.SearchStrategy[History] = st.one_of(
    st.lists(later_events, min_size=1, max_size=5).map(tuple),
    st.builds(_created_twice, legal_histories, st.integers(0, 11)),
)
"""Histories that no stream can be: without a creation, or with two."""
illegal_histories = afterlives | unreadable_histories
