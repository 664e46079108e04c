"""A first start that the power broke off, found by `python -m tests.prove power_cuts`."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from adapters.store import StoreFault, open_for_reading, open_for_writing
from domain.flow.ids import FlowId
from tests.store.commits import commit, created, folded, save


def break_off_a_first_start(path: Path) -> None:
    """Leave what the disk holds while a database is made: half of it, and the journal to undo it.

    The copies stand for the files after a power cut: no process holds a lock on them.
    """
    making = path.with_name("making.db")
    with closing(sqlite3.connect(making, isolation_level=None)) as connection:
        connection.execute("PRAGMA cache_size=1")  # so that pages are written before the commit
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("CREATE TABLE pages (content)")
        for _ in range(50):
            connection.execute("INSERT INTO pages VALUES (zeroblob(4096))")
        shutil.copyfile(making, path)
        shutil.copyfile(f"{making}-journal", f"{path}-journal")


def test_a_first_start_that_the_power_broke_off_is_taken_back(path: Path, file_url: str) -> None:
    break_off_a_first_start(path)
    with closing(open_for_writing(file_url)) as store:
        save(store, commit(None, created()))
    with closing(open_for_reading(file_url)) as store:
        assert store.load(FlowId("flow-1")) == folded(created())


def test_who_only_reads_is_told_that_there_is_no_store_yet(path: Path, file_url: str) -> None:
    break_off_a_first_start(path)
    with pytest.raises(StoreFault, match="is not a TaskFlow store"):
        open_for_reading(file_url)
