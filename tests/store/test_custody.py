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

from adapters.store import EventSourcedStore, StoreFault, open_for_writing
from adapters.store.lock import take_lock
from adapters.store.opening import sqlite_datastore
from adapters.store.sqlite_file import lock_path
from domain.application.ports import StoreUnavailable, itself
from domain.flow.ids import FlowId, Owner
from tests.store.commits import WAITS, commit, created, folded, save
from tests.store.tables import execute
from tests.store.troubles import overwrite_root

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
        save(store, commit(None, created()))
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


def _remove_the_log(path: Path) -> None:
    _beside(path, "-wal").unlink()


def _replace_the_log(path: Path) -> None:
    _replace(_beside(path, "-wal"))


def _empty_the_log(path: Path) -> None:
    os.truncate(_beside(path, "-wal"), 0)


def _shorten_the_log(path: Path) -> None:
    os.truncate(_beside(path, "-wal"), 4000)


def _overwrite_the_log(path: Path) -> None:
    log = _beside(path, "-wal")
    with log.open("r+b") as file:
        file.seek(32)
        file.write(bytes(log.stat().st_size - 32))


def _overwrite_the_log_with_another(path: Path) -> None:
    """Put another store's log, as long as ours or longer, into the file that is there."""
    other = path.with_name("other.db")
    with closing(open_for_writing(f"sqlite:///{other}")) as store:
        save(store, commit(None, created()))
        log = _beside(other, "-wal").read_bytes()
    _beside(path, "-wal").write_bytes(log.ljust(_beside(path, "-wal").stat().st_size, b"\0"))


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
    "log removed": (_remove_the_log, "flows.db-wal: is not there any more"),
    "log replaced": (
        _replace_the_log,
        "flows.db-wal: was replaced by another file",
    ),
    "log emptied": (_empty_the_log, "flows.db-wal: is not what was written to it"),
    "log shortened": (_shorten_the_log, "flows.db-wal: is not what was written to it"),
    "log overwritten": (_overwrite_the_log, "flows.db-wal: is not what was written to it"),
    "log of another store": (
        _overwrite_the_log_with_another,
        "flows.db-wal: is not what was written to it",
    ),
    "index removed": (lambda p: _beside(p, "-shm").unlink(), "flows.db-shm: is not there any more"),
}

_LOG_GONE: Final = (_remove_the_log, _replace_the_log)
_IN_THE_LOG: Final = (
    _shorten_the_log,
    _overwrite_the_log,
    _overwrite_the_log_with_another,
)

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
        opened.store.maintain()
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match=re.escape(found)):
            save(opened.store, commit(folded(created()), WAITS))
        with pytest.raises(StoreUnavailable, match=re.escape(found)):
            opened.store.load(FlowId("flow-1"))
        assert not opened.store.is_readable()
    assert len(opened.reported) == 1
    assert found in opened.reported[0]


@troubles
def test_no_write_is_acknowledged_by_such_a_store_even_before_it_is_looked_after(
    opened: _Opened, path: Path, trouble: Trouble, found: str
) -> None:
    trouble(path)
    with pytest.raises(StoreUnavailable, match=re.escape(found)):
        save(opened.store, commit(folded(created()), WAITS))
    assert len(opened.reported) == 1


@troubles
def test_nothing_that_lies_there_by_now_is_changed_when_it_is_closed(
    opened: _Opened, path: Path, trouble: Trouble, found: str
) -> None:
    """SQLite would move its log to the file, and remove what is at the log's name."""
    trouble(path)
    before = _contents(path)
    opened.store.close()
    after = _contents(path)
    if trouble in _LOG_GONE:  # what is in it is saved, and nothing else is done
        del before[path], after[path]
    assert after == before
    assert len(opened.reported) == 1
    assert found in opened.reported[0]


@pytest.mark.parametrize("looks", [0, 2])
@pytest.mark.parametrize("trouble", _LOG_GONE)
def test_what_was_acknowledged_into_a_log_that_is_gone_is_saved_when_it_is_closed(
    opened: _Opened, path: Path, file_url: str, trouble: Trouble, looks: int
) -> None:
    trouble(path)
    for _ in range(looks):
        with pytest.raises(StoreUnavailable):
            opened.store.maintain()
    opened.store.close()
    _beside(path, "-wal").unlink(missing_ok=True)
    with closing(open_for_writing(file_url)) as store:
        assert store.load(FlowId("flow-1")) == folded(created())


def test_but_not_into_a_database_that_was_written_over(opened: _Opened, path: Path) -> None:
    _remove_the_log(path)
    with pytest.raises(StoreUnavailable):
        opened.store.maintain()
    path.write_bytes(path.read_bytes())
    before = _contents(path)
    opened.store.close()
    assert _contents(path) == before


