"""Histories and flows to generate: such as commands bring about, and others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from attrs import evolve as replace
from attrs import frozen
from hypothesis import strategies as st

from domain.commands import CreateFlow, FlowCommand, Issued, LoseTask, UpdateTask
from domain.decide import Decision, decide
from domain.events import (
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
from domain.evolve import evolve, fold
from domain.flow import Flow
from domain.refusals import Refusal
from domain.status import ENDED, FlowStatus, Runtime, TaskStatus
from domain.values import KEEP
from tests.core.scenario import FLOW, OWNER
from tests.core.states import at_revision_of
from tests.core.strategies import (
    active,
    creations,
    flow_commands,
    flow_ids,
    json_patches,
    jsons,
    live,
    maybe,
    moments,
    outcomes,
    patches,
    policies,
    task_ids,
    texts,
)

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
later_waits: st.SearchStrategy[FlowEvent] = st.one_of(
    st.builds(FlowBeganWaiting, at=moments, wait_json=json_patches, blocked_task_id=patches),
    st.builds(FlowBecameBlocked, at=moments, current_step=patches, blocked_summary=patches),
)
later_events: st.SearchStrategy[FlowEvent | TaskEvent] = st.one_of(
    later_waits,
    st.builds(FlowResumed, at=moments, status=st.sampled_from(FlowStatus)),
    st.builds(FlowSucceeded, at=moments, state_json=json_patches),
    st.builds(FlowFailed, at=moments, state_json=json_patches, blocked_summary=patches),
    st.builds(FlowCancelRequested, at=moments),
    st.builds(FlowCancelled, at=moments),
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
histories = st.builds(
    lambda first, rest: (first, *rest), creation_events, st.lists(later_events, max_size=12)
)
"""Any events after a creation, also such as no commands bring about."""


@frozen
class Step:
    """A command as it was decided in a history."""

    before: Flow | None
    issued: Issued
    decision: Decision

    @property
    def after(self) -> Flow | None:
        """The flow thereafter."""
        return (
            self.before if isinstance(self.decision, Refusal) else fold(self.before, self.decision)
        )


def play(first: CreateFlow, rest: Sequence[tuple[FlowCommand, int]]) -> list[Step]:
    """Decide commands one after another, each at the flow's own revision, with counted ids."""
    steps: list[Step] = []
    flow: Flow | None = None
    for count, (command, at) in enumerate([(first, 0), *rest]):
        new_id = f"task-{count}" if count else FLOW
        aimed = at_revision_of(flow, command)
        wish = Issued(command=aimed, owner=OWNER, at=at, new_id=new_id)
        steps.append(Step(flow, wish, decide(flow, wish)))
        flow = steps[-1].after
    return steps


lives = st.builds(
    play, creations, st.lists(st.tuples(flow_commands, moments), min_size=1, max_size=12)
)
"""Histories as commands bring them about, step by step."""


def told(history: Iterable[Event]) -> Flow:
    """Return what a history adds up to."""
    flow = fold(None, history)
    assert flow is not None
    return flow


def outcome_of(life: Sequence[Step]) -> Flow:
    """Return the flow at the end of a life."""
    flow = life[-1].after
    assert flow is not None
    return flow


flows = histories.map(told) | lives.map(outcome_of)
"""Flows that commands may have made, and others."""
endings = st.sampled_from([FlowSucceeded(at=9), FlowFailed(at=9), FlowCancelled(at=9)])
ended_flows = st.builds(evolve, flows, endings)
live_flows = st.builds(evolve, flows, st.builds(FlowResumed, at=moments, status=live) | later_waits)


def _pending(flow: Flow, child: TaskLinked) -> Flow:
    ends = (TaskEnded(at=9, task_id=t.task_id, status=TaskStatus.FAILED) for t in flow.tasks)
    pending = fold(flow, (*ends, FlowCancelRequested(at=9), child))
    assert pending is not None
    return pending


pending_flows = st.builds(
    _pending, live_flows, st.builds(replace, links, task_id=st.just("last"), status=active)
)
"""Live flows with a cancel intent whose one active child is `last`."""
last_ends: st.SearchStrategy[UpdateTask | LoseTask] = st.one_of(
    st.builds(
        UpdateTask,
        flow_id=flow_ids,
        task_id=st.just("last"),
        status=st.sampled_from(sorted(ENDED)),
        progress_summary=patches,
    ),
    st.builds(LoseTask, flow_id=flow_ids, task_id=st.just("last"), silent_before=st.just(50)),
)
