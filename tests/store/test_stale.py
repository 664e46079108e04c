"""Which flows wait for children that nobody hears of: the question that the sweep asks."""

from __future__ import annotations

from attrs import evolve as replace

from adapters.store import EventSourcedStore
from domain.application.sweep import StaleFlow
from domain.flow.events import FlowCancelRequested, TaskEnded, TaskProgressed
from domain.flow.ids import FlowId, TaskId
from domain.flow.status import TaskStatus
from tests.store.commits import commit, created, folded, linked, save
from tests.store.service import NOW, OWNER, STRANGER

INTENT = FlowCancelRequested(at=NOW)


def test_a_flow_with_an_intent_waits_for_its_most_silent_child(store: EventSourcedStore) -> None:
    later = replace(linked(TaskId("task-2")), at=NOW + 5, last_event_at=NOW + 5)
    save(store, commit(None, created(), linked(TaskId("task-1")), later, INTENT))
    assert store.stale(NOW - 1, 10) == []
    assert store.stale(NOW, 10) == [StaleFlow(OWNER, FlowId("flow-1"))]
    news = TaskProgressed(at=NOW + 9, task_id=TaskId("task-1"))
    before = folded(created(), linked(TaskId("task-1")), later, INTENT)
    save(store, commit(before, news))
    assert store.stale(NOW + 4, 10) == []
    assert store.stale(NOW + 5, 10) == [StaleFlow(OWNER, FlowId("flow-1"))]


def test_a_flow_without_an_intent_or_without_active_children_waits_for_none(
    store: EventSourcedStore,
) -> None:
    end = TaskEnded(at=NOW, task_id=TaskId("task-1"), status=TaskStatus.FAILED)
    save(store, commit(None, created(FlowId("flow-1")), linked(TaskId("task-1"))))
    save(store, commit(None, created(FlowId("flow-2")), INTENT))
    save(store, commit(None, created(FlowId("flow-3")), linked(TaskId("task-1")), INTENT, end))
    assert store.stale(NOW + 10**6, 10) == []


def test_the_most_silent_come_first_and_no_more_than_asked_for(store: EventSourcedStore) -> None:
    for number, owner in enumerate([OWNER, STRANGER, OWNER]):
        at = NOW + 10 - number
        child = replace(linked(TaskId("task-1")), at=at, last_event_at=at)
        save(store, commit(None, created(FlowId(f"flow-{number}"), owner), child, INTENT))
    assert store.stale(NOW + 10, 2) == [
        StaleFlow(OWNER, FlowId("flow-2")),
        StaleFlow(STRANGER, FlowId("flow-1")),
    ]
    assert len(store.stale(NOW + 10, 10)) == 3


def test_a_flow_whose_children_all_gave_news_after_a_moment_is_ahead_of_it(
    store: EventSourcedStore,
) -> None:
    later = replace(linked(TaskId("task-2")), at=NOW + 5, last_event_at=NOW + 5)
    save(store, commit(None, created(FlowId("flow-1")), linked(TaskId("task-1")), later, INTENT))
    save(store, commit(None, created(FlowId("flow-2")), linked(TaskId("task-1"))))
    assert store.ahead(NOW - 1, 10) == [StaleFlow(OWNER, FlowId("flow-1"))]
    assert store.ahead(NOW - 1, 0) == []
    assert store.ahead(NOW, 10) == []
