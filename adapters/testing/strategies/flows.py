"""Flows to generate: any, such as live, ended or pending ones, and those in a state of choice."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import evolve as replace
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from adapters.testing.examples import ended, linked
from adapters.testing.states import given_state
from adapters.testing.strategies.histories import events_of, histories, links, lives, waits
from adapters.testing.strategies.values import active, ends, flow_ids, live, moments, patches
from domain.flow.commands import LoseTask, UpdateTask
from domain.flow.events import (
    Event,
    FlowCancelled,
    FlowCancelRequested,
    FlowFailed,
    FlowResumed,
    FlowSucceeded,
    TaskEnded,
    TaskLinked,
)
from domain.flow.evolve import evolve, fold
from domain.flow.evolve_task import evolve_tasks
from domain.flow.ids import TaskId
from domain.flow.state import Flow
from domain.flow.status import FlowStatus, TaskStatus
from domain.flow.task import Task


def fold_flow(history: Iterable[Event]) -> Flow:
    """Return what a history adds up to."""
    flow = fold(None, history)
    if flow is None:
        raise ValueError("a history without events is no flow")
    return flow


tasks: SearchStrategy[Task] = links.map(lambda link: evolve_tasks((), link)[0])
"""Child tasks in every status."""
flows = histories.map(fold_flow) | lives.map(events_of).map(fold_flow)
"""Flows that commands may have made, and others."""
final_events = st.sampled_from([FlowSucceeded(at=9), FlowFailed(at=9), FlowCancelled(at=9)])
ended_flows = st.builds(evolve, flows, final_events)
live_flows = st.builds(evolve, flows, st.builds(FlowResumed, at=moments, status=live) | waits)


def _pending(flow: Flow, child: TaskLinked) -> Flow:
    ends = (TaskEnded(at=9, task_id=t.task_id, status=TaskStatus.FAILED) for t in flow.tasks)
    return evolve_all(flow, (*ends, FlowCancelRequested(at=9), child))


def evolve_all(flow: Flow, events: Iterable[Event]) -> Flow:
    """Return what a flow has become after some more events."""
    for event in events:
        flow = evolve(flow, event)
    return flow


pending_flows = st.builds(
    _pending, live_flows, st.builds(replace, links, task_id=st.just("last"), status=active)
)
"""Live flows with a cancel intent whose one active child is `last`."""
last_ends: SearchStrategy[UpdateTask | LoseTask] = st.one_of(
    st.builds(
        UpdateTask,
        flow_id=flow_ids,
        task_id=st.just("last"),
        status=ends,
        progress_summary=patches,
    ),
    st.builds(LoseTask, flow_id=flow_ids, task_id=st.just("last"), silent_before=st.just(50)),
)
"""Commands that end the child of a pending flow."""

_settled = st.lists(ends, max_size=2).map(
    lambda statuses: [
        event
        for number, status in enumerate(statuses)
        for event in (linked(TaskId(f"ended-{number}")), ended(TaskId(f"ended-{number}"), status))
    ]
)
_active = st.lists(active, min_size=1, max_size=2).map(
    lambda statuses: [
        linked(TaskId(f"active-{number}"), status) for number, status in enumerate(statuses)
    ]
)


def flows_in(status: FlowStatus, *, intent: bool, busy: bool) -> SearchStrategy[Flow]:
    """Return flows in a state: with or without a cancel intent and active children.

    Also such as no command could have brought there (cancelled without an intent).
    """
    children = st.builds(lambda a, b: [*a, *b], _settled, _active if busy else st.just([]))
    return children.map(lambda events: given_state(status, events, intent=intent).flow)
