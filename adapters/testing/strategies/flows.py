"""Flows to generate: any, live, ended or pending ones, and those in a state of choice."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from adapters.testing.examples import ended, linked
from adapters.testing.states import given_state
from adapters.testing.strategies.alphabet import WILD
from adapters.testing.strategies.histories import histories, legal_histories, waits
from domain.flow import events as e
from domain.flow.commands import LoseTask, UpdateTask
from domain.flow.evolve import evolve, fold
from domain.flow.evolve_task import evolve_tasks
from domain.flow.ids import TaskId
from domain.flow.state import Flow
from domain.flow.status import ACTIVE, ENDED, LIVE, FlowStatus, TaskStatus
from domain.flow.task import Task

LAST = TaskId("last")


def fold_flow(history: Iterable[e.Event]) -> Flow:
    """Return the flow of a history."""
    flow = fold(None, history)
    if flow is None:
        raise ValueError("a history without events is no flow")
    return flow


tasks: SearchStrategy[Task] = WILD.of(e.TaskLinked).map(lambda link: evolve_tasks((), link)[0])
"""Child tasks in every status."""
flows = (histories | legal_histories).map(fold_flow)
"""Flows that commands may have made, and others."""
final_events = st.sampled_from([e.FlowSucceeded(at=9), e.FlowFailed(at=9), e.FlowCancelled(at=9)])
ended_flows = st.builds(evolve, flows, final_events)
live_flows = st.builds(evolve, flows, WILD.of(e.FlowResumed, status=sorted(LIVE)) | waits)


def _pending(flow: Flow, task: e.TaskLinked) -> Flow:
    ends = (e.TaskEnded(at=9, task_id=t.task_id, status=TaskStatus.FAILED) for t in flow.tasks)
    for end in ends:
        flow = evolve(flow, end)
    return evolve(evolve(flow, e.FlowCancelRequested(at=9)), task)


pending_flows = st.builds(
    _pending, live_flows, WILD.of(e.TaskLinked, task_id=[LAST], status=sorted(ACTIVE))
)
"""Live flows with a cancel intent whose one active child is `last`."""
last_ends: SearchStrategy[UpdateTask | LoseTask] = st.one_of(
    WILD.of(UpdateTask, task_id=[LAST], status=sorted(ENDED)),
    WILD.of(LoseTask, task_id=[LAST], silent_before=[50], task_events=[None]),
)
"""Commands that end the child of a pending flow."""


def flows_in(status: FlowStatus, *, intent: bool, busy: bool) -> SearchStrategy[Flow]:
    """Return flows in a state: with or without a cancel intent and active children.

    Also such as no command could have brought there (cancelled without an intent).
    """
    ends = st.lists(st.sampled_from(sorted(ENDED)), max_size=2)
    active = st.lists(st.sampled_from(sorted(ACTIVE)), min_size=1, max_size=2)
    tasks = st.tuples(ends, active if busy else st.just([]))
    return tasks.map(lambda drawn: given_state(status, _linked(*drawn), intent=intent).flow)


def _linked(ends: Iterable[TaskStatus], active: Iterable[TaskStatus]) -> Iterable[e.Event]:
    for number, status in enumerate(ends):
        yield linked(TaskId(f"ended-{number}"))
        yield ended(TaskId(f"ended-{number}"), status)
    for number, status in enumerate(active):
        yield linked(TaskId(f"active-{number}"), status)
