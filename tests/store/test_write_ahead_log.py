"""The write-ahead log is short again after a long reader."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from adapters.store import EventSourcedStore
from adapters.store.opening import sqlite_datastore
from adapters.store.sqlite_pool import LOG_LIMIT
from domain.flow.ids import FlowId
from tests.store.commits import commit, created, folded, save
from tests.store.tables import execute


@contextmanager
def _long_reader(path: Path) -> Iterator[None]:
    """Hold a read transaction open in a connection of another program."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)) as other:
        other.execute("BEGIN")
        other.execute("SELECT count(*) FROM stored_events").fetchone()
        yield


def _log_size(path: Path) -> int:
    return path.with_name(path.name + "-wal").stat().st_size


def _grow(store: EventSourcedStore, path: Path) -> None:
    execute(store, "CREATE TABLE IF NOT EXISTS ballast (bytes BLOB)")
    while _log_size(path) <= 2 * LOG_LIMIT:
        execute(store, "INSERT INTO ballast VALUES (zeroblob(1000000))")


def test_an_idle_store_empties_a_long_log_as_soon_as_nobody_reads_it(
    file_store: EventSourcedStore, path: Path
) -> None:
    with _long_reader(path):
        _grow(file_store, path)
        file_store.maintain()
        assert _log_size(path) > 2 * LOG_LIMIT
        save(file_store, commit(None, created()))
    file_store.maintain()
    assert _log_size(path) == 0
    assert file_store.load(FlowId("flow-1")) == folded(created())


def test_a_store_that_is_written_to_shortens_it_by_itself(
    file_store: EventSourcedStore, path: Path
) -> None:
    with _long_reader(path):
        _grow(file_store, path)
    for number in range(3):  # moved to the database, begun anew, made shorter
        save(file_store, commit(None, created(FlowId(f"flow-{number}"))))
    assert 0 < _log_size(path) <= LOG_LIMIT


def test_a_writer_is_not_held_up_nor_does_it_hold_up_the_maintenance(
    file_store: EventSourcedStore, path: Path
) -> None:
    with _long_reader(path):
        _grow(file_store, path)
    with sqlite_datastore(file_store.application).paused() as is_idle:
        assert is_idle
        file_store.maintain()
        assert _log_size(path) > 2 * LOG_LIMIT
    file_store.maintain()
    assert _log_size(path) == 0


def test_a_log_of_the_usual_length_is_left_alone(file_store: EventSourcedStore, path: Path) -> None:
    save(file_store, commit(None, created()))
    before = _log_size(path)
    file_store.maintain()
    assert _log_size(path) == before > 0


def test_a_store_in_memory_needs_no_maintenance(store: EventSourcedStore) -> None:
    store.maintain()
    save(store, commit(None, created()))
    store.maintain()
    assert store.load(FlowId("flow-1")) == folded(created())
