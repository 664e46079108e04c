"""Readers open any copy that holds what we wrote, and leave nothing behind."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pytest

from adapters.store import (
    EventSourcedStore,
    StoreAuditLog,
    StoreFault,
    open_for_reading,
    open_for_writing,
    read_refusals,
    recording_refusals,
)
from domain.application.ports import StoreUnavailable
from domain.flow.ids import FlowId
from domain.history.refused_requests import Wanted
from tests.cli.copies import events_in, everything_in
from tests.store.commits import commit, created, save
from tests.whole.gateway import ROOT


def fill(store: EventSourcedStore, first: int, last: int) -> None:
    """Put some flows into a store, of one event each."""
    for number in range(first, last + 1):
        save(store, commit(None, created(FlowId(f"flow-{number}"))))


def filled(path: Path, last: int = 3) -> Path:
    """Return a store of so many events that was closed."""
    with closing(open_for_writing(f"sqlite:///{path}")) as store:
        fill(store, 1, last)
    return path


def killed(path: Path, last: int = 3) -> Path:
    """Return a store of so many events, all of them in its log, as SIGKILL leaves it."""
    writing = path.with_name("writing.db")
    with closing(open_for_writing(f"sqlite:///{writing}")) as store:
        fill(store, 1, last)
        for suffix in ("", "-wal"):
            shutil.copyfile(f"{writing}{suffix}", f"{path}{suffix}")
    for left in path.parent.glob("writing.db*"):
        left.unlink()
    return path


def test_a_stopped_store_is_read_and_nothing_is_left_behind(path: Path) -> None:
    before = everything_in(filled(path).parent)
    assert events_in(path) == 3
    assert everything_in(path.parent) == before


def test_a_copy_by_vacuum_is_read_as_it_is(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy" / "flows.db"
    copy.parent.mkdir()
    with closing(sqlite3.connect(filled(path))) as connection:
        connection.execute("VACUUM INTO ?", (str(copy),))
    before = everything_in(copy.parent)
    assert events_in(copy) == 3
    assert everything_in(copy.parent) == before


def test_a_copy_by_vacuum_can_be_written_on(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    with closing(sqlite3.connect(filled(path))) as connection:
        connection.execute("VACUUM INTO ?", (str(copy),))
    with closing(open_for_writing(f"sqlite:///{copy}")) as store:
        fill(store, 4, 4)
    assert events_in(copy) == 4


def test_a_copy_of_a_file_with_its_log_is_read_with_it_and_left_as_it_is(path: Path) -> None:
    before = everything_in(killed(path).parent)
    assert set(before) == {path.name, f"{path.name}-wal"}
    assert events_in(path) == 3
    assert everything_in(path.parent) == before


def test_the_log_that_a_killed_writer_left_stays_as_it_was(path: Path) -> None:
    killed(path)
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        connection.execute("SELECT count(*) FROM stored_events")  # this makes the -shm, and stays
    before = everything_in(path.parent)
    assert set(before) == {path.name, f"{path.name}-wal", f"{path.name}-shm"}
    assert events_in(path) == 3
    after = everything_in(path.parent)
    assert {name: after[name] for name in before if not name.endswith("-shm")} == {
        name: before[name] for name in before if not name.endswith("-shm")
    }
    assert after.keys() == before.keys()


def test_a_transaction_that_was_broken_off_is_rolled_back_in_a_copy(path: Path) -> None:
    filled(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
        connection.execute("PRAGMA cache_size=1")
        connection.execute("BEGIN")
        connection.execute("UPDATE stored_events SET state = zeroblob(20000)")
        broken = path.with_name("broken.db")
        for suffix in ("", "-journal"):
            shutil.copyfile(f"{path}{suffix}", f"{broken}{suffix}")
        connection.execute("ROLLBACK")
    before = everything_in(path.parent)
    assert events_in(broken) == 3
    assert everything_in(path.parent) == before


def test_a_reader_that_outlives_its_writer_leaves_nothing_behind(path: Path) -> None:
    with closing(open_for_writing(f"sqlite:///{filled(path)}")) as writer:
        reader = open_for_reading(f"sqlite:///{path}")
        fill(writer, 4, 4)
    assert len(list(StoreAuditLog(reader).entries())) == 4
    reader.close()
    assert {file.name for file in path.parent.iterdir()} == {path.name, f"{path.name}.lock"}
    assert events_in(path) == 4


def test_a_reader_beside_a_writer_takes_nothing_from_it(path: Path) -> None:
    with closing(open_for_writing(f"sqlite:///{path}")) as store:
        fill(store, 1, 2)
        assert events_in(path) == 2
        fill(store, 3, 3)
        assert events_in(path) == 3


@pytest.mark.parametrize("ours", [2, 3])
def test_a_log_of_another_file_is_refused(path: Path, tmp_path: Path, ours: int) -> None:
    (tmp_path / "older").mkdir()
    older = killed(tmp_path / "older" / "flows.db", ours)
    if ours == 3:
        with closing(open_for_writing(f"sqlite:///{filled(path, 2)}")) as store:
            save(store, commit(None, created(FlowId("flow-9"))))
    else:
        filled(path)
    shutil.copyfile(f"{older}-wal", f"{path}-wal")
    before = everything_in(path.parent)
    with pytest.raises(StoreFault, match=r"flows\.db-wal: does not belong to the file"):
        open_for_reading(f"sqlite:///{path}")
    assert everything_in(path.parent) == before
    with pytest.raises(StoreFault, match=r"flows\.db-wal: does not belong to the file"):
        open_for_writing(f"sqlite:///{path}")
    assert before.items() <= everything_in(path.parent).items()


def test_a_file_that_lost_its_power_while_its_log_was_copied_is_read_with_its_log(
    path: Path, tmp_path: Path
) -> None:
    torn = tmp_path / "torn.db"
    with closing(open_for_writing(f"sqlite:///{filled(path)}")) as store:
        fill(store, 4, 4)
        for suffix in ("", "-wal"):
            shutil.copyfile(f"{path}{suffix}", f"{torn}{suffix}")
        *_, last = StoreAuditLog(store).entries(3, 3)
    row = b"flow-3" + last.name.encode() + last.state
    file = torn.read_bytes()
    assert row in file
    torn.write_bytes(file.replace(row, row[:4].ljust(len(row), b"\0")))
    with closing(open_for_writing(f"sqlite:///{torn}")) as store:
        assert len(list(StoreAuditLog(store).entries())) == 4


def test_the_refusals_of_a_stopped_store_are_read_and_nothing_is_left_behind(path: Path) -> None:
    url = f"sqlite:///{filled(path)}"
    with recording_refusals(url, most=10, on_fault=lambda _: None):
        pass
    before = everything_in(path.parent)
    assert f"{path.name}.refusals" in before
    assert read_refusals(url).totals(Wanted()) == []
    assert everything_in(path.parent) == before


READ: Final = """\
import os
import sys
from contextlib import closing
from adapters.store import StoreAuditLog, open_for_reading
if os.getuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
with closing(open_for_reading(f"sqlite:///{sys.argv[1]}")) as store:
    print(len(list(StoreAuditLog(store).entries())))
