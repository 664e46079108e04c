"""Beside one another: one process writes, any number read, and a second writer is told so."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from adapters.store import EventSourcedStore, StoreFault, open_for_reading, open_for_writing
from adapters.store.sqlite_file import lock_path
from domain.flow.ids import FlowId
from tests.store.commits import RESUMES, WAITS, commit, created, folded, save
from tests.store.processes import said, writing_process
from tests.store.service import OWNER


def test_a_second_writer_is_told_which_file_is_in_use_and_by_whom(
    file_store: EventSourcedStore, file_url: str, path: Path
) -> None:
    complaint = f"{path}: in use by another process that writes to it (pid {os.getpid()});"
    with pytest.raises(StoreFault, match=re.escape(complaint) + " stop it first"):
        open_for_writing(file_url)
    save(file_store, commit(None, created()))
    file_store.close()
    with closing(open_for_writing(file_url)) as store:
        assert store.load(FlowId("flow-1")) == folded(created())


def test_a_second_process_is_told_so_too(file_store: EventSourcedStore, file_url: str) -> None:
    with writing_process(file_url, "hold") as second:
        assert f"in use by another process that writes to it (pid {os.getpid()})" in said(second)
        assert second.wait(30) == 1
    save(file_store, commit(None, created()))


def test_the_right_to_write_ends_with_the_process_that_had_it(path: Path, file_url: str) -> None:
    with writing_process(file_url, "hold") as first:
        assert said(first) == "open"
        with pytest.raises(StoreFault, match=rf"flows\.db: in use .* \(pid {first.pid}\)"):
            open_for_writing(file_url)
        first.kill()
        first.wait(30)
    assert lock_path(path).read_text() == f"{first.pid}\n"
    open_for_writing(file_url).close()
    assert lock_path(path).read_text() == f"{os.getpid()}\n"


def test_what_an_earlier_writer_left_in_the_lock_is_written_over(path: Path, file_url: str) -> None:
    lock_path(path).write_text("12345678901234567890\n")
    with closing(open_for_writing(file_url)):
        assert lock_path(path).read_text() == f"{os.getpid()}\n"


def test_of_several_processes_that_start_on_one_new_file_exactly_one_writes(file_url: str) -> None:
    with ExitStack() as stack:
        started = [stack.enter_context(writing_process(file_url, "hold")) for _ in range(3)]
        lines = [said(process) for process in started]
    assert lines.count("open") == 1
    assert sum("in use by another process" in line for line in lines) == 2


def test_a_refused_second_writer_leaves_the_first_its_hold_on_the_file(
    file_store: EventSourcedStore, file_url: str, path: Path
) -> None:
    save(file_store, commit(None, created()))
    with pytest.raises(StoreFault, match="in use"):
        open_for_writing(file_url)
    # NOTE: to leave WAL, SQLite needs a file that no other connection holds, in any process.
    leave = "import sqlite3, sys; sqlite3.connect(sys.argv[1], timeout=0).execute(sys.argv[2])"
    other = subprocess.run(  # noqa: S603 - a line of ours
        [sys.executable, "-c", leave, path, "PRAGMA journal_mode=DELETE"],
        capture_output=True,
        check=False,
        text=True,
    )
    assert "database is locked" in other.stderr


def test_a_link_to_a_store_is_the_same_store(
    file_store: EventSourcedStore, path: Path, tmp_path: Path
) -> None:
    save(file_store, commit(None, created()))
    link = tmp_path / "link.db"
    link.symlink_to(path)
    with pytest.raises(StoreFault, match=r"flows\.db: in use"):
        open_for_writing(f"sqlite:///{link}")
    with closing(open_for_reading(f"sqlite:///{link}")) as reader:
        assert reader.load(FlowId("flow-1")) == folded(created())


def test_a_reader_sees_each_commit_as_soon_as_it_is_written(
    file_store: EventSourcedStore, file_url: str
) -> None:
    save(file_store, commit(None, created()))
    with closing(open_for_reading(file_url)) as reader:
        assert reader.load(FlowId("flow-1")) == folded(created())
        save(file_store, commit(folded(created()), WAITS))
        assert reader.load(FlowId("flow-1")) == folded(created(), WAITS)
        save(file_store, commit(folded(created(), WAITS), RESUMES))
        assert reader.latest(OWNER) == folded(created(), WAITS, RESUMES)
        assert [record.version for record in reader.history(FlowId("flow-1"))] == [1, 2, 3]
        assert [position for position, _ in reader.log()] == [1, 2, 3]


def test_a_reader_reads_on_after_the_writer_has_gone(file_url: str) -> None:
    with closing(open_for_writing(file_url)) as store:
        save(store, commit(None, created()))
        reader = open_for_reading(file_url)
    with closing(reader):
        assert reader.load(FlowId("flow-1")) == folded(created())
    with closing(open_for_reading(file_url)) as reader:
        assert reader.load(FlowId("flow-1")) == folded(created())


def test_readers_keep_no_writer_out(file_url: str) -> None:
    with closing(open_for_writing(file_url)) as store:
        save(store, commit(None, created()))
    with closing(open_for_reading(file_url)) as one, closing(open_for_reading(file_url)) as other:
        with closing(open_for_writing(file_url)) as store:
            save(store, commit(folded(created()), WAITS))
        assert (
            one.load(FlowId("flow-1")) == other.load(FlowId("flow-1")) == folded(created(), WAITS)
        )
