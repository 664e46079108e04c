"""One moment: what a thread reads together belongs together, whatever is written meanwhile."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from adapters.store import EventSourcedStore
from adapters.store.snapshot import project
from domain.application.ports import StoreUnavailable
from domain.flow.evolve import BrokenHistory
from domain.flow.ids import FlowId
from tests.store.commits import RESUMES, WAITS, commit, created, folded, save
from tests.store.kinds import ON_SQLITE
from tests.store.service import OWNER, STRANGER
from tests.store.tables import execute


def test_all_that_is_read_together_is_as_of_one_moment(file_store: EventSourcedStore) -> None:
    first, second = folded(created()), folded(created(), WAITS)
    save(file_store, commit(None, created()))
    with file_store.application.datastore.reading():
        assert file_store.load(FlowId("flow-1")) == first
        save(file_store, commit(first, WAITS))
        assert file_store.load(FlowId("flow-1")) == first
        assert len(list(file_store.history(FlowId("flow-1")))) == 1
        assert len(list(file_store.log())) == 1
    assert file_store.load(FlowId("flow-1")) == second


def test_another_thread_reads_at_its_own_moment(file_store: EventSourcedStore) -> None:
    first = folded(created())
    save(file_store, commit(None, created()))
    with file_store.application.datastore.reading(), ThreadPoolExecutor(1) as pool:
        assert file_store.load(FlowId("flow-1")) == first
        pool.submit(save, file_store, commit(first, WAITS)).result(10)
        assert pool.submit(file_store.load, FlowId("flow-1")).result(10) == folded(created(), WAITS)
        assert file_store.load(FlowId("flow-1")) == first


def test_a_moment_ends_with_an_error_too(store: EventSourcedStore) -> None:
    save(store, commit(None, created()))
    with pytest.raises(BrokenHistory), store.application.datastore.reading():
        project(store.load(FlowId("flow-1")), commit(None, created()).events)
    save(store, commit(folded(created()), WAITS, RESUMES))
    assert store.load(FlowId("flow-1")) == folded(created(), WAITS, RESUMES)


@ON_SQLITE
def test_a_read_that_fails_within_a_moment_is_unavailable(store: EventSourcedStore) -> None:
    save(store, commit(None, created()))
    execute(store, "ALTER TABLE stored_snapshots RENAME TO gone")
    with pytest.raises(StoreUnavailable, match="no such table: stored_snapshots"):
        store.find(OWNER, FlowId("flow-1"))
    execute(store, "ALTER TABLE gone RENAME TO stored_snapshots")
    assert store.find(OWNER, FlowId("flow-1")) == folded(created())


def test_an_owner_finds_its_flow_and_no_other(store: EventSourcedStore) -> None:
    save(store, commit(None, created(FlowId("flow-1"), OWNER)))
    save(store, commit(None, created(FlowId("flow-2"), STRANGER)))
    assert store.find(OWNER, FlowId("flow-1")) == folded(created(FlowId("flow-1"), OWNER))
    assert store.find(OWNER, FlowId("flow-2")) is None
    assert store.find(OWNER, FlowId("flow-3")) is None


def test_a_flow_of_another_owner_is_not_even_read(store: EventSourcedStore) -> None:
    save(store, commit(None, created(FlowId("flow-1"), STRANGER)))
    execute(store, "UPDATE stored_snapshots SET state='unreadable'")
    execute(store, "UPDATE stored_events SET state='unreadable'")
    assert store.find(OWNER, FlowId("flow-1")) is None


@ON_SQLITE
def test_the_connection_that_came_back_last_is_the_next(store: EventSourcedStore) -> None:
    pool = store.application.datastore.pool  # type: ignore[attr-defined] # of SQLite
    first, second = pool.get_connection(), pool.get_connection()
    pool.put_connection(second)
    pool.put_connection(first)
    for _ in range(3):
        again = pool.get_connection(is_writer=True)
        assert again is first, "the other one would read again what this one knows"
        pool.put_connection(again)