"""
"""Reads a store as somebody who may write nothing where it is: root may write anywhere."""


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that others can look into, and write nothing in."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        yield folder
        folder.chmod(0o755)


@pytest.mark.parametrize("make", [filled, killed])
def test_a_copy_is_read_where_nothing_can_be_written(
    public: Path, make: Callable[[Path], Path]
) -> None:
    path = make(public / "flows.db")
    for file in public.iterdir():
        file.chmod(0o444)
    public.chmod(0o555)
    before = everything_in(public)
    ran = subprocess.run(  # noqa: S603 - our own program, with our own arguments
        [sys.executable, "-c", READ, str(path)],
        cwd=ROOT,
        # NOTE: where coverage is measured, it could not write either, and would say so.
        env={name: value for name, value in os.environ.items() if not name.startswith("COV")},
        check=False,
        capture_output=True,
        text=True,
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "3\n", "")
    assert everything_in(public) == before


def test_what_changes_while_it_is_read_where_nothing_can_be_written_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(path)
    monkeypatch.setattr("adapters.store.reading.file_name", _as_if_unwritable)
    reader = open_for_reading(f"sqlite:///{path}")
    monkeypatch.undo()
    assert len(list(StoreAuditLog(reader).entries())) == 3
    with closing(open_for_writing(f"sqlite:///{path}")) as store:
        fill(store, 4, 4)
        with pytest.raises(StoreUnavailable, match="somebody began to write to it"):
            StoreAuditLog(reader).size()
    reader.close()


def _as_if_unwritable(path: Path, mode: str) -> str:
    if mode == "ro":
        return f"file:{path}/nothing?mode=ro"
    return f"file:{path}?immutable=1&mode=ro"
