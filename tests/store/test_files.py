from __future__ import annotations

from contextlib import closing
from pathlib import Path

from adapters.store import open_for_writing, recording_refusals, store_files


def test_all_that_a_store_puts_beside_its_database_belongs_to_it(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/flows.db"
    with closing(open_for_writing(url)), recording_refusals(url, most=9, on_fault=print):
        found = set(tmp_path.iterdir())
        assert {path.name for path in found} >= {"flows.db", "flows.db-wal", "flows.db.lock"}
        assert found <= store_files(url).keys()


def test_a_journal_belongs_to_its_database(tmp_path: Path) -> None:
    files = store_files(f"sqlite:///{tmp_path}/flows.db")
    assert files[tmp_path / "flows.db-journal"] == "a file of the store"
    assert files[tmp_path / "flows.db.refusals-journal"] == "a file of the refusals"
    assert files[tmp_path / "flows.db.lock"] == "the lock of the store"


def test_a_store_in_memory_has_no_files() -> None:
    assert store_files("sqlite://:memory:") == {}
