"""Commits made by hand, for what the service would never write."""

from __future__ import annotations

from typing import Final

from attrs import evolve as replace

from adapters.store import EventSourcedStore
from adapters.testing import examples
from adapters.testing.examples import CREATED
from domain.application.ports import Commit, FlowStore, IdempotencyRecord
from domain.application.recorded_events import CommandMetadata, to_recorded_events
from domain.flow.events import Event, FlowBeganWaiting, FlowCreated, FlowResumed, TaskLinked
from domain.flow.evolve import fold
from domain.flow.ids import FlowId, Owner, RouteId, TaskId
from domain.flow.state import Flow
from domain.flow.status import FlowStatus, Runtime
from tests.store.service import NOW, ORIGIN, OWNER

WAITS: Final = FlowBeganWaiting(at=NOW + 1)
RESUMES: Final = FlowResumed(at=NOW + 2, status=FlowStatus.RUNNING)


def created(flow_id: FlowId = FlowId("flow-1"), owner: Owner = OWNER) -> FlowCreated:
    """Return the fact that a flow was opened."""
    return replace(CREATED, at=NOW, flow_id=flow_id, owner=owner)


def linked(task_id: TaskId) -> TaskLinked:
    """Return the fact that a child became part of a flow."""
    plain = examples.linked(task_id)
    return replace(plain, at=NOW, runtime=Runtime.ACP, created_at=NOW, last_event_at=NOW)


def folded(*events: Event) -> Flow:
    """Return what some events add up to, the first being a creation."""
    flow = fold(None, events)
    assert flow is not None
    return flow


def refolded(store: EventSourcedStore, flow_id: FlowId) -> Flow:
    """Return what the events of a flow add up to."""
    return folded(*(record.event for record in store.history(flow_id)))


def commit(
    before: Flow | None, *events: Event, origin: CommandMetadata = ORIGIN, skipped: int = 0
) -> Commit:
    """Return the commit of some events on a flow, after a gap of `skipped` versions."""
    flow = fold(before, events)
    assert flow is not None
    records = to_recorded_events(
        events,
        flow_id=flow.flow_id,
        after=flow.version - len(events) + skipped,
        origin=origin,
        now=NOW,
    )
    return Commit(events=records, before=before, flow=flow, request_key=origin.request_key)


def save(store: FlowStore, commit: Commit) -> None:
    """Write a commit, which loses to nobody."""
    assert store.append_many([commit]) == [True]


def loses(store: FlowStore, commit: Commit) -> bool:
    """Try to write a commit, and say whether another writer was first."""
    return store.append_many([commit]) == [False]


def idempotency_record(
    store: FlowStore, key: str, route: str = "zapier"
) -> IdempotencyRecord | None:
    """Return what a request key stands for."""
    ref = (RouteId(route), key)
    return store.load_many({}, [ref]).records.get(ref)
