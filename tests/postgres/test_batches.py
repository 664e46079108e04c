"""A batch is one call: conflicts are values, positions have no gaps, and a lost answer no doubt."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from threading import Thread
from typing import Any, Final

import psycopg
import pytest
from psycopg.sql import SQL

from adapters.store import EventSourcedStore, StoreAuditLog, open_for_writing
from adapters.store.postgres.append_batch import APPEND_BATCH
from adapters.store.postgres.rows import PostgresCursor
from domain.application.ports import Commit
from domain.flow.commands import SetWaiting
from domain.flow.ids import FlowId
from tests.store.commits import RESUMES, WAITS, commit, created, folded, idempotency_record, save
from tests.store.service import create, granted, keyed, run, session

ONE, TWO, THREE = (FlowId(f"flow-{number}") for number in (1, 2, 3))
FIRST = created(ONE)
_SCANS: Final = (
    "SELECT sum(seq_scan)::bigint FROM pg_stat_xact_user_tables"
    " WHERE relname NOT IN ('log_head', 'store_identity', 'view_format')"
)


def _breaking(
    monkeypatch: pytest.MonkeyPatch,
    *,
    after: bool,
    then: Callable[[], None] = lambda: None,
    number: int = 1,
) -> list[bool]:
    """Cut the connection of the n-th call from now, after it was carried out or before.

    Returns what is to be a list of the calls, and which of them were cut.
    """
    execute = PostgresCursor.execute
    calls: list[bool] = []

    def execute_and_break(self: PostgresCursor, query: str, params: object = None) -> object:
        if "append_batch" not in query:
            return execute(self, query, params)
        calls.append(len(calls) + 1 == number)
        if calls[-1] and after:
            execute(self, query, params)
        if calls[-1]:
            then()
            cut(self.connection)
        return execute(self, query, params)

    monkeypatch.setattr(PostgresCursor, "execute", execute_and_break)
    return calls


def cut(connection: psycopg.Connection[Any]) -> None:
    """Shut a connection down as a network does that fails."""
    with closing(socket.socket(fileno=os.dup(connection.fileno()))) as wire:
        wire.shutdown(socket.SHUT_RDWR)


def positions(store: EventSourcedStore) -> list[int]:
    return [position for position, _ in store.log()]


def test_commits_on_one_flow_are_written_together_or_not_at_all(store: EventSourcedStore) -> None:
    save(store, commit(None, created(TWO), origin=keyed("k")))
    both = [commit(None, FIRST), commit(folded(FIRST), WAITS, origin=keyed("k"))]
    assert store.append_many([*both, commit(None, created(THREE))]) == [False, False, True]
    assert store.load(ONE) is None
    assert positions(store) == [1, 2]


def test_a_conflict_burns_no_position(store: EventSourcedStore) -> None:
    save(store, commit(None, FIRST))
    for _ in range(3):
        assert store.append_many([commit(None, FIRST)]) == [False]
    assert store.append_many([commit(folded(FIRST), WAITS)]) == [True]
    assert positions(store) == [1, 2]
    assert StoreAuditLog(store).size() == 2


def test_a_gap_in_a_stream_is_not_accepted(store: EventSourcedStore) -> None:
    assert store.append_many([commit(folded(FIRST), WAITS)]) == [False]
    assert positions(store) == []


def test_two_stores_on_one_flow_write_each_version_once(store: EventSourcedStore, url: str) -> None:
    save(store, commit(None, FIRST))
    assert all(versions_and_wins(store, url))


def test_the_order_of_the_log_does_not_rest_on_the_advisory_lock(own_url: str) -> None:
    """Some databases that speak PostgreSQL's protocol take such locks and do nothing."""
    queue = "PERFORM pg_advisory_xact_lock(4711, hashtext(current_schema()));"
    assert queue in APPEND_BATCH
    with psycopg.connect(own_url, autocommit=True) as admin:
        admin.execute(SQL(APPEND_BATCH.replace(queue, "")))
    with closing(open_for_writing(own_url)) as store:
        save(store, commit(None, FIRST))
        assert all(versions_and_wins(store, own_url))


