"""A store that cannot be written or read now: callers are told soon, and it serves again after."""

from __future__ import annotations

import os
import resource
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

import pytest
from attrs import evolve as replace

from adapters.store import EventSourcedStore, StoreFault, open_for_reading, open_for_writing
from adapters.store.lock import take_lock
from adapters.store.opening import sqlite_datastore
from domain.application.outcomes import NotPersisted
from domain.application.ports import StoreUnavailable, itself
from domain.flow.commands import SetWaiting
from domain.flow.ids import FlowId
from domain.flow.values import Json
from tests.store.commits import WAITS, commit, created, folded, idempotency_record, save
from tests.store.service import ORIGIN, create, session, shown
from tests.store.tables import contents
from tests.store.troubles import at_most

_NOBODY = 65534
BIG = Json('"' + "x" * 100_000 + '"')


def _wait(flow_id: FlowId, state: Json) -> SetWaiting:
    return SetWaiting(flow_id=flow_id, expected_revision=0, state_json=state)


def test_a_database_that_somebody_else_locks_is_unavailable_until_it_is_unlocked(
    file_store: EventSourcedStore, path: Path
) -> None:
    owner = session(file_store)
    flow = create(owner)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        began = monotonic()
        with pytest.raises(NotPersisted, match="could not be written") as raised:
            owner.execute(_wait(flow.flow_id, BIG), ORIGIN)
        assert monotonic() - began < 5
        assert raised.value.flow == flow
        assert owner.find(flow.flow_id) == flow
        other.execute("ROLLBACK")
    assert shown(owner.execute(_wait(flow.flow_id, BIG), ORIGIN)).revision == 1


def test_whoever_follows_a_writer_that_waited_in_vain_is_told_at_once(
    file_store: EventSourcedStore, path: Path
) -> None:
    """Else writers, one after the other, would wait with all workers of a gateway."""

    def seconds_in_vain() -> float:
        began = monotonic()
        with pytest.raises(StoreUnavailable, match="database is locked"):
            save(file_store, commit(None, created()))
        return monotonic() - began

    for number in range(2):
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert seconds_in_vain() > 0.9
            assert max(seconds_in_vain() for _ in range(10)) < 0.5
            other.execute("ROLLBACK")
        save(file_store, commit(None, created(FlowId(f"flow-{number}"))))


def test_a_full_disk_is_unavailable_and_leaves_the_store_as_it_was(
    file_store: EventSourcedStore,
) -> None:
    _fails_and_stays(file_store, lambda: _at_most(file_store, pages=1))


def test_a_full_disk_in_a_batch_leaves_nothing_of_it(file_store: EventSourcedStore) -> None:
    save(file_store, commit(None, created(FlowId("flow-0"))))
    before = contents(file_store)
    large = replace(created(FlowId("flow-2")), goal="x" * 1_000_000)
    batch = [commit(None, each) for each in (created(), large, created(FlowId("flow-3")))]
    with (
        _at_most(file_store, pages=20),
        pytest.raises(StoreUnavailable, match="database or disk is full"),
    ):
        file_store.append_many(batch)
    assert contents(file_store) == before
    assert file_store.append_many(batch) == [True] * 3


def test_a_commit_that_fails_at_its_very_end_leaves_the_store_as_it_was(
    file_store: EventSourcedStore, path: Path
) -> None:
    log = path.with_name(path.name + "-wal")
    _fails_and_stays(file_store, lambda: at_most(resource.RLIMIT_FSIZE, log.stat().st_size + 5000))


def _fails_and_stays(
    store: EventSourcedStore, trouble: Callable[[], AbstractContextManager[None]]
) -> None:
    owner = session(store)
    flow = create(owner)
    before = contents(store)
    with trouble():
        for _ in range(3):
            with pytest.raises(NotPersisted):
                owner.execute(_wait(flow.flow_id, BIG), ORIGIN)
        assert owner.find(flow.flow_id) == flow
        assert contents(store) == before
    assert shown(owner.execute(_wait(flow.flow_id, BIG), ORIGIN)).revision == 1


def test_a_connection_whose_commit_failed_can_begin_again(file_store: EventSourcedStore) -> None:
    datastore = sqlite_datastore(file_store.application)
    with datastore.transaction(commit=True) as cursor:
        cursor.execute("CREATE TABLE parent (id INTEGER PRIMARY KEY)")
        cursor.execute(
            "CREATE TABLE child (id REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)"
        )
    with datastore.get_connection(commit=True) as connection:
        connection.cursor().execute("PRAGMA foreign_keys=ON")
    for _ in range(3):
        # NOTE: a deferred constraint fails at COMMIT, and SQLite leaves the transaction open.
        with (
            pytest.raises(Exception, match="FOREIGN KEY constraint failed"),
            datastore.transaction(commit=True) as cursor,
        ):
            cursor.execute("INSERT INTO child VALUES (1)")
    save(file_store, commit(None, created()))
    assert file_store.load(FlowId("flow-1")) == folded(created())


