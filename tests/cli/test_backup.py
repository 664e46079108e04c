"""A backup is one whole file, made beside a writer, and nothing is left of one that fails."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from threading import Thread

import pytest

from adapters.cli import Dependencies
from adapters.store import back_up, open_for_writing
from tests.cli.copies import bench_from, events_in, everything_in, grow, growing, made
from tests.cli.workbench import Ran, taskflow


def backup(tools: Dependencies, path: Path, file: Path, *options: str) -> Ran:
    return taskflow(
        tools, "store", "backup", str(file), "--database", f"sqlite:///{path}", *options
    )


def test_a_backup_beside_a_writer_is_one_file_with_all_that_was_written(
    tools: Dependencies, path: Path, tmp_path: Path
) -> None:
    file = tmp_path / "to" / "monday.db"
    file.parent.mkdir()
    with growing(path) as bench:
        grow(bench, 5)
        ran = backup(tools, path, file)
    digest = sha256(file.read_bytes()).hexdigest()
    size = f"{file.stat().st_size:,} bytes"
    assert ran == Ran(0, f"Wrote {file}: 5 events, {size}\nSHA-256 {digest}\n", "")
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.read_bytes()[18:20] == b"\1\1"  # a rollback journal: SQLite's file format, 1.3
    assert events_in(file) == 5
    assert list(file.parent.iterdir()) == [file]


def test_a_backup_in_json(tools: Dependencies, path: Path, tmp_path: Path) -> None:
    ran = backup(tools, made(path, 2), tmp_path / "b.db", "--json")
    document = json.loads(ran.out)
    assert (ran.code, document["events"], document["file"]) == (0, 2, str(tmp_path / "b.db"))


def test_a_backup_ends_though_somebody_writes_at_each_step(path: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    target.touch()
    steps: list[tuple[int, int]] = []
    with closing(open_for_writing(f"sqlite:///{path}")) as store:
        bench = bench_from(store, 1)
        grow(bench, 40, "x" * 50_000)

        def write_on(done: int, total: int) -> None:
            steps.append((done, total))
            assert len(steps) < 50, "it begins again each time"
            writer = Thread(target=grow, args=(bench, 1))
            writer.start()
            writer.join()

        assert back_up(f"sqlite:///{path}", target, name=target, progress=write_on) == 40
    assert events_in(target) == 40
    assert len(steps) > 1
    assert steps[-1][0] == steps[-1][1]


def test_a_backup_leaves_a_stopped_store_as_it_is(
    tools: Dependencies, path: Path, tmp_path: Path
) -> None:
    before = everything_in(made(path, 2).parent)
    (tmp_path / "to").mkdir()
    assert backup(tools, path, tmp_path / "to" / "b.db").code == 0
    assert everything_in(path.parent) == before


def test_a_name_that_is_taken_stays(tools: Dependencies, path: Path, tmp_path: Path) -> None:
    made(path, 1)
    (tmp_path / "file").write_text("theirs")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("nothing")
    os.mkfifo(tmp_path / "pipe")
    before = sorted(tmp_path.iterdir())
    for name in ("file", "folder", "link", "pipe", path.name):
        ran = backup(tools, path, tmp_path / name)
        assert (ran.code, ran.out) == (2, "")
        assert "exists already, and a backup replaces nothing" in ran.err
    assert (tmp_path / "file").read_text() == "theirs"
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("suffix", ["-wal", "-shm", "-journal", ".refusals"])
def test_a_name_that_the_store_keeps_for_itself_is_refused(
    tools: Dependencies, path: Path, suffix: str
) -> None:
    before = everything_in(made(path, 1).parent)
    ran = backup(tools, path, path.with_name(path.name + suffix))
    assert (ran.code, ran.out) == (2, "")
    assert "is the name of a file that the store keeps beside itself" in ran.err
    assert everything_in(path.parent) == before


def test_what_would_be_played_back_into_a_backup_is_refused_and_left(
    tools: Dependencies, path: Path, tmp_path: Path
) -> None:
    made(path, 1)
    (tmp_path / "b.db-wal").write_bytes(b"of another file")
    before = everything_in(tmp_path)
    ran = backup(tools, path, tmp_path / "b.db")
    assert (ran.code, ran.out) == (2, "")
    assert f"{tmp_path}/b.db-wal: belongs to a file that is not there" in ran.err
    assert everything_in(tmp_path) == before


def test_a_damaged_store_gives_no_backup(tools: Dependencies, path: Path, tmp_path: Path) -> None:
    with growing(path) as bench:
        grow(bench, 30, "x" * 1000)
    with path.open("r+b") as file:
        file.seek(4096 * 4 + 8)
        file.write(b"\xff" * 3000)
    before = everything_in(tmp_path)
    ran = backup(tools, path, tmp_path / "b.db")
    assert (ran.code, ran.out) == (2, "")
    assert f"{path}: " in ran.err
    assert everything_in(tmp_path) == before


def test_there_is_no_backup_of_what_is_no_store(
    tools: Dependencies, path: Path, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(tmp_path / "other.db")) as other:
        other.execute("CREATE TABLE notes (text)")
    for source, complaint in ((path, "no such file"), (tmp_path / "other.db", "is not a TaskFlow")):
        before = everything_in(tmp_path)
        ran = backup(tools, source, tmp_path / "b.db")
        assert (ran.code, ran.out) == (2, "")
        assert complaint in ran.err
        assert everything_in(tmp_path) == before


def test_a_folder_that_is_missing_is_named(tools: Dependencies, path: Path, tmp_path: Path) -> None:
    ran = backup(tools, made(path, 1), tmp_path / "no" / "b.db")
    assert (ran.code, ran.out) == (2, "")
    assert "No such file or directory" in ran.err
