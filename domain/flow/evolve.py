"""How a flow changes by what happened to it: `evolve` for one event, `fold` for many."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from typing import assert_never

from attrs import asdict

from domain.flow import events as e
from domain.flow.evolve_task import Tasks, evolve_tasks
from domain.flow.ids import CallerId
from domain.flow.replace import replace
from domain.flow.state import Flow, KeptResume
from domain.flow.status import WAITS, FlowStatus, OnTimeout
from domain.flow.task import Task
from domain.flow.values import JSON_NULL, KEEP, Timestamp, patched


class BrokenHistory(Exception):  # noqa: N818 - the field's term; raised only for a damaged store
    """A stream that cannot be one: it does not begin with its creation, or is created twice."""


def fold(flow: Flow | None, events: Iterable[e.Event]) -> Flow | None:
    """Return what a flow has become after some events."""
    return reduce(evolve, events, flow)


def evolve(flow: Flow | None, event: e.Event) -> Flow:
    """Return what a flow has become after one event.

    It judges nothing: any event after the creation is accepted, so that every history can be read.

    Raises:
        BrokenHistory: if a creation is missing or repeated.
    """
    if isinstance(event, e.FlowCreated):
        return _created(flow, event)
    if flow is None:
        raise BrokenHistory(f"{type(event).__name__} comes before the flow was created")
    step = replace(flow, version=flow.version + 1, latest_at=event.at)
    if isinstance(event, e.TaskEvent):
        return _with_task(step, event)
    if isinstance(event, e.FlowResumeKept):
        kept = asdict(event, recurse=False, filter=lambda field, _: field.name != "at")
        return replace(step, kept_resume=KeptResume(**kept))
    return _moved(step, event)


def _created(flow: Flow | None, event: e.FlowCreated) -> Flow:
    if flow is not None:
        raise BrokenHistory(f"flow {flow.flow_id} is created twice")
    return Flow(
        flow_id=event.flow_id,
        owner=event.owner,
        controller_id=event.controller_id,
        goal=event.goal,
        status=event.status,
        notify_policy=event.notify_policy,
        current_step=event.current_step,
        state_json=event.state_json,
        wait_json=event.wait_json,
        correlation_key=event.correlation_key,
        created_at=event.at,
        updated_at=event.at,
        latest_at=event.at,
        requesters=_requesters((), event) if event.status in WAITS else (),
    )


def _with_task(flow: Flow, event: e.TaskEvent) -> Flow:
    """Return a flow after an event of one of its tasks, be it with it or not."""
    tasks = evolve_tasks(flow.tasks, event)
    return replace(
        flow,
        tasks=tasks,
        counts=flow.counts.changed(_those(flow.tasks, event), _those(tasks, event)),
    )


def _those(tasks: Tasks, event: e.TaskEvent) -> Iterable[Task]:
    return (task for task in tasks if task.task_id == event.task_id)


def _moved(flow: Flow, event: e.FlowEvent) -> Flow:  # noqa: C901, PLR0911 - a line an event
    flow = replace(flow, revision=flow.revision + 1, updated_at=event.at)
    match event:
        case e.FlowBeganWaiting():
            return _waiting(flow, event, FlowStatus.WAITING)
        case e.FlowBecameBlocked():
            return _waiting(flow, event, FlowStatus.BLOCKED)
        case e.FlowResumed():
            return replace(
                _unblocked(flow),
                status=event.status,
                current_step=patched(flow.current_step, event.current_step),
                state_json=patched(flow.state_json, event.state_json),
            )
        case e.FlowResumedByLink():
            resumed = replace(_unblocked(flow), status=FlowStatus.QUEUED)
            return replace(resumed, used_link=event.link_hash)
        case e.FlowWaitExpired():
            if event.on_timeout is OnTimeout.RESUME:
                return replace(_unblocked(flow), status=FlowStatus.QUEUED)
            return replace(_ended(flow, FlowStatus.FAILED, event.at), wait_json=JSON_NULL)
        case e.FlowSucceeded():
            ended = _ended(_unblocked(flow), FlowStatus.SUCCEEDED, event.at)
            return replace(ended, state_json=patched(flow.state_json, event.state_json))
        case e.FlowFailed():
            return _failed(flow, event)
        case e.FlowCancelRequested():
            return replace(flow, cancel_requested_at=event.at)
        case e.FlowCancelled():
            return _ended(_unblocked(flow), FlowStatus.CANCELLED, event.at)
        case _:
            assert_never(event)


def _waiting(
    flow: Flow, event: e.FlowBeganWaiting | e.FlowBecameBlocked, status: FlowStatus
) -> Flow:
    return replace(
        flow,
        status=status,
        current_step=patched(flow.current_step, event.current_step),
        state_json=patched(flow.state_json, event.state_json),
        wait_json=patched(flow.wait_json, event.wait_json),
        blocked_task_id=patched(flow.blocked_task_id, event.blocked_task_id),
        blocked_summary=patched(flow.blocked_summary, event.blocked_summary),
        until=patched(flow.until, event.until),
        on_timeout=flow.on_timeout if event.until is KEEP else event.on_timeout,
        link_hash=patched(flow.link_hash, event.link_hash),
        used_link=None,
        requesters=_requesters(flow.requesters, event),
        kept_resume=None,
    )


def _requesters(
    known: tuple[CallerId, ...], event: e.FlowCreated | e.FlowBeganWaiting | e.FlowBecameBlocked
) -> tuple[CallerId, ...]:
    requester = event.requester
    return known if requester is None or requester in known else (*known, requester)


def _failed(flow: Flow, event: e.FlowFailed) -> Flow:
    return replace(
        _ended(flow, FlowStatus.FAILED, event.at),
        state_json=patched(flow.state_json, event.state_json),
        wait_json=JSON_NULL,
        blocked_task_id=patched(flow.blocked_task_id, event.blocked_task_id),
        blocked_summary=patched(flow.blocked_summary, event.blocked_summary),
    )


def _unblocked(flow: Flow) -> Flow:
    # NOTE: wait data is cleared to the JSON null, also where it was never set: it is then shown.
    over = _wait_over(flow)
    return replace(over, wait_json=JSON_NULL, blocked_task_id=None, blocked_summary=None)


def _wait_over(flow: Flow) -> Flow:
    return replace(flow, until=None, on_timeout=None, link_hash=None, requesters=())


def _ended(flow: Flow, status: FlowStatus, at: Timestamp) -> Flow:
    return replace(_wait_over(flow), status=status, ended_at=at, kept_resume=None)
