"""A database that is stuck, slow, restarted or gone: a prompt answer, and no restart of ours."""

from __future__ import annotations

import os
import resource
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress

import psycopg
import pytest

from adapters.store import EventSourcedStore, LockPatience, migrate, open_for_writing
from adapters.store.postgres.link import SERVING_SECONDS
from domain.application.ports import StoreUnavailable
from domain.flow.ids import FlowId
from tests.postgres.server import Server, empty, eventually, new_database, running_server
from tests.store.commits import WAITS, commit, created, folded, save

ONE = FlowId("flow-1")
PROMPT = 3 * SERVING_SECONDS + 4
"""Seconds that an answer may take at the very most: a call, the wait for the database, a call."""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server that these tests may do anything to."""
    with running_server() as server:
        yield server


@pytest.fixture(scope="module")
def database(server: Server) -> Iterator[str]:
    """The URL of a database on it."""
    with new_database(server.url) as url:
        migrate(url)
        yield url


@pytest.fixture
def url(database: str) -> str:
    """The URL of an empty store on it."""
    empty(database)
    return database


@pytest.fixture
def store(url: str) -> Iterator[EventSourcedStore]:
    """A new store."""
    with closing(open_for_writing(url)) as store:
        save(store, commit(None, created(ONE)))
        yield store


def seconds_until_refused(store: EventSourcedStore) -> float:
    began = time.monotonic()
    with pytest.raises(StoreUnavailable):
        store.append_many([commit(folded(created(ONE)), WAITS)])
    return time.monotonic() - began


def is_written(store: EventSourcedStore) -> bool:
    with suppress(StoreUnavailable):
        flow = store.load(ONE)
        assert flow is not None
        return store.append_many([commit(flow, WAITS)]) == [True]
    return False


def test_a_stopped_server_is_given_up_and_used_again_when_it_goes_on(
    server: Server, store: EventSourcedStore
) -> None:
    server.signal_all(signal.SIGSTOP)
    try:
        assert seconds_until_refused(store) < PROMPT
        began = time.monotonic()
        assert not store.is_readable()  # at once: nobody waits for what others have waited for
        assert time.monotonic() - began < SERVING_SECONDS / 2
        assert store.link is not None
        assert (store.link.is_up, store.link.reconnects) == (False, 0)
    finally:
        server.signal_all(signal.SIGCONT)
    assert eventually(store.is_readable)
    assert eventually(lambda: is_written(store))


def test_a_stopped_backend_is_given_up_and_others_are_used(
    server: Server, store: EventSourcedStore, url: str
) -> None:
    flow = store.load(ONE)
    with psycopg.connect(url, autocommit=True) as admin:
        found = admin.execute(
            "SELECT pid FROM pg_stat_activity WHERE application_name = 'taskflow'"
            " AND datname = current_database()"
        ).fetchall()
    for (pid,) in found:
        server.signal_one(pid, signal.SIGSTOP)
    try:
        assert flow is not None
        assert store.append_many([commit(flow, WAITS)]) == [True]
    finally:
        for (pid,) in found:
            server.signal_one(pid, signal.SIGCONT)
    assert [position for position, _ in store.log()] == [1, 2]


def test_a_killed_server_is_found_again(server: Server, store: EventSourcedStore) -> None:
    server.kill()
    assert seconds_until_refused(store) < PROMPT
    server.start()
    assert eventually(store.is_readable)
    assert is_written(store)
    assert [position for position, _ in store.log()] == [1, 2]
    assert store.link is not None
    assert (store.link.is_up, store.link.reconnects) == (True, 1)


def test_a_server_that_starts_later_is_waited_for(
    server: Server, store: EventSourcedStore, url: str
) -> None:
    waits: list[str] = []
    server.kill()
    with ThreadPoolExecutor(1) as pool:
        patience = LockPatience(30, waits.append)
        opening = pool.submit(open_for_writing, url, patience=patience)
        assert eventually(lambda: waits == [""])
        server.start()
        opening.result().close()
    assert eventually(store.is_readable)


def test_a_killed_backend_costs_no_request_that_waits_for_the_others(
    server: Server, store: EventSourcedStore, url: str
) -> None:
    """All connections go, as the server starts again by itself; an append is sent once more."""
    with psycopg.connect(url, autocommit=True) as admin:
        (pid,) = admin.execute("SELECT pg_backend_pid()").fetchone() or (0,)
        server.signal_one(pid, signal.SIGKILL)
    assert eventually(lambda: is_written(store))


def test_an_append_whose_backend_was_ended_is_sent_again(
    store: EventSourcedStore, url: str
) -> None:
    flow = store.load(ONE)
    assert flow is not None
    with (
        ThreadPoolExecutor(1) as pool,
        psycopg.connect(url) as other,
        psycopg.connect(url, autocommit=True) as admin,
    ):
        other.execute("SELECT 1 FROM log_head FOR UPDATE")
        writing = pool.submit(store.append_many, [commit(flow, WAITS)])
        waiting = (
            "SELECT pid FROM pg_stat_activity WHERE query LIKE '%append_batch%'"
            " AND wait_event_type = 'Lock' AND datname = current_database()"
        )
        assert eventually(lambda: bool(admin.execute(waiting).fetchall()))
        ended = admin.execute(f"SELECT pg_terminate_backend(pid) FROM ({waiting}) AS w")  # noqa: S608 - ours
        assert ended.fetchall() == [(True,)]
        other.rollback()
        assert writing.result() == [True]
    assert [position for position, _ in store.log()] == [1, 2]


def test_an_idle_connection_that_was_ended_is_not_used(store: EventSourcedStore, url: str) -> None:
    assert store.is_readable()
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE application_name = 'taskflow' AND datname = current_database()"
        )
    assert store.is_readable()


def test_connections_with_high_descriptors_are_used(store: EventSourcedStore) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
    taken = [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]
    try:
        store.application.datastore.link.close_idle()  # type: ignore[union-attr]  # of PostgreSQL
        for _ in range(2):
            assert store.is_readable()
    finally:
        for each in taken:
            os.close(each)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_who_waits_for_another_writer_too_long_is_refused_and_the_connection_kept(
    store: EventSourcedStore, url: str
) -> None:
    with psycopg.connect(url) as other:
        other.execute("SELECT 1 FROM log_head FOR UPDATE")
        assert seconds_until_refused(store) < PROMPT
        assert store.is_readable()
    assert is_written(store)
