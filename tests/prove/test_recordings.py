"""What callers know of at each moment of a recording, and what the judge of a disk tells."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from attrs import evolve as replace

from adapters.store import open_for_writing
from domain.flow.commands import CancelFlow
from domain.flow.ids import FlowId, RequestId
from tests.prove.recordings import Recording, Stored, stored_events
from tests.prove.reopening import Verdict, reopened
from tests.prove.shim import Call, File, Kind
from tests.store.service import ORIGIN, creation, session

WRITE = Call(Kind.WRITE, File.WAL, 0, b"x")


def answer(request_id: str, told: str = "", status: int = 200) -> Call:
    """Return the sending of an answer."""
    head = f"HTTP/1.1 {status} OK\r\nx-request-id: {request_id}\r\n\r\n"
    return Call(Kind.SEND, File.NONE, 0, (head + told).encode())


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A store with three commits: two creations, and a cancellation of two events."""
    path = tmp_path / "flows.db"
    with closing(open_for_writing(f"sqlite:///{path}")) as store:
        owner = session(store)
        owner.execute(creation(), replace(ORIGIN, request_id=RequestId("first")))
        owner.execute(creation(), replace(ORIGIN, request_id=RequestId("second")))
        owner.execute(
            CancelFlow(flow_id=FlowId("id-2")), replace(ORIGIN, request_id=RequestId("third"))
        )
    return path


@pytest.fixture
def events(database: Path) -> Sequence[Stored]:
    """Its events."""
    return tuple(stored_events(database))


def judged(database: Path, events: Sequence[Stored], folder: Path) -> Verdict:
    """Return the verdict on a database's file, after it is put somewhere else."""
    image = {File.DATABASE: database.read_bytes()}
    return reopened(image, Recording((), events), folder / "cut.db")


def changed(database: Path, *statements: str) -> None:
    """Change a database behind the store's back."""
    with closing(sqlite3.connect(database)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def test_a_caller_knows_of_what_its_request_brought_about_once_it_is_answered(
    events: Sequence[Stored],
) -> None:
    calls = (WRITE, answer("first"), WRITE, answer("third"), WRITE)
    assert list(Recording(calls, events).owed()) == [0, 0, 1, 1, 4, 4]


def test_a_refused_caller_knows_of_nothing(events: Sequence[Stored]) -> None:
    assert list(Recording((answer("third", status=503),), events).owed()) == [0, 0]


def test_a_caller_knows_of_all_that_led_to_the_revision_it_is_shown(
    events: Sequence[Stored],
) -> None:
    told = '{"ok":true,"result":{"flow":{"flowId":"id-2","goal":"g","revision":1}}}'
    assert list(Recording((answer("a look", told),), events).owed()) == [0, 3]


def test_commits_end_where_requests_do(events: Sequence[Stored]) -> None:
    assert Recording((), events).ends_of_commits() == {0, 1, 2, 4}


def test_a_disk_that_holds_everything_has_lost_nothing(
    database: Path, events: Sequence[Stored], tmp_path: Path
) -> None:
    verdict = judged(database, events, tmp_path)
    assert verdict == Verdict(4)
    assert verdict.lost(4) == ()


def test_a_lost_commit_is_told_if_somebody_knew_of_it(
    database: Path, events: Sequence[Stored], tmp_path: Path
) -> None:
    later = (*events, replace(events[-1], version=9, state=b'{"metadata":{"request_id":"4"}}'))
    verdict = judged(database, later, tmp_path)
    assert verdict.lost(4) == ()
    assert verdict.lost(5) == ("1 acknowledged events",)


def test_a_part_of_a_commit_is_told(
    database: Path, events: Sequence[Stored], tmp_path: Path
) -> None:
    changed(database, "DELETE FROM stored_events WHERE rowid = 4")
    told = judged(database, events, tmp_path).faults
    assert "a part of a commit is there" in told
    assert any(fault.startswith("derived rows differ from the events") for fault in told)


def test_other_bytes_of_an_event_are_told(
    database: Path, events: Sequence[Stored], tmp_path: Path
) -> None:
    other = (events[0], replace(events[1], state=events[0].state), *events[2:])
    told = judged(database, other, tmp_path).faults
    assert "the events are not those that were stored, in their order" in told


def test_a_damaged_database_is_told(
    database: Path, events: Sequence[Stored], tmp_path: Path
) -> None:
    changed(
        database,
        "PRAGMA writable_schema=ON",
        "UPDATE sqlite_master SET rootpage=2 WHERE name='flow_index_owner'",
    )
    assert judged(database, events, tmp_path).faults != ()


def test_a_file_that_is_no_database_is_told(events: Sequence[Stored], tmp_path: Path) -> None:
    file = tmp_path / "noise"
    file.write_bytes(b"noise" * 1000)
    (told,) = judged(file, events, tmp_path).faults
    assert told.startswith("the store cannot be opened: StoreFault(")
