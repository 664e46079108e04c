"""Who holds the lock of a store, and that nobody else is ever taken for it."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from adapters.store import StoreFault, lock_holder, open_for_writing
from adapters.store.sqlite_file import lock_path
from tests.store.processes import said, writing_process


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "flows.db"


def url_of(database: Path) -> str:
    return f"sqlite:///{database}"


def holder_of(database: Path) -> int | None:
    with lock_holder(url_of(database)) as holder:
        return None if holder is None else holder.pid


def test_the_process_that_writes_is_found_and_its_end_is_seen(database: Path) -> None:
    with writing_process(url_of(database), "hold") as process:
        said(process)
        with lock_holder(url_of(database)) as holder:
            assert holder is not None
            assert (holder.pid, holder.status(), holder.is_running()) == (process.pid, "", True)
            process.kill()
            process.wait()
            assert not holder.is_running()
            with pytest.raises(ProcessLookupError):
                holder.signal(0)  # type: ignore[arg-type]  # signal 0 asks only
    assert holder_of(database) is None


def test_what_the_holder_notes_is_read_line_by_line(database: Path) -> None:
    store = open_for_writing(url_of(database))
    try:
        for line in ("reload 0 ready", f"reload 1 refused {'é' * 2000}", "reload 2 began"):
            store.note_status(line)
            with lock_holder(url_of(database)) as holder:
                assert holder is not None
                assert holder.pid == os.getpid()
                assert line.startswith(holder.status().rstrip("\ufffd"))
        assert store.is_readable()
        with pytest.raises(StoreFault, match=f"pid {os.getpid()}"):
            open_for_writing(url_of(database))
    finally:
        store.close()
    assert holder_of(database) is None
    open_for_writing(url_of(database)).close()  # what a former holder has noted is no hindrance


def test_a_process_that_is_not_the_holder_is_not_found(database: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        lock_path(database).write_text(f"{other.pid}\nreload 0 ready\n")
        assert holder_of(database) is None
        with lock_path(database).open() as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            assert holder_of(database) is None
        other.communicate(b"\n")


def test_a_process_that_only_has_the_file_open_is_not_the_holder(database: Path) -> None:
    lock_path(database).write_text(f"{os.getpid()}\nreload 0 ready\n")
    with lock_path(database).open():
        assert holder_of(database) is None


@pytest.mark.parametrize(
    "text", ["", "\n", "0\n", "99999999999999999999\n", "-1\n", "1 2\n", "letters", "7\nx\ny\nz\n"]
)
def test_a_lock_that_names_no_process_has_no_holder(database: Path, text: str) -> None:
    lock_path(database).write_text(text)
    assert holder_of(database) is None


def test_a_missing_lock_has_no_holder(database: Path) -> None:
    assert holder_of(database) is None
    assert not lock_path(database).exists()
    with pytest.raises(StoreFault, match="a store in memory"), lock_holder("sqlite://:memory:"):
        pass