def versions_and_wins(store: EventSourcedStore, url: str) -> Iterator[bool]:
    """Let four threads on two stores race for the versions of a flow, and give what must hold."""
    wins: list[bool] = []

    def race(mine: EventSourcedStore) -> None:
        for _ in range(50):
            flow = mine.load(ONE)
            assert flow is not None
            wins.extend(mine.append_many([commit(flow, RESUMES)]))

    with closing(open_for_writing(url)) as other:
        threads = [Thread(target=race, args=(each,)) for each in (store, other) * 2]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    flow = store.load(ONE)
    assert flow is not None
    yield len(wins) == 200
    yield flow.version == 1 + sum(wins)
    yield positions(store) == list(range(1, flow.version + 1))


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("is_stored", [True, False])
def test_after_a_connection_broke_the_id_of_the_batch_decides_whose_events_are_there(
    store: EventSourcedStore,
    monkeypatch: pytest.MonkeyPatch,
    is_stored: bool,  # noqa: FBT001 - a case
    number: int,
) -> None:
    """The answer to a call is lost, after the commit or before the server has read anything.

    The first call finds a key taken and writes nothing, the second one writes the rest.
    """
    save(store, commit(None, created(TWO), origin=keyed("taken")))
    breaking = _breaking(monkeypatch, after=is_stored, number=number)
    batch: list[Commit] = [
        commit(None, FIRST, origin=keyed("k1")),
        commit(folded(FIRST), WAITS),
        commit(None, created(THREE), origin=keyed("taken")),
    ]
    assert store.append_many(batch) == [True, True, False]
    assert breaking == [it == number for it in (1, 2, 3)]
    assert positions(store) == [1, 2, 3]
    assert store.load(ONE) == folded(FIRST, WAITS)
    record = idempotency_record(store, "k1")
    assert record is not None


def test_an_identical_event_of_somebody_else_is_not_taken_for_ours(
    store: EventSourcedStore, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(store, commit(None, FIRST))
    same = commit(folded(FIRST), WAITS)

    def another() -> None:
        with closing(open_for_writing(url)) as other:
            assert other.append_many([same]) == [True]

    _breaking(monkeypatch, after=False, then=another)
    assert store.append_many([same]) == [False]
    assert positions(store) == [1, 2]


def test_a_key_of_somebody_else_is_not_taken_for_all_of_ours(
    store: EventSourcedStore, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Commands that were accepted without an event leave nothing but their keys."""
    flows = [folded(created(flow_id)) for flow_id in (ONE, TWO)]
    for flow in flows:
        save(store, commit(None, created(flow.flow_id)))
    batch = [commit(flow, origin=keyed(flow.flow_id)) for flow in flows]

    def another() -> None:
        with closing(open_for_writing(url)) as other:
            save(other, batch[0])

    _breaking(monkeypatch, after=False, then=another)
    assert store.append_many(batch) == [False, True]
    assert idempotency_record(store, TWO) is not None


def _asking(monkeypatch: pytest.MonkeyPatch, question: str) -> list[tuple[str, object]]:
    """Ask something in the transaction of each call; return what is to be calls and answers."""
    execute = PostgresCursor.execute
    asked: list[tuple[str, object]] = []

    def execute_and_ask(self: PostgresCursor, query: str, params: object = None) -> object:
        called = re.search(r"\w+_batch(?=\()", query)
        if called is None:
            return execute(self, query, params)
        self.connection.execute("BEGIN")
        done = execute(self, query, params)
        answer = self.connection.execute(question).fetchone()
        self.connection.execute("COMMIT")
        assert answer is not None
        asked.append((called[0], answer[0]))
        return done

    monkeypatch.setattr(PostgresCursor, "execute", execute_and_ask)
    return asked


def test_no_batch_reads_a_whole_table(
    store: EventSourcedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is planned once a connection is planned for tables that may be empty yet."""
    asked = _asking(monkeypatch, _SCANS)
    owner = session(store)
    create(owner)
    granted(owner.execute(run(FlowId("id-1"), run_id="r"), keyed("k")))
    granted(owner.execute(SetWaiting(flow_id=FlowId("id-1"), expected_revision=0), keyed("l")))
    assert set(asked) == {("append_batch", 0), ("load_batch", 0)}


def test_a_batch_that_lost_is_not_synced(
    store: EventSourcedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an id its transaction writes nothing, so that nobody in the queue waits for it."""
    asked = _asking(monkeypatch, "SELECT pg_current_xact_id_if_assigned() IS NOT NULL")
    save(store, commit(None, FIRST))
    assert store.append_many([commit(None, FIRST), commit(None, created(TWO))]) == [False, True]
    assert [has_id for _, has_id in asked] == [True, False, True]
