"""What happens to the files of a store while it is open: nothing is acknowledged into the void."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Final, TypeAlias

import pytest
from attrs import field, frozen
from eventsourcing.persistence import OperationalError

from adapters.store import EventSourcedStore, StoreFault, maintain, open_for_writing
from adapters.store.lock import lock_path, take_lock
from domain.ports import StoreUnavailable, itself
from tests.store.commits import WAITS, commit, created, folded
from tests.store.tables import execute

Trouble: TypeAlias = Callable[[Path], None]


@frozen
class _Opened:
    """A store with a flow in it, and what was reported of it."""

    store: EventSourcedStore
    reported: list[str] = field(factory=list)


@pytest.fixture
def opened(file_url: str) -> Iterator[_Opened]:
    """A store with a flow in it."""
    reported: list[str] = []
    with closing(open_for_writing(file_url, on_breach=reported.append)) as store:
        store.save(commit(None, created()))
        yield _Opened(store, reported)


def _beside(path: Path, end: str) -> Path:
    return path.with_name(path.name + end)


def _remove(path: Path) -> None:
    for file in path.parent.glob(f"{path.name}*"):
        file.unlink()


def _move(path: Path, place: Path) -> None:
    path.rename(place)


def _replace(path: Path) -> None:
    copy = path.with_name("copy")
    shutil.copyfile(path, copy)
    copy.replace(path)


def _copy_over(path: Path) -> None:
    """Restore an older copy as `cp` does: into the file that is there."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("VACUUM INTO ?", (str(path.with_name("copy")),))
    path.write_bytes(path.with_name("copy").read_bytes())


def _empty_the_log(path: Path) -> None:
    os.truncate(_beside(path, "-wal"), 0)


TROUBLES: Final[dict[str, tuple[Trouble, str]]] = {
    "all files removed": (_remove, "flows.db: is not there any more"),
    "file removed": (Path.unlink, "flows.db: is not there any more"),
    "file moved": (lambda p: _move(p, _beside(p, ".old")), "flows.db: is not there any more"),
    "file replaced": (_replace, "flows.db: was replaced by another file"),
    "file copied over": (_copy_over, "flows.db: was written to, but not by SQLite"),
    "file emptied": (lambda p: os.truncate(p, 0), "flows.db: was written to, but not by SQLite"),
    "second name": (
        lambda p: os.link(p, _beside(p, ".twin")),
        "flows.db: has 2 names (hard links)",
    ),
    "folder moved": (
        lambda p: _move(p.parent, _beside(p.parent, "-old")),
        "is not there any more",
    ),
    "lock removed": (lambda p: lock_path(p).unlink(), "flows.db.lock: is not there any more"),
    "lock replaced": (
        lambda p: _replace(lock_path(p)),
        "flows.db.lock: was replaced by another file",
    ),
    "log removed": (lambda p: _beside(p, "-wal").unlink(), "flows.db-wal: is not there any more"),
    "log replaced": (
        lambda p: _replace(_beside(p, "-wal")),
        "flows.db-wal: was replaced by another file",
    ),
    "log emptied": (_empty_the_log, "flows.db-wal: is shorter than what was written to it"),
    "index removed": (lambda p: _beside(p, "-shm").unlink(), "flows.db-shm: is not there any more"),
}

