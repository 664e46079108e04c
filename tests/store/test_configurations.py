"""The log of configurations on a real file, beside the refusals."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from threading import Thread

import pytest

from adapters.store import (
    StoreFault,
    read_configurations,
    read_refusals,
    record_configuration,
    recording_refusals,
)
from adapters.store import configurations as module
from domain.application.ports import StoreUnavailable
from domain.flow.ids import KeyId, RouteId
from domain.history.configuration import Cause, FieldChange
from domain.history.refused_requests import TurnedAway, Wanted
from tests.store.refused import a_call


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'flows.db'}"


def log_of(url: str) -> Path:
    return Path(f"{url.removeprefix('sqlite:///')}.refusals")


def record(url: str, state: Mapping[str, str], at: int = 0) -> None:
    record_configuration(url, lambda _: state, at=at, cause=Cause.RELOAD)


def test_what_differs_is_recorded_and_nothing_else(url: str) -> None:
    record(url, {"a": "1", "b": "2"}, at=7)
    record(url, {"b": "2", "a": "1"}, at=8)
    record(url, {"b": "3", "c": "4"}, at=9)
    second, first = read_configurations(url).page(limit=5).changes
    assert (first.number, first.at, second.number, second.at) == (1, 7, 2, 9)
    assert first.changes == [FieldChange("a", None, "1"), FieldChange("b", None, "2")]
    assert second.changes == [
        FieldChange("a", "1", None),
        FieldChange("b", "2", "3"),
        FieldChange("c", None, "4"),
    ]


def test_pages_go_on_where_one_ended(url: str) -> None:
    for number in range(5):
        record(url, {"a": str(number)}, at=number)
    log, seen, cursor = read_configurations(url), [], None
    while True:
        page = log.page(limit=2, before=cursor)
        seen += [change.at for change in page.changes]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == [4, 3, 2, 1, 0]


def test_the_oldest_changes_are_dropped(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_CHANGES", 3)
    for number in range(5):
        record(url, {"a": str(number)}, at=number)
    page = read_configurations(url).page(limit=10)
    assert [(change.number, change.at) for change in page.changes] == [(5, 4), (4, 3), (3, 2)]


def test_one_store_has_one_salt(tmp_path: Path) -> None:
    salts: list[bytes] = []

    def describe(salt: bytes) -> Mapping[str, str]:
        salts.append(salt)
        return {}

    for name in ("a", "a", "b"):
        url = f"sqlite:///{tmp_path / name}"
        record_configuration(url, describe, at=0, cause=Cause.START)
    assert (len(salts[0]), salts[0] == salts[1], salts[0] == salts[2]) == (16, True, False)


def test_a_log_of_refusals_without_configurations_has_none(url: str) -> None:
    log = read_configurations(url)
    assert log.page(limit=1).changes == []
    with recording_refusals(url, most=5, on_fault=lambda fault: pytest.fail(str(fault))) as note:
        note(a_call(1))
    assert log.page(limit=1).changes == []
    record(url, {"a": "1"})
    assert len(log.page(limit=1).changes) == 1
    assert len(read_refusals(url).page(Wanted(), limit=5).calls) == 1


def test_a_new_file_is_set_up_once_whoever_comes_first(tmp_path: Path) -> None:
    for number in range(20):
        url = f"sqlite:///{tmp_path / str(number)}"
        faults: list[Exception] = []
        thread = Thread(target=record, args=(url, {"a": "1"}))
        with recording_refusals(url, most=5, on_fault=faults.append) as note:
            thread.start()
            note(a_call(1))
            thread.join()
        assert faults == []
        assert len(read_configurations(url).page(limit=5).changes) == 1


def test_what_fails_writes_nothing_and_is_unavailable(url: str) -> None:
    record(url, {"a": "1"})
    with closing(sqlite3.connect(log_of(url), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match="database is locked"):
            record(url, {"a": "2"})
        other.execute("ROLLBACK")
    assert len(read_configurations(url).page(limit=5).changes) == 1


@pytest.mark.parametrize("damage", ["not json", "[1]", '[["a"]]', "7", "{}x"])
def test_a_damaged_log_is_unavailable(url: str, damage: str) -> None:
    record(url, {"a": "1"})
    with closing(sqlite3.connect(log_of(url))) as other, other:
        other.execute("UPDATE configuration_changes SET changes = ?", (damage,))
    with pytest.raises(StoreUnavailable, match="the log of configurations"):
        read_configurations(url).page(limit=5)


def test_a_file_that_is_not_ours_is_left_alone(url: str) -> None:
    log_of(url).write_bytes(b"somebody's letters")
    with pytest.raises(StoreUnavailable):
        record(url, {"a": "1"})
    with pytest.raises(StoreUnavailable):
        read_configurations(url).page(limit=5)
    assert log_of(url).read_bytes() == b"somebody's letters"


def test_a_store_in_memory_keeps_no_configurations() -> None:
    record("sqlite://:memory:", {"a": "1"})
    with pytest.raises(StoreFault, match="keeps no log of configurations"):
        read_configurations("sqlite://:memory:")


def test_who_has_an_old_key_is_counted_by_the_key_and_not_kept(url: str) -> None:
    with recording_refusals(url, most=5, on_fault=lambda fault: pytest.fail(str(fault))) as note:
        for _ in range(3):
            note(
                TurnedAway(
                    at=0, route_id=RouteId("zapier"), code="key_expired", key_id=KeyId("old")
                )
            )
        note(TurnedAway(at=0, route_id=RouteId("zapier"), code="unauthorized"))
    (total,) = read_refusals(url).totals(Wanted())
    assert (total.key_id, total.code) == ("old", "key_expired")
    assert (total.counted, total.kept, total.dropped) == (3, 0, 3)
    assert [one.counted for one in read_refusals(url).turned_away(Wanted())] == [1]
