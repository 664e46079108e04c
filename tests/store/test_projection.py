"""The library's projector: a snapshot and what came later, without gaps."""

from __future__ import annotations

import re

import pytest
from attrs import evolve as replace
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.store import EventSourcedStore
from adapters.store.snapshot import FlowSnapshot, project
from domain.application.recorded_events import RecordedEvent
from domain.flow.events import EVENTS, Event, FlowCreated
from domain.flow.evolve import BrokenHistory, fold
from domain.flow.ids import FlowId
from tests.store.commits import RESUMES, WAITS, commit, created, folded, save
from tests.store.kinds import ON_SQLITE
from tests.store.strategies import instances
from tests.store.tables import execute

LATER = st.lists(st.one_of([instances(e) for e in EVENTS if e is not FlowCreated]), max_size=8)


def _records(*events: Event) -> tuple[RecordedEvent, ...]:
    return commit(None, *events).events


@settings(deadline=None)
@given(instances(FlowCreated), LATER, st.data())
def test_a_snapshot_and_later_events_add_up_to_the_fold_of_all(
    first: FlowCreated, later: list[Event], data: st.DataObject
) -> None:
    events = (first, *later)
    cut = data.draw(st.integers(min_value=1, max_value=len(events)))
    snapshot = FlowSnapshot(first.flow_id, cut, folded(*events[:cut]))
    records = _records(*events)
    assert project(None, records) == fold(None, events)
    assert project(None, [snapshot, *records[cut:]]) == fold(None, events)
    assert project(snapshot.flow, records[cut:]) == fold(None, events)


def test_nothing_adds_up_to_no_flow() -> None:
    assert project(None, []) is None


@pytest.mark.parametrize(
    ("kept", "complaint"),
    [
        ([1, 2], "version 2 follows where 1 was due"),
        ([0, 2], "version 3 follows where 2 was due"),
        ([0, 1, 1], "version 2 follows where 3 was due"),
        ([0, 2, 1], "version 3 follows where 2 was due"),
    ],
)
def test_a_stream_with_a_gap_or_a_repetition_is_broken(kept: list[int], complaint: str) -> None:
    records = _records(created(), WAITS, RESUMES)
    with pytest.raises(BrokenHistory, match=re.escape(f"flow flow-1: {complaint}")):
        project(None, [records[i] for i in kept])


def test_a_gap_after_a_snapshot_is_broken() -> None:
    records = _records(created(), WAITS, RESUMES)
    with pytest.raises(BrokenHistory, match="version 3 follows where 2 was due"):
        project(None, [FlowSnapshot(FlowId("flow-1"), 1, folded(created())), records[2]])


def test_a_stream_that_holds_the_creation_of_another_flow_is_broken() -> None:
    moved = [
        replace(record, flow_id=FlowId("flow-2"))
        for record in _records(created(FlowId("flow-1")), WAITS)
    ]
    with pytest.raises(BrokenHistory, match="flow flow-2: its events are those of flow flow-1"):
        project(None, moved)


def test_a_snapshot_of_another_flow_is_not_taken_for_this_one() -> None:
    with pytest.raises(BrokenHistory, match="flow flow-2: its snapshot is of flow flow-1 at"):
        project(None, [FlowSnapshot(FlowId("flow-2"), 1, folded(created(FlowId("flow-1"))))])
    with pytest.raises(BrokenHistory, match="its snapshot is of flow flow-1 at version 1"):
        project(None, [FlowSnapshot(FlowId("flow-1"), 2, folded(created(FlowId("flow-1"))))])


@ON_SQLITE
def test_a_snapshot_among_the_events_is_broken(store: EventSourcedStore) -> None:
    save(store, commit(None, created()))
    execute(
        store,
        "INSERT INTO stored_events SELECT originator_id, 2, topic, state FROM stored_snapshots",
    )
    with pytest.raises(BrokenHistory, match="flow flow-1: a snapshot lies among its events"):
        list(store.history(FlowId("flow-1")))
    with pytest.raises(BrokenHistory, match="a snapshot lies among its events"):
        list(store.log())
