"""One transaction for a commit: its events and all that follows from them, or nothing of it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from adapters.store import EventSourcedStore
from domain.application.ports import Commit, IdempotencyRecord
from domain.flow.events import FlowCancelRequested, TaskEnded
from domain.flow.evolve import BrokenHistory
from domain.flow.ids import FlowId, TaskId
from domain.flow.state import Flow
from domain.flow.status import TaskStatus
from tests.store.commits import (
    RESUMES,
    WAITS,
    commit,
    created,
    folded,
    idempotency_record,
    linked,
    loses,
    save,
)
from tests.store.kinds import ON_SQLITE
from tests.store.service import NOW, OWNER, STRANGER, keyed
from tests.store.tables import DERIVED, EVENTS, INDEX, SNAPSHOTS, contents, delete_caches, rows


def test_a_commit_writes_its_events_the_snapshot_the_index_row_and_the_request_key(
    store: EventSourcedStore,
) -> None:
    save(store, commit(None, created(), WAITS, origin=keyed("k")))
    assert [row[:3] for row in rows(store, EVENTS)] == [
        ("flow-1", 1, "taskflow.flow_created.v1"),
        ("flow-1", 2, "taskflow.flow_began_waiting.v1"),
    ]
    assert [row[:3] for row in rows(store, SNAPSHOTS)] == [
        ("flow-1", 2, "taskflow.flow_snapshot.v1")
    ]
    assert rows(store, INDEX) == [("flow-1", OWNER, 1, "waiting", None)]
    assert idempotency_record(store, "k") == IdempotencyRecord(
        request_hash="hash-1", flow_id=FlowId("flow-1"), version=2, task_id=None
    )


def test_a_later_commit_moves_the_snapshot_and_the_index_row(store: EventSourcedStore) -> None:
    save(store, commit(None, created()))
    save(store, commit(None, created(FlowId("flow-2"))))
    save(store, commit(folded(created()), WAITS))
    assert [row[:2] for row in rows(store, SNAPSHOTS)] == [("flow-1", 2), ("flow-2", 1)]
    assert rows(store, INDEX) == [
        ("flow-1", OWNER, 1, "waiting", None),
        ("flow-2", OWNER, 2, "queued", None),
    ]


def test_the_index_says_since_when_a_child_is_silent_while_a_cancellation_waits(
    store: EventSourcedStore,
) -> None:
    intent = FlowCancelRequested(at=NOW + 9)
    end = TaskEnded(at=NOW + 10, task_id=TaskId("task-1"), status=TaskStatus.SUCCEEDED)
    save(store, commit(None, created(), linked(TaskId("task-1"))))
    assert rows(store, INDEX) == [("flow-1", OWNER, 1, "queued", None)]
    save(store, commit(folded(created(), linked(TaskId("task-1"))), intent))
    assert rows(store, INDEX) == [("flow-1", OWNER, 1, "queued", NOW)]
    save(store, commit(folded(created(), linked(TaskId("task-1")), intent), end))
    assert rows(store, INDEX) == [("flow-1", OWNER, 1, "queued", None)]


def test_a_commit_whose_request_key_is_taken_leaves_nothing(store: EventSourcedStore) -> None:
    save(store, commit(None, created(), origin=keyed("k")))
    before = contents(store)
    assert loses(store, commit(folded(created()), WAITS, RESUMES, origin=keyed("k", "hash-2")))
    assert loses(store, commit(None, created(FlowId("flow-2")), origin=keyed("k")))
    assert contents(store) == before
    save(store, commit(folded(created()), WAITS))


def test_a_version_that_is_taken_is_a_conflict_and_leaves_nothing(
    store: EventSourcedStore,
) -> None:
    save(store, commit(None, created()))
    save(store, commit(folded(created()), WAITS))
    before = contents(store)
    assert loses(store, commit(folded(created()), RESUMES, origin=keyed("k")))
    assert loses(store, commit(None, created(owner=STRANGER)))
    assert contents(store) == before


@ON_SQLITE
def test_a_commit_of_which_only_the_last_version_is_taken_leaves_nothing(
    store: EventSourcedStore,
) -> None:
    save(store, commit(None, created()))
    save(store, commit(folded(created()), WAITS, skipped=1))
    before = contents(store)
    assert loses(store, commit(folded(created()), WAITS, RESUMES))
    assert contents(store) == before


@ON_SQLITE
def test_a_gap_that_the_recorder_lets_through_is_found_when_the_stream_is_read(
    store: EventSourcedStore,
) -> None:
    save(store, commit(None, created()))
    save(store, commit(folded(created()), WAITS, skipped=1))
    delete_caches(store)
    with pytest.raises(BrokenHistory, match="flow flow-1: version 3 follows where 2 was due"):
        store.load(FlowId("flow-1"))


def test_events_are_not_saved_without_what_follows_from_them(store: EventSourcedStore) -> None:
    records: Sequence[Any] = commit(None, created()).events
    with pytest.raises(AssertionError, match="what follows from them"):
        store.application.events.put(records)
    assert contents(store) == {table: [] for table in (EVENTS, *DERIVED)}


def test_a_commit_of_nothing_is_none(store: EventSourcedStore) -> None:
    flow = folded(created())
    with pytest.raises(AssertionError, match="for its request key"):
        save(store, Commit(events=(), before=None, flow=flow))
    assert contents(store) == {table: [] for table in (EVENTS, *DERIVED)}


def test_the_positions_of_flows_are_the_notification_ids_of_their_creation(
    store: EventSourcedStore,
) -> None:
    save(store, commit(None, created(FlowId("flow-1")), WAITS, RESUMES))
    save(store, commit(None, created(FlowId("flow-2")), WAITS))
    assert [(row[0], row[2]) for row in rows(store, INDEX)] == [("flow-1", 1), ("flow-2", 4)]


def test_of_two_threads_with_one_version_exactly_one_wins(store: EventSourcedStore) -> None:
    flow = folded(created())
    save(store, commit(None, created()))
    barrier = threading.Barrier(2)

    def race(before: Flow) -> bool:
        barrier.wait(10)
        return not loses(store, commit(before, WAITS))

    with ThreadPoolExecutor(2) as pool:
        won = sorted(pool.map(race, [flow, flow]))
    assert won == [False, True]
    assert [record.version for record in store.history(FlowId("flow-1"))] == [1, 2]