troubles = pytest.mark.parametrize(("trouble", "found"), TROUBLES.values(), ids=list(TROUBLES))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file of a store is, in a folder that can be moved."""
    folder = tmp_path / "var"
    folder.mkdir()
    return folder / "flows.db"


@troubles
def test_a_store_whose_files_are_not_what_they_were_is_used_no_more(
    opened: _Opened, path: Path, trouble: Trouble, found: str
) -> None:
    trouble(path)
    with pytest.raises(StoreUnavailable, match=re.escape(found)):
        maintain(opened.store)
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match=re.escape(found)):
            opened.store.save(commit(folded(created()), WAITS))
        with pytest.raises(StoreUnavailable, match=re.escape(found)):
            opened.store.load("flow-1")
        assert not opened.store.is_readable()
    assert len(opened.reported) == 1
    assert found in opened.reported[0]


@troubles
def test_no_write_is_acknowledged_by_such_a_store_even_before_it_is_looked_after(
    opened: _Opened, path: Path, trouble: Trouble, found: str
) -> None:
    trouble(path)
    with pytest.raises(StoreUnavailable, match=re.escape(found)):
        opened.store.save(commit(folded(created()), WAITS))
    assert len(opened.reported) == 1


@troubles
def test_nor_if_it_happens_while_the_write_is_committed(
    opened: _Opened, path: Path, trouble: Trouble, found: str
) -> None:
    if trouble in (_copy_over, TROUBLES["file emptied"][0]):
        pytest.skip("SQLite writes to the file meanwhile; it is found out by what is read from it")
    commits = opened.store.application.commits
    with pytest.raises(StoreUnavailable, match=re.escape(found)):
        commits.commit(lambda _: trouble(path))
    assert len(opened.reported) == 1


def test_a_file_that_is_put_back_is_not_trusted_again_before_the_next_start(
    opened: _Opened, path: Path, file_url: str
) -> None:
    away = _beside(path, ".away")
    path.rename(away)
    with pytest.raises(StoreUnavailable):
        maintain(opened.store)
    away.rename(path)
    with pytest.raises(StoreUnavailable, match="is not there any more"):
        opened.store.save(commit(folded(created()), WAITS))
    opened.store.close()
    with closing(open_for_writing(file_url)) as store:
        assert store.load("flow-1") == folded(created())
        store.save(commit(folded(created()), WAITS))


@pytest.mark.parametrize(
    ("trouble", "found"),
    [(_replace, "was replaced by another file"), (Path.unlink, "is not there any more")],
)
def test_no_new_connection_is_made_to_another_file_or_to_none(
    opened: _Opened, path: Path, trouble: Trouble, found: str
) -> None:
    with (
        opened.store.application.datastore.reading(),  # so that others need a new connection
        ThreadPoolExecutor(1) as others,
    ):
        trouble(path)
        with pytest.raises(StoreUnavailable, match=found):
            others.submit(opened.store.load, "flow-1").result()
    assert opened.reported == [f"{path}: {found}"]


@pytest.mark.parametrize("statement", ["PRAGMA wal_checkpoint(TRUNCATE)", "VACUUM", "ANALYZE"])
def test_what_sqlite_itself_does_for_another_program_is_no_breach(
    opened: _Opened, path: Path, statement: str
) -> None:
    """An operator may look at a store, and tools that copy one checkpoint it."""
    for number in range(3):
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute(statement)
        maintain(opened.store)
        opened.store.save(commit(None, created(f"flow-{number + 2}")))
    assert opened.reported == []
    assert opened.store.is_readable()


def test_a_damaged_page_ends_all_writing_and_is_reported_once(
    opened: _Opened, file_url: str, path: Path
) -> None:
    opened.store.close()
    _damage(path, "flow_index_owner")
    reported: list[str] = []
    with closing(open_for_writing(file_url, on_breach=reported.append)) as store:
        with pytest.raises(StoreUnavailable, match="is damaged: database disk image is malformed"):
            store.page("agent:main:main", limit=5, before=None, status=None, show=itself)
        assert not store.is_readable()
        with pytest.raises(StoreUnavailable, match="is damaged"):
            store.save(commit(None, created("flow-2")))
        with pytest.raises(StoreUnavailable, match="is damaged"):
            store.load("flow-1")
    assert reported == [f"{path}: is damaged: database disk image is malformed"]


def test_a_store_that_cannot_be_read_is_not_called_readable(
    opened: _Opened, file_url: str, path: Path
) -> None:
    opened.store.close()
    with closing(open_for_writing(file_url)) as store:
        assert store.is_readable()
    for table in ("flow_index", "flow_index_owner", "flow_index_owner_status"):
        _damage(path, table)
    with closing(open_for_writing(file_url)) as store:
        assert not store.is_readable()


def test_an_error_that_passes_is_no_breach(opened: _Opened) -> None:
    with pytest.raises(OperationalError, match="no such table"):
        execute(opened.store, "SELECT * FROM missing")
    opened.store.save(commit(folded(created()), WAITS))
    assert opened.reported == []


def test_a_file_with_two_names_is_refused_and_left_alone(path: Path, file_url: str) -> None:
    open_for_writing(file_url).close()
    before = path.read_bytes()
    os.link(path, _beside(path, ".twin"))
    complaint = r"flows\.db: has 2 names \(hard links\).*; remove all but one, or copy the file$"
    with pytest.raises(StoreFault, match=complaint):
        open_for_writing(file_url)
    with pytest.raises(StoreFault, match="has 2 names"):
        open_for_writing(f"{file_url}.twin")
    assert path.read_bytes() == before
    assert not lock_path(_beside(path, ".twin")).exists()


@pytest.mark.parametrize("contents", ["notes of mine\n", "1234 bytes\n", "9" * 40])
def test_a_file_of_others_in_the_place_of_the_lock_is_refused_and_left_alone(
    path: Path, file_url: str, contents: str
) -> None:
    lock_path(path).write_text(contents)
    with pytest.raises(StoreFault, match=r"flows\.db\.lock: is not a lock of ours; move it away"):
        open_for_writing(file_url)
    assert lock_path(path).read_text() == contents


def test_a_link_in_the_place_of_the_lock_is_not_followed(path: Path, file_url: str) -> None:
    other = path.with_name("other")
    other.write_text("1234\n")
    lock_path(path).symlink_to(other)
    with pytest.raises(StoreFault, match="cannot be locked"):
        open_for_writing(file_url)
    assert other.read_text() == "1234\n"


def _damage(path: Path, table: str) -> None:
    """Overwrite the root page of a table or an index."""
    with closing(sqlite3.connect(path)) as connection:
        page_size = connection.execute("PRAGMA page_size").fetchone()[0]
        query = "SELECT rootpage FROM sqlite_master WHERE name = ?"
        root = connection.execute(query, (table,)).fetchone()[0]
    with path.open("r+b") as file:
        file.seek((root - 1) * page_size)
        file.write(b"\xff" * page_size)


def test_the_database_itself_is_locked_too(path: Path) -> None:
    """Without the file beside it, or by another path, a second writer finds it in use."""
    path.touch()
    first = take_lock(path)
    try:
        lock_path(path).unlink()
        with pytest.raises(StoreFault, match="in use by another process that writes to it"):
            take_lock(path)
    finally:
        first.release()
    take_lock(path).release()
