"""Opening a store: what is made, what is promised and checked, and what has no say in it."""

from __future__ import annotations

import os
import sqlite3
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import Literal

import pytest

from adapters.store import (
    EventSourcedStore,
    StoreFault,
    open_existing,
    open_for_reading,
    open_for_writing,
    opening,
)
from adapters.store.opening import sqlite_datastore
from adapters.store.schema import APPLICATION_ID, SCHEMA_VERSION
from adapters.store.sqlite_file import file_name
from domain.flow.evolve import fold
from domain.flow.ids import FlowId
from tests.store.commits import RESUMES, WAITS, commit, created, folded, save
from tests.store.conftest import MEMORY
from tests.store.tables import delete_caches


def test_a_new_store_is_made_with_its_folder_and_only_for_its_user(tmp_path: Path) -> None:
    path = tmp_path / "not" / "yet" / "flows.db"
    with closing(open_for_writing(f"sqlite:///{path}")) as store:
        save(store, commit(None, created()))
        modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
    assert modes == {
        "flows.db": 0o600,
        "flows.db-wal": 0o600,
        "flows.db-shm": 0o600,
        "flows.db.lock": 0o600,
    }


def test_a_new_store_says_whose_it_is_and_of_which_version(
    file_store: EventSourcedStore, path: Path
) -> None:
    assert file_store.load(FlowId("flow-1")) is None
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
        assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_every_connection_writes_ahead_and_syncs_every_commit(
    file_store: EventSourcedStore,
) -> None:
    with ExitStack() as stack:
        for _ in range(4):  # at once, so that each is a connection of its own
            cursor = stack.enter_context(file_store.application.datastore.reading())
            cursor.execute("PRAGMA journal_mode")
            assert cursor.fetchone()[0] == "wal"
            cursor.execute("PRAGMA synchronous")
            assert cursor.fetchone()[0] == 2


@pytest.mark.parametrize(
    ("broken", "found"),
    [
        ("synchronous=NORMAL", "journal_mode=wal, synchronous=1"),
        ("synchronous=OFF", "journal_mode=wal, synchronous=0"),
        ("journal_mode=DELETE", "journal_mode=delete, synchronous=2"),
    ],
)
def test_a_database_that_does_not_do_so_is_refused(
    file_store: EventSourcedStore, broken: str, found: str
) -> None:
    datastore = sqlite_datastore(file_store.application)
    datastore.check_promises()
    with datastore.get_connection(commit=True) as connection:
        connection.cursor().execute(f"PRAGMA {broken}")
    with pytest.raises(StoreFault, match=f"flows.db.*: a write would not survive .*: {found}$"):
        datastore.check_promises()


def test_a_file_system_that_cannot_keep_the_promise_is_refused_and_the_file_is_free_again(
    file_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        # NOTE: this VFS of SQLite has no shared memory, as some network file systems.
        without_wal = partial(_name_on_vfs, "unix-none")
        patch.setattr(opening, "file_name", without_wal)
        with pytest.raises(StoreFault, match="would not survive a power cut: journal_mode=delete"):
            open_for_writing(file_url)
    with closing(open_for_writing(file_url)) as store:
        save(store, commit(None, created()))


def _name_on_vfs(vfs: str, path: Path, mode: Literal["ro", "rw"]) -> str:
    return f"{file_name(path, mode)}&vfs={vfs}"


def test_what_was_written_is_there_when_the_store_is_opened_again(file_url: str) -> None:
    with closing(open_for_writing(file_url)) as store:
        save(store, commit(None, created(), WAITS))
    with closing(open_for_writing(file_url)) as store:
        save(store, commit(folded(created(), WAITS), RESUMES))
    with closing(open_for_writing(file_url)) as store:
        assert store.load(FlowId("flow-1")) == fold(None, (created(), WAITS, RESUMES))


def test_a_store_in_memory_is_a_new_one_each_time() -> None:
    with closing(open_for_writing(MEMORY)) as one, closing(open_for_writing(MEMORY)) as other:
        save(one, commit(None, created()))
        assert other.load(FlowId("flow-1")) is None


@pytest.mark.parametrize(
    "name", ["a b.db", "ü😀.db", "50%.db", "a?b#c.db", "a&b=mode=memory.db", ":memory:.db", "'.db"]
)
def test_a_file_may_have_any_name(tmp_path: Path, name: str) -> None:
    url = f"sqlite:///{tmp_path}/{name}"
    with closing(open_for_writing(url)) as store:
        save(store, commit(None, created()))
        with closing(open_for_reading(url)) as reader:
            assert reader.load(FlowId("flow-1")) == folded(created())
    assert (tmp_path / name).is_file()
    assert (tmp_path / name).stat().st_size > 0


def test_a_relative_url_is_relative_to_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    open_for_writing("sqlite:///var/flows.db").close()
    assert (tmp_path / "var" / "flows.db").is_file()


def test_a_store_is_mended_by_the_only_writer(file_url: str) -> None:
    with closing(open_for_writing(file_url)) as store:
        save(store, commit(None, created()))
        with pytest.raises(StoreFault, match="in use by another process"):
            open_existing(file_url)
    with closing(open_existing(file_url)) as store:
        save(store, commit(folded(created()), WAITS))


def test_the_environment_has_no_say(
    path: Path, file_url: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stray = {
        "PERSISTENCE_MODULE": "eventsourcing.popo",
        "SQLITE_DBNAME": ":memory:",
        "SQLITE_LOCK_TIMEOUT": "soon",
        "ORIGINATOR_ID_TYPE": "uuid",
        "CREATE_TABLE": "n",
        "IS_SNAPSHOTTING_ENABLED": "n",
        "APPLICATION_RECORDER_TOPIC": "nowhere:Recorder",
        "MAPPER_TOPIC": "nowhere:Mapper",
        "TRANSCODER_TOPIC": "nowhere:Transcoder",
        "COMPRESSOR_TOPIC": "nowhere:Compressor",
        "CIPHER_TOPIC": "nowhere:Cipher",
        "CIPHER_KEY": "no key",
        "AGGREGATE_CACHE_MAXSIZE": "10",
    }
    for name, value in stray.items():
        monkeypatch.setenv(name, value)
        monkeypatch.setenv(f"TASKFLOW_{name}", value)
    with closing(open_for_writing(url)) as store:
        save(store, commit(None, created()))
        save(store, commit(folded(created()), WAITS))
        assert store.load(FlowId("flow-1")) == folded(created(), WAITS)
        delete_caches(store)
        assert store.load(FlowId("flow-1")) == folded(created(), WAITS)
    if url == file_url:
        assert path.stat().st_size > 0
        with closing(open_for_reading(file_url)) as reader:
            assert reader.load(FlowId("flow-1")) == folded(created(), WAITS)
    assert set(stray) <= set(os.environ)
