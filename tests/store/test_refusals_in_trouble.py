"""A refusal log that cannot be written hurts nobody, is told of once, and catches up."""

from __future__ import annotations

import resource
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from queue import Queue
from time import monotonic

import pytest

from adapters.store import RefusalsLost, read_refusals, recording_refusals
from domain.application.ports import StoreUnavailable
from domain.flow.ids import RouteId
from domain.history.refused_requests import TurnedAway
from tests.store.refused import ALL, NOON, a_call, kept_requests, sums, url_of
from tests.store.troubles import at_most


@pytest.fixture
def faults() -> Queue[Exception]:
    """What the gateway would have logged."""
    return Queue()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the log is of the store in this folder."""
    return tmp_path / "flows.db.refusals"


def told(faults: Queue[Exception]) -> list[str]:
    """Return all that was logged and not looked at yet."""
    return [str(faults.get()) for _ in range(faults.qsize())]


def test_a_locked_log_is_told_once_holds_nobody_up_and_is_caught_up(
    tmp_path: Path, path: Path, faults: Queue[Exception]
) -> None:
    url = url_of(tmp_path)
    dropped: list[None] = []
    with recording_refusals(
        url,
        most=3000,
        on_fault=faults.put,
        buffered=2000,
        on_drop=lambda: dropped.append(None),
    ) as note:
        began = monotonic()
        note(a_call(0))
        while not kept_requests(url):
            assert monotonic() - began < 10
        with _locked(path):
            began = monotonic()
            for number in range(1, 4002):
                note(a_call(number))
            assert monotonic() - began < 0.5
            assert str(faults.get(timeout=10)) == "database is locked"
            assert kept_requests(url) == ["request-0"]
        while sum(sums(url)) != 2 * 4002:
            assert monotonic() - began < 10
    assert told(faults) == []
    assert sums(url) == (4002, 2001, 2001)
    assert len(dropped) == 2001
    assert kept_requests(url)[-1] == "request-0"


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def test_a_batch_that_found_no_room_is_written_once_when_there_is_room(
    tmp_path: Path, faults: Queue[Exception]
) -> None:
    url = url_of(tmp_path)
    with recording_refusals(url, most=9000, on_fault=faults.put) as note:
        with at_most(resource.RLIMIT_FSIZE, 100_000):
            for number in range(5000):
                note(a_call(number))
            assert isinstance(faults.get(timeout=10), sqlite3.Error)
            assert sum(sums(url)) == 0
        note(a_call(5000))
    assert told(faults) == []
    assert sums(url) == (5001, 5001, 0)


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (b"a letter to my aunt", "file is not a database"),
        (None, "is not a file that can be read and written"),
    ],
    ids=["another file", "a folder"],
)
def test_what_lies_in_the_logs_place_is_left_alone_and_what_is_lost_is_told(
    tmp_path: Path, path: Path, faults: Queue[Exception], found: bytes | None, reason: str
) -> None:
    path.mkdir() if found is None else path.write_bytes(found)
    with recording_refusals(url_of(tmp_path), most=9, on_fault=faults.put) as note:
        note(a_call(1))
        note(TurnedAway(at=NOON, route_id=RouteId("zapier"), code="unauthorized"))
    first, last = faults.get(), faults.get()
    assert str(first).endswith(reason)
    assert (type(last), str(last)) == (RefusalsLost, "2 refusals were not written")
    assert told(faults) == []
    assert path.is_dir() if found is None else path.read_bytes() == found


def test_another_database_in_the_logs_place_is_neither_written_nor_read(
    tmp_path: Path, path: Path, faults: Queue[Exception]
) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE recipes (name TEXT)")
    before, reason = path.read_bytes(), f"{path}: is not a refusal log of version 1"
    with recording_refusals(url_of(tmp_path), most=9, on_fault=faults.put):
        pass
    assert told(faults) == [reason]
    assert path.read_bytes() == before
    with pytest.raises(StoreUnavailable) as raised:
        read_refusals(url_of(tmp_path)).totals(ALL)
    assert str(raised.value) == reason


def test_a_damaged_log_is_told_in_a_sentence(tmp_path: Path, path: Path) -> None:
    path.write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    with pytest.raises(StoreUnavailable, match=r"flows\.db\.refusals: cannot be read: "):
        read_refusals(url_of(tmp_path)).page(ALL, limit=1)


def test_a_blank_file_is_an_empty_log(tmp_path: Path, path: Path) -> None:
    path.touch()
    assert read_refusals(url_of(tmp_path)).totals(ALL) == []