def test_an_index_that_was_shortened_is_a_breach_and_no_reason_to_die(
    opened: _Opened, path: Path
) -> None:
    """Whoever reads behind its end is killed by the system, as SQLite maps it into memory."""
    index = _beside(path, "-shm")
    size = index.stat().st_size
    os.truncate(index, 20)
    try:
        with pytest.raises(StoreUnavailable, match=r"-shm: was shortened, but not by SQLite"):
            opened.store.maintain()
    finally:
        os.truncate(index, size)


def _contents(path: Path) -> dict[Path, bytes]:
    """Return what lies beside a store; its index is SQLite's own, and made anew at each start."""
    files = path.parent.parent.rglob("flows.db*")
    return {f: f.read_bytes() for f in files if f.is_file() and not f.name.endswith("-shm")}


@troubles
def test_nor_if_it_happens_while_the_write_is_committed(
    opened: _Opened, path: Path, trouble: Trouble, found: str
) -> None:
    if trouble in _IN_THE_LOG:
        pytest.skip("SQLite writes behind it meanwhile; it is found out by what is read from it")
    datastore = sqlite_datastore(opened.store.application)
    with pytest.raises(StoreUnavailable, match=re.escape(found)), datastore.writing():
        trouble(path)
    assert len(opened.reported) == 1


def test_nor_if_it_is_the_database_that_is_written_over_while_the_log_grows(
    opened: _Opened, path: Path
) -> None:
    """A commit explains that the log has changed, and only a checkpoint that the database has."""

    def write() -> None:
        with sqlite_datastore(opened.store.application).writing() as cursor:
            path.write_bytes(path.read_bytes())
            cursor.execute("INSERT INTO request_keys VALUES ('r', 'k', 'h', 'flow-1', 1, NULL)")

    with pytest.raises(StoreUnavailable, match="was written to, but not by SQLite"):
        write()
    assert len(opened.reported) == 1


def test_a_file_that_is_put_back_is_not_trusted_again_before_the_next_start(
    opened: _Opened, path: Path, file_url: str
) -> None:
    away = _beside(path, ".away")
    path.rename(away)
    with pytest.raises(StoreUnavailable):
        opened.store.maintain()
    away.rename(path)
    with pytest.raises(StoreUnavailable, match="is not there any more"):
        save(opened.store, commit(folded(created()), WAITS))
    opened.store.close()
    with closing(open_for_writing(file_url)) as store:
        assert store.load(FlowId("flow-1")) == folded(created())
        save(store, commit(folded(created()), WAITS))


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
            others.submit(opened.store.load, FlowId("flow-1")).result()
    assert opened.reported == [f"{path}: {found}"]


@pytest.mark.parametrize("statement", ["PRAGMA wal_checkpoint(TRUNCATE)", "VACUUM", "ANALYZE"])
def test_what_sqlite_itself_does_for_another_program_is_no_breach(
    opened: _Opened, path: Path, statement: str
) -> None:
    """An operator may look at a store, and tools that copy one checkpoint it."""
    for number in range(3):
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute(statement)
        opened.store.maintain()
        save(opened.store, commit(None, created(FlowId(f"flow-{number + 2}"))))
    assert opened.reported == []
    assert opened.store.is_readable()


def test_a_damaged_page_ends_all_writing_and_is_reported_once(
    opened: _Opened, file_url: str, path: Path
) -> None:
    opened.store.close()
    overwrite_root(path, "flow_index_owner")
    reported: list[str] = []
    with closing(open_for_writing(file_url, on_breach=reported.append)) as store:
        with pytest.raises(StoreUnavailable, match="is damaged: database disk image is malformed"):
            store.page(Owner("agent:main:main"), limit=5, before=None, status=None, show=itself)
        assert not store.is_readable()
        with pytest.raises(StoreUnavailable, match="is damaged"):
            save(store, commit(None, created(FlowId("flow-2"))))
        with pytest.raises(StoreUnavailable, match="is damaged"):
            store.load(FlowId("flow-1"))
    assert reported == [f"{path}: is damaged: database disk image is malformed"]


def test_a_store_that_cannot_be_read_is_not_called_readable(
    opened: _Opened, file_url: str, path: Path
) -> None:
    opened.store.close()
    with closing(open_for_writing(file_url)) as store:
        assert store.is_readable()
    for table in ("flow_index", "flow_index_owner", "flow_index_owner_status"):
        overwrite_root(path, table)
    with closing(open_for_writing(file_url)) as store:
        assert not store.is_readable()


def test_an_error_that_passes_is_no_breach(opened: _Opened) -> None:
    with pytest.raises(OperationalError, match="no such table"):
        execute(opened.store, "SELECT * FROM missing")
    save(opened.store, commit(folded(created()), WAITS))
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
