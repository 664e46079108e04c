"""A store is put back whole, over nothing that was not given up, or it stays as it is."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from adapters.cli import Dependencies
from adapters.store import open_for_writing
from tests.cli.copies import events_in, everything_in, grow, growing, made
from tests.cli.workbench import Ran, taskflow


def restore(tools: Dependencies, file: Path, path: Path, *options: str) -> Ran:
    return taskflow(
        tools, "store", "restore", str(file), "--database", f"sqlite:///{path}", *options
    )


@pytest.fixture
def copy(tools: Dependencies, tmp_path: Path) -> Path:
    """A backup of a store of three flows, which is `growing.db`."""
    source, file = tmp_path / "source" / "growing.db", tmp_path / "source" / "monday.db"
    source.parent.mkdir()
    made(source, 3)
    ran = taskflow(tools, "store", "backup", str(file), "--database", f"sqlite:///{source}")
    assert ran.code == 0
    return file


def older(path: Path, flows: int) -> Path:
    """Make a store of the first or of more flows of the one that was copied."""
    return made(path, flows)


def test_a_copy_is_restored_where_nothing_is(tools: Dependencies, copy: Path, path: Path) -> None:
    ran = restore(tools, copy, path)
    said = f"Restored {path}: 3 events\nIt was compared with no checkpoint\n"
    assert ran == Ran(0, said, "")
    assert set(everything_in(path.parent)) == {path.name}
    assert path.stat().st_mode & 0o777 == 0o600
    made(path, 1, number=9)
    assert events_in(path) == 4
    assert events_in(copy) == 3


def test_a_store_that_the_copy_continues_is_replaced_and_kept(
    tools: Dependencies, copy: Path, path: Path
) -> None:
    old = older(path, 2).read_bytes()
    ran = restore(tools, copy, path)
    kept = path.with_name(f"{path.name}.replaced-1")
    assert (ran.code, ran.err) == (0, "")
    assert f"What was there is kept as {kept}\n" in ran.out
    assert (events_in(path), events_in(kept), kept.read_bytes()) == (3, 2, old)
    assert (path.stat().st_nlink, kept.stat().st_nlink) == (1, 1)


@pytest.mark.parametrize("mode", [0o640, 0o660])
def test_who_could_use_the_store_can_use_the_restored_one(
    tools: Dependencies, copy: Path, path: Path, mode: int
) -> None:
    older(path, 2).chmod(mode)
    if os.geteuid() == 0:  # nobody else can give a file away
        os.chown(path, 12345, 23456)
    before = path.stat()
    assert restore(tools, copy, path).code == 0
    after = path.stat()
    assert after.st_ino != before.st_ino
    assert (after.st_uid, after.st_gid, after.st_mode) == (
        before.st_uid,
        before.st_gid,
        before.st_mode,
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_store_of_another_user_is_not_taken_from_him(tools: Dependencies, copy: Path) -> None:
    with tempfile.TemporaryDirectory() as name:  # a folder of pytest is root's alone
        folder = Path(name)
        folder.chmod(0o777)
        file = Path(shutil.copy(copy, folder / copy.name))
        store = older(folder / "store.db", 2)
        for each in folder.iterdir():
            each.chmod(0o666)
        os.chown(store, 12345, 23456)
        before = everything_in(folder)
        os.seteuid(54321)
        try:
            ran = restore(tools, file, store)
        finally:
            os.seteuid(0)
        assert (ran.code, ran.out) == (2, "")
        sentence = "belongs to user 12345 and group 23456: restore it as that user, or as root"
        assert sentence in ran.err
        assert everything_in(folder) == before


def test_a_newer_store_is_replaced_only_when_it_is_given_up(
    tools: Dependencies, copy: Path, path: Path
) -> None:
    before = everything_in(older(path, 5).parent)
    ran = restore(tools, copy, path, "--replace-other")
    assert (ran.code, ran.out) == (2, "")
    assert f"{path}: is newer than {copy}: 2 events, 2 of them new flows, would be lost" in ran.err
    assert "--discard-newer replaces it all the same" in ran.err
    assert everything_in(path.parent) == before
    ran = restore(tools, copy, path, "--discard-newer", "--json")
    kept = path.with_name(f"{path.name}.replaced-1")
    assert ran.code == 0
    assert json.loads(ran.out) == {
        "events": 3,
        "kept": str(kept),
        "discarded": 2,
        "agreed": 0,
        "covered": 0,
        "missing": 0,
    }
    assert (events_in(path), events_in(kept)) == (3, 5)


def test_another_store_is_replaced_only_when_it_is_given_up(
    tools: Dependencies, copy: Path, path: Path
) -> None:
    before = everything_in(made(path, 1, number=50).parent)
    ran = restore(tools, copy, path, "--discard-newer")
    assert (ran.code, ran.out) == (2, "")
    assert "is another store than" in ran.err
    assert everything_in(path.parent) == before
    assert restore(tools, copy, path, "--replace-other").code == 0
    assert events_in(path) == 3


def test_a_damaged_store_is_replaced_only_when_it_is_given_up(
    tools: Dependencies, copy: Path, path: Path
) -> None:
    with older(path, 3).open("r+b") as file:
        file.write(b"\0" * 4096)
    before = everything_in(path.parent)
    ran = restore(tools, copy, path)
    assert (ran.code, ran.out) == (2, "")
    assert "cannot be read, so nobody knows what it has" in ran.err
    assert everything_in(path.parent) == before
    assert restore(tools, copy, path, "--replace-other").code == 0
    assert events_in(path) == 3
    assert path.with_name(f"{path.name}.replaced-1").read_bytes() == before[path.name]


def killed(path: Path, flows: int) -> Path:
    """Make a store whose newest events are in its log, as SIGKILL leaves it."""
    with growing(path) as bench:
        grow(bench, flows)
        saved = {suffix: path.with_name(path.name + suffix).read_bytes() for suffix in ("", "-wal")}
    for suffix, contents in saved.items():
        path.with_name(path.name + suffix).write_bytes(contents)
    return path


def test_what_a_killed_gateway_left_in_its_log_counts_and_is_kept(
    tools: Dependencies, copy: Path, path: Path
) -> None:
    before = everything_in(killed(path, 4).parent)
    assert restore(tools, copy, path).code == 2
    assert everything_in(path.parent) == before
    assert restore(tools, copy, path, "--discard-newer").code == 0
    kept = path.with_name(f"{path.name}.replaced-1")
    assert set(everything_in(path.parent)) == {path.name, kept.name}
    assert (events_in(path), events_in(kept)) == (3, 4)


def test_a_log_whose_file_is_gone_is_not_played_back_into_the_restored_one(
    tools: Dependencies, copy: Path, path: Path
) -> None:
    killed(path, 5).unlink()
    log = path.with_name(f"{path.name}-wal").read_bytes()
    assert restore(tools, copy, path).code == 0
    assert events_in(path) == 3
    assert everything_in(path.parent)[f"{path.name}.replaced-1-wal"] == log


def test_a_store_in_use_is_not_replaced(tools: Dependencies, copy: Path, path: Path) -> None:
    with growing(path):
        ran = restore(tools, copy, path, "--replace-other")
        assert (ran.code, ran.out) == (2, "")
        assert "in use by another process" in ran.err


def _text(file: Path) -> None:
    file.write_text("notes")


def _other(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE notes (text)")


def _newer_version(file: Path) -> None:
    made(file, 1)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA user_version=99")


def _truncated(file: Path) -> None:
    with growing(file) as bench:
        grow(bench, 20, "x" * 1000)
    os.truncate(file, file.stat().st_size // 2)


def _with_a_log(file: Path) -> None:
    killed(file, 2)


def _with_another_owner(file: Path) -> None:
    made(file, 1)
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE flow_index SET owner = 'agent:support:desk'")


def _in_part(file: Path) -> None:
    made(file, 3)
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("DELETE FROM stored_events WHERE rowid = 2")


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda _: None, "no such file"),
        (Path.mkdir, "is not a regular file"),
        (os.mkfifo, "is not a regular file"),
        (_text, "file is not a database"),
        (Path.touch, "is not a TaskFlow store"),
        (_other, "is not a TaskFlow store"),
        (_newer_version, "is a store of version 99"),
        (_truncated, "malformed"),
        (_with_a_log, "stands beside the copy, and may belong to another"),
        (_in_part, "is not what was written or signed"),
        (_with_another_owner, "is not what was written or signed (index_differs;"),
    ],
)
def test_what_is_no_whole_store_is_refused_and_nothing_is_changed(
    tools: Dependencies, path: Path, tmp_path: Path, make: Callable[[Path], object], complaint: str
) -> None:
    file = tmp_path / "from" / "copy.db"
    file.parent.mkdir()
    make(file)
    before = everything_in(made(path, 1, number=50).parent), everything_in(file.parent)
    ran = restore(tools, file, path, "--replace-other", "--discard-newer")
    assert (ran.code, ran.out) == (2, "")
    assert complaint in ran.err
    assert (everything_in(path.parent), everything_in(file.parent)) == before


@pytest.mark.parametrize("link", [Path.hardlink_to, Path.symlink_to])
def test_a_store_is_not_restored_from_itself(
    tools: Dependencies, path: Path, tmp_path: Path, link: Callable[[Path, Path], None]
) -> None:
    made(path, 1)
    link(tmp_path / "again.db", path)
    for file in (path, tmp_path / "again.db"):
        ran = restore(tools, file, path, "--replace-other")
        assert (ran.code, ran.out) == (2, "")
        assert "is the store itself" in ran.err


def test_what_is_not_ours_is_never_replaced(tools: Dependencies, copy: Path, path: Path) -> None:
    _other(path)
    before = everything_in(path.parent)
    ran = restore(tools, copy, path, "--replace-other", "--discard-newer")
    assert (ran.code, ran.out) == (2, "")
    assert "is a database of another application" in ran.err
    assert everything_in(path.parent) == before


def test_a_copy_that_was_changed_since_it_was_signed_is_refused(
    tools: Dependencies, copy: Path, path: Path, tmp_path: Path
) -> None:
    key = tmp_path / "key"
    public = tools.proving.keygen(key, "flows.example")
    files = ["--checkpoints", str(tmp_path / "log")]
    signing = ["--key", str(key), "--database", f"sqlite:///{copy}"]
    assert taskflow(tools, "audit", "checkpoint", *files, *signing).code == 0
    options = [*files, "--public-key", public]
    said = restore(tools, copy, tmp_path / "first.db", *options).out
    assert "1 checkpoint agrees with it, up to position 3\n" in said
    with closing(sqlite3.connect(copy)) as connection, connection:
        event = "CAST(replace(CAST(state AS TEXT), '203.0.113.7', '203.0.113.8') AS BLOB)"
        connection.execute(f"UPDATE stored_events SET state = {event} WHERE rowid = 2")  # noqa: S608 - ours
    ran = restore(tools, copy, path, *options)
    assert (ran.code, ran.out) == (2, "")
    assert "is not what was written or signed (history_changed;" in ran.err
    assert everything_in(path.parent).keys() == {"key", "log", "first.db"}


def test_findings_can_be_accepted(tools: Dependencies, path: Path, tmp_path: Path) -> None:
    _in_part(tmp_path / "copy.db")
    assert restore(tools, tmp_path / "copy.db", path, "--accept-findings").code == 0


_STEPS = frozenset({"os.link", "os.rename", "os.remove", "sqlite3.connect", "shutil.copyfile"})


def _restore_until(step: int, tools: Dependencies, copy: Path, path: Path) -> bool:
    """Restore in a process of its own that is gone before its nth step; return whether it ended."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    left = [step]

    def count(event: str, args: tuple[object, ...]) -> None:
        if event in _STEPS and str(path.parent) in str(args[0]):
            left[0] -= 1
            if left[0] < 0:
                os._exit(9)

    sys.addaudithook(count)
    os._exit(restore(tools, copy, path, "--discard-newer").code)


@pytest.mark.parametrize("make", [pytest.param(made, marks=pytest.mark.full), killed])
def test_a_restore_that_is_killed_leaves_the_old_store_or_the_new_one(
    tools: Dependencies,
    copy: Path,
    tmp_path: Path,
    make: Callable[[Path, int], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # where those that are killed leave it
    found: list[int] = []
    template = tmp_path / "template"
    template.mkdir()
    make(template / "flows.db", 5)
    for step in range(200):
        path = tmp_path / str(step) / "flows.db"
        shutil.copytree(template, path.parent)
        ended = _restore_until(step, tools, copy, path)
        found.append(events_in(path))
        with closing(open_for_writing(f"sqlite:///{path}")):
            assert events_in(path) == found[-1]
        if ended:
            break
    assert found == sorted(found, reverse=True)
    assert set(found) == {5, 3}
    assert len(found) > 10
