"""What is not opened as a store, and why: it is refused with its place, and left alone."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from adapters.store import StoreFault, open_existing, open_for_reading, open_for_writing
from adapters.store.schema import SCHEMA_VERSION
from adapters.store.sqlite_file import lock_path
from tests.store.conftest import MEMORY


def _sqlite_file(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def _everything_in(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("", "expected sqlite:///PATH"),
        ("flows.db", "expected sqlite:///PATH"),
        ("sqlite:", "expected sqlite:///PATH"),
        ("sqlite:///", "expected sqlite:///PATH"),
        ("sqlite://flows.db", "expected sqlite:///PATH"),
        ("sqlite3:///flows.db", "expected sqlite:///PATH"),
        ("SQLITE:///flows.db", "expected sqlite:///PATH"),
        ("sqlite:///flows\0.db", "expected sqlite:///PATH"),
        ("file:flows.db?mode=memory", "expected sqlite:///PATH"),
        ("mysql://db/flows", "expected sqlite:///PATH"),
        ("postgres://user@db/flows", "expected sqlite:///PATH"),
    ],
)
def test_a_url_that_we_do_not_serve_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, complaint: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for open_it in (open_for_writing, open_for_reading):
        with pytest.raises(StoreFault, match=re.escape(complaint)):
            open_it(url)
    assert list(tmp_path.iterdir()) == []


def test_a_refused_url_does_not_show_its_password() -> None:
    for url in ("postgres://user:hunter2@db/flows", "mysql://user:hunter2@db/flows"):
        with pytest.raises(StoreFault) as raised:
            open_for_writing(url)
        assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    ("contents", "complaint"),
    [
        (b"goal: ship it\n" * 100, "file is not a database"),
        (b"xy", "file is not a database"),
        (b"SQLite format 3\0" + b"\xff" * 4096, "cannot be used as a TaskFlow store"),
    ],
    ids=["text", "two bytes", "broken"],
)
def test_a_file_that_is_no_database_is_refused_and_left_alone(
    path: Path, file_url: str, contents: bytes, complaint: str
) -> None:
    path.write_bytes(contents)
    for open_it in (open_for_writing, open_for_reading):
        with pytest.raises(StoreFault, match=f"^{re.escape(str(path))}: .*{complaint}"):
            open_it(file_url)
    assert _everything_in(path.parent) == {path.name: contents}


@pytest.mark.parametrize(
    "statements",
    [
        ("CREATE TABLE notes (text TEXT)",),
        ("PRAGMA user_version=1",),
        ("PRAGMA application_id=7",),
        ("PRAGMA journal_mode=WAL", "CREATE TABLE notes (text TEXT)"),
        (
            "CREATE TABLE stored_events (originator_id TEXT)",
            f"PRAGMA user_version={SCHEMA_VERSION}",
        ),
    ],
    ids=["tables", "a version", "an id", "writes ahead", "tables like ours"],
)
def test_a_database_of_another_application_is_refused_and_left_alone(
    path: Path, file_url: str, statements: tuple[str, ...]
) -> None:
    _sqlite_file(path, *statements)
    before = _everything_in(path.parent)
    for open_it in (open_for_writing, open_for_reading):
        with pytest.raises(StoreFault, match=f"^{re.escape(str(path))}: is not a TaskFlow store$"):
            open_it(file_url)
        assert _everything_in(path.parent) == before


@pytest.mark.parametrize("version", [0, SCHEMA_VERSION + 1])
def test_a_store_of_another_version_is_refused_and_left_alone(
    path: Path, file_url: str, version: int
) -> None:
    open_for_writing(file_url).close()
    _sqlite_file(path, f"PRAGMA user_version={version}")
    before = path.read_bytes()
    complaint = f"store of version {version}, this program reads version {SCHEMA_VERSION}"
    for open_it in (open_for_writing, open_for_reading):
        with pytest.raises(StoreFault, match=complaint):
            open_it(file_url)
    assert path.read_bytes() == before


def test_an_empty_file_becomes_a_store_for_a_writer_and_is_none_for_a_reader(
    path: Path, file_url: str
) -> None:
    path.touch()
    with pytest.raises(StoreFault, match="is not a TaskFlow store"):
        open_for_reading(file_url)
    assert path.stat().st_size == 0
    open_for_writing(file_url).close()
    open_for_reading(file_url).close()


def test_a_file_that_is_missing_is_made_neither_to_be_read_nor_to_be_mended(
    path: Path, file_url: str
) -> None:
    for open_it in (open_for_reading, open_existing):
        with pytest.raises(StoreFault, match=f"^{re.escape(str(path))}: no such file$"):
            open_it(file_url)
    assert list(path.parent.iterdir()) == []


def test_a_folder_is_no_store(tmp_path: Path) -> None:
    with pytest.raises(StoreFault, match="is not a file that can be read and written"):
        open_for_writing(f"sqlite:///{tmp_path}")
    with pytest.raises(StoreFault, match="no such file"):
        open_for_reading(f"sqlite:///{tmp_path}")


def test_a_file_below_a_file_cannot_be_made(path: Path, file_url: str) -> None:
    path.write_text("a file")
    with pytest.raises(StoreFault, match="cannot be made: "):
        open_for_writing(f"{file_url}/flows.db")


def test_a_loop_of_links_is_refused(path: Path, file_url: str) -> None:
    path.symlink_to(path)
    with pytest.raises(StoreFault, match="cannot be made: Too many levels"):
        open_for_writing(file_url)
    with pytest.raises(StoreFault, match="no such file"):
        open_for_reading(file_url)


def test_a_lock_that_cannot_be_made_is_refused(path: Path, file_url: str) -> None:
    lock_path(path).mkdir()
    with pytest.raises(StoreFault, match=r"flows\.db\.lock: cannot be locked: Is a directory"):
        open_for_writing(file_url)


def test_a_store_in_memory_cannot_be_opened_by_another_process() -> None:
    for open_it in (open_for_reading, open_existing):
        with pytest.raises(StoreFault, match="a store in memory"):
            open_it(MEMORY)