def test_a_transaction_that_cannot_begin_is_unavailable(file_store: EventSourcedStore) -> None:
    datastore = sqlite_datastore(file_store.application)
    with datastore.get_connection(commit=True) as connection:
        connection.cursor().execute("BEGIN")  # and left open, as no code of ours leaves it
    with pytest.raises(StoreUnavailable, match="cannot start a transaction"):
        file_store.load(FlowId("flow-1"))
    with pytest.raises(StoreUnavailable, match="cannot start a transaction"):
        save(file_store, commit(None, created()))


def test_a_file_that_cannot_be_opened_again_does_not_lock_the_writers_out_for_ever(
    file_store: EventSourcedStore,
) -> None:
    with (
        file_store.application.datastore.reading(),  # so that all others need a new connection
        ThreadPoolExecutor(1) as pool,
        at_most(resource.RLIMIT_NOFILE, 0),
    ):
        for _ in range(2):
            with pytest.raises(StoreUnavailable, match="unable to open database file"):
                save(file_store, commit(None, created()))
            with pytest.raises(StoreUnavailable, match="unable to open database file"):
                pool.submit(file_store.load, FlowId("flow-1")).result(10)
    save(file_store, commit(None, created()))
    assert file_store.load(FlowId("flow-1")) == folded(created())


def test_a_store_that_was_opened_to_read_cannot_be_written_to(
    file_store: EventSourcedStore, file_url: str
) -> None:
    save(file_store, commit(None, created()))
    before = contents(file_store)
    with closing(open_for_reading(file_url)) as reader:
        with pytest.raises(StoreUnavailable, match="readonly database"):
            save(reader, commit(folded(created()), WAITS))
        assert reader.load(FlowId("flow-1")) == folded(created())
    assert contents(file_store) == before


def test_a_lock_that_cannot_be_written_is_refused_and_given_up(path: Path) -> None:
    complaint = r"flows\.db\.lock: cannot be locked: File too large"
    with at_most(resource.RLIMIT_FSIZE, 0), pytest.raises(StoreFault, match=complaint):
        take_lock(path)
    path.touch()
    take_lock(path).release()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write to a file that is read-only")
def test_a_file_that_is_read_only_is_refused_by_a_writer(path: Path, file_url: str) -> None:
    open_for_writing(file_url).close()
    path.chmod(0o400)
    with pytest.raises(StoreFault, match="is not a file that can be read and written"):
        open_for_writing(file_url)
    open_for_reading(file_url).close()


def test_a_connection_that_could_not_write_is_not_used_again() -> None:
    with TemporaryDirectory() as folder, _as_nobody(folder):
        path = Path(folder) / "flows.db"
        with closing(open_for_writing(f"sqlite:///{path}")) as store:
            with store.application.datastore.reading():  # so that writers need a new connection
                path.chmod(0o400)
                with pytest.raises(StoreUnavailable, match="attempt to write a readonly database"):
                    save(store, commit(None, created()))
                path.chmod(0o600)
            for number in range(4):
                save(store, commit(None, created(FlowId(f"flow-{number}"))))


def test_a_store_that_was_closed_is_unavailable(store: EventSourcedStore) -> None:
    save(store, commit(None, created()))
    assert store.is_readable()
    store.close()
    assert not store.is_readable()
    with pytest.raises(StoreUnavailable):
        save(store, commit(folded(created()), WAITS))
    with pytest.raises(StoreUnavailable):
        store.load(FlowId("flow-1"))
    with pytest.raises(StoreUnavailable):
        store.page(None, limit=1, before=None, status=None, show=itself)
    with pytest.raises(StoreUnavailable):
        idempotency_record(store, "k")
    with pytest.raises(StoreUnavailable):
        next(store.history(FlowId("flow-1")))
    with pytest.raises(StoreUnavailable):
        next(store.log())
    store.close()


@contextmanager
def _as_nobody(folder: str) -> Iterator[None]:
    """Give a folder to a user whose permissions count; those of root do not."""
    if os.geteuid() != 0:
        yield
        return
    os.chown(folder, _NOBODY, _NOBODY)
    os.seteuid(_NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@contextmanager
def _at_most(store: EventSourcedStore, *, pages: int) -> Iterator[None]:
    """Let the database grow no more: SQLite then fails as it does on a full disk."""
    _limit_pages(store, pages)
    yield
    _limit_pages(store, 2**30)


def _limit_pages(store: EventSourcedStore, pages: int) -> None:
    with sqlite_datastore(store.application).get_connection(commit=True) as connection:
        connection.cursor().execute(f"PRAGMA max_page_count={pages}")
