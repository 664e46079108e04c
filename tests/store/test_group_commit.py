"""Writers that wait together share one commit, and none of them answers for another's conflict."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from time import monotonic
from typing import Final

import pytest
from eventsourcing.persistence import IntegrityError, OperationalError
from eventsourcing.sqlite import SQLiteCursor

from adapters.store import EventSourcedStore
from adapters.store.group_commit import GroupCommit, Ids, Write
from tests.store.tables import execute

TABLE: Final = "CREATE TABLE notes (id INTEGER PRIMARY KEY)"
PATIENCE: Final = 10


def _insert(number: int) -> Write:
    def write(cursor: SQLiteCursor) -> Ids:
        cursor.execute("INSERT INTO notes VALUES (?)", (number,))
        return [number]

    return write


def _together(
    group: GroupCommit, writes: Sequence[Write], first: Write
) -> list[Ids | BaseException]:
    """Run writes that all wait while `first` has the turn; return what became of each."""
    has_the_turn = threading.Event()

    def lead(cursor: SQLiteCursor) -> Ids:
        has_the_turn.set()
        _until_waiting(group, len(writes))
        return first(cursor)

    with ThreadPoolExecutor(len(writes) + 1) as pool:
        leading = pool.submit(_outcome, group, lead)
        assert has_the_turn.wait(PATIENCE)
        following = [pool.submit(_outcome, group, write) for write in writes]
        return [future.result(PATIENCE) for future in (leading, *following)]


def _until_waiting(group: GroupCommit, count: int) -> None:
    deadline = monotonic() + PATIENCE
    while len(group._pending_writes) < count:  # noqa: SLF001 - the only sign that they wait
        assert monotonic() < deadline, "the writers do not wait"


def test_a_writer_says_when_it_waits_for_the_disk(file_store: EventSourcedStore) -> None:
    told: list[str] = []

    @contextmanager
    def waiting() -> Iterator[None]:
        told.append("waits")
        yield
        told.append("is done")

    def write(_cursor: SQLiteCursor) -> Ids:
        told.append("writes")
        return []

    GroupCommit(file_store.application.datastore, waiting).commit(write)
    assert told == ["waits", "writes", "is done"]


def _outcome(group: GroupCommit, write: Write) -> Ids | BaseException:
    try:
        return group.commit(write)
    except (Exception, KeyboardInterrupt) as fault:  # noqa: BLE001 - it is what we compare
        return fault


def _notes(store: EventSourcedStore) -> list[int]:
    with store.application.datastore.reading() as cursor:
        cursor.execute("SELECT id FROM notes ORDER BY id")
        return [row[0] for row in cursor.fetchall()]


@pytest.fixture
def group(store: EventSourcedStore) -> GroupCommit:
    """The commits of a store with a table of notes."""
    execute(store, TABLE)
    return GroupCommit(store.application.datastore)


def test_a_write_alone_is_committed_alone(store: EventSourcedStore, group: GroupCommit) -> None:
    assert group.commit(_insert(1)) == [1]
    with pytest.raises(IntegrityError):
        group.commit(_insert(1))
    assert group.commit(_insert(2)) == [2]
    assert _notes(store) == [1, 2]


def test_writes_that_wait_together_are_one_transaction_and_each_has_its_own_answer(
    store: EventSourcedStore, group: GroupCommit
) -> None:
    transactions: list[SQLiteCursor] = []

    def noted(write: Write) -> Write:
        def write_and_note(cursor: SQLiteCursor) -> Ids:
            transactions.append(cursor)
            return write(cursor)

        return write_and_note

    later = [noted(_insert(number)) for number in (2, 3, 4)]
    assert _together(group, later, first=noted(_insert(1))) == [[1], [2], [3], [4]]
    assert len(set(map(id, transactions[1:]))) == 1
    assert transactions[0] is not transactions[1]
    assert _notes(store) == [1, 2, 3, 4]


def test_a_conflict_is_told_to_its_own_writer_and_takes_nothing_else_with_it(
    store: EventSourcedStore, group: GroupCommit
) -> None:
    def conflicting(cursor: SQLiteCursor) -> Ids:
        _insert(5)(cursor)
        return _insert(1)(cursor)

    first, *rest = _together(group, [_insert(2), conflicting, _insert(3)], first=_insert(1))
    assert first == [1]
    assert rest[0] == [2]
    assert isinstance(rest[1], IntegrityError)
    assert rest[2] == [3]
    assert _notes(store) == [1, 2, 3]


def test_of_two_that_conflict_with_one_another_the_first_wins(
    store: EventSourcedStore, group: GroupCommit
) -> None:
    outcomes = _together(group, [_insert(2), _insert(2)], first=_insert(1))
    assert [2] in outcomes
    assert sum(isinstance(outcome, IntegrityError) for outcome in outcomes) == 1
    assert _notes(store) == [1, 2]


@pytest.mark.parametrize(
    ("fault", "raised"),
    [(sqlite3.OperationalError("disk I/O error"), OperationalError), (ValueError("x"), ValueError)],
    ids=repr,
)
def test_a_fault_is_told_to_all_who_shared_the_transaction_and_nothing_of_it_is_stored(
    store: EventSourcedStore, group: GroupCommit, fault: Exception, raised: type[Exception]
) -> None:
    def broken(cursor: SQLiteCursor) -> Ids:
        cursor.execute("INSERT INTO notes VALUES (9)")
        raise fault

    first, *rest = _together(group, [_insert(2), broken, _insert(3)], first=_insert(1))
    assert first == [1]
    assert all(isinstance(outcome, raised) for outcome in rest)
    assert _notes(store) == [1]
    assert group.commit(_insert(2)) == [2]


def test_a_commit_that_fails_is_told_to_all_who_shared_it(
    file_store: EventSourcedStore,
) -> None:
    execute(file_store, TABLE)
    execute(file_store, "CREATE TABLE c (id REFERENCES notes (id) DEFERRABLE INITIALLY DEFERRED)")
    group = GroupCommit(file_store.application.datastore)
    with file_store.application.datastore.get_connection(commit=True) as connection:
        connection.cursor().execute("PRAGMA foreign_keys=ON")

    def owing(cursor: SQLiteCursor) -> Ids:
        cursor.execute("INSERT INTO c VALUES (99)")
        return [99]

    first, *rest = _together(group, [_insert(2), owing, _insert(3)], first=_insert(1))
    assert first == [1]
    assert all(isinstance(outcome, IntegrityError) for outcome in rest)
    assert _notes(file_store) == [1]
    assert group.commit(_insert(2)) == [2]


def test_an_interrupted_leader_leaves_no_writer_waiting(
    store: EventSourcedStore, group: GroupCommit
) -> None:
    def interrupted(_cursor: SQLiteCursor) -> Ids:
        raise KeyboardInterrupt

    first, *rest = _together(group, [interrupted, _insert(2)], first=_insert(1))
    assert first == [1]
    assert all(isinstance(outcome, KeyboardInterrupt) for outcome in rest)
    assert _notes(store) == [1]
    assert group.commit(_insert(2)) == [2]


def test_many_writers_lose_nothing(store: EventSourcedStore, group: GroupCommit) -> None:
    def write(thread: int) -> None:
        for number in range(25):
            assert group.commit(_insert(100 * thread + number)) == [100 * thread + number]

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    assert len(_notes(store)) == 200
