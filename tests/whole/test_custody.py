"""What is done to the files of a running gateway: it says so once, and acknowledges no more."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final, TypeAlias

import pytest

from tests.store.troubles import overwrite_root
from tests.whole.callers import Caller
from tests.whole.gateway import LOOK_EVERY_SECONDS, READY_SECONDS, ROOT, RunningGateway
from tests.whole.troubles import bound

OWN: Final = {"limits": {"rateRequests": 1_000_000}, "children": {"sweepSeconds": 0.1}}
LOG_BOUND: Final = 8 << 20

linux = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")
root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to mount a file")

Trouble: TypeAlias = Callable[[Path], None]


def _remove_all(database: Path) -> None:
    """Remove all files of the store; the refusals beside it have lines of their own."""
    for file in database.parent.glob("taskflow.db*"):
        if "refusals" not in file.name:
            file.unlink()


def _remove_lock(database: Path) -> None:
    database.with_name("taskflow.db.lock").unlink()


def _link(database: Path) -> None:
    os.link(database, database.with_name("twin.db"))


def _copy_over(database: Path) -> None:
    database.write_bytes(database.read_bytes())


TROUBLES: Final[dict[str, tuple[Trouble, str]]] = {
    "removed": (_remove_all, "is not there any more"),
    "lock removed": (_remove_lock, "taskflow.db.lock: is not there any more"),
    "linked": (_link, "taskflow.db: has 2 names (hard links)"),
    "copied over": (_copy_over, "taskflow.db: was written to, but not by SQLite"),
}


@pytest.mark.parametrize(("trouble", "reason"), TROUBLES.values(), ids=list(TROUBLES))
def test_a_gateway_whose_store_was_taken_away_says_so_and_acknowledges_nothing(
    tmp_path: Path, trouble: Trouble, reason: str
) -> None:
    with RunningGateway.of_contract(tmp_path, OWN) as gateway, Caller(gateway.place) as caller:
        flow = caller.act("create_flow", goal="kept").result["flow"]
        assert _status(gateway, "readyz") == 200
        trouble(gateway.database)
        _await(lambda: _status(gateway, "readyz") == 503, gateway)
        for answer in (
            caller.act("create_flow", goal="lost"),
            caller.act("finish_flow", flowId=flow["flowId"], expectedRevision=0),
            caller.act("get_flow", flowId=flow["flowId"]),
            caller.act("list_flows"),
        ):
            assert (answer.status, answer.document["code"]) == (503, "persist_failed")
        assert _status(gateway, "healthz") == 200
        assert gateway.stop() == 0
    assert _errors(gateway) == [_errors(gateway)[0]]
    assert " store lost " in _errors(gateway)[0]
    assert reason in _errors(gateway)[0]
    assert "Traceback" not in gateway.logs


@pytest.mark.parametrize("trouble", [_remove_lock, _link, lambda _: None])
def test_no_second_gateway_writes_to_the_file(tmp_path: Path, trouble: Trouble) -> None:
    with RunningGateway.of_contract(tmp_path, OWN) as gateway:
        trouble(gateway.database)
        for name in ("taskflow.db", "twin.db"):
            if (tmp_path / name).exists():
                code, said = _started(gateway.config, tmp_path / name)
                assert code == 2
                assert "in use by another process" in said or "has 2 names" in said
                assert "Traceback" not in said


@pytest.mark.full
@root
@linux
def test_no_second_gateway_writes_to_the_file_by_another_mount(tmp_path: Path) -> None:
    """As two containers do that were given the one file: each has its own folder beside it."""
    with RunningGateway.of_contract(tmp_path, OWN) as gateway:
        inside = tmp_path / "inside" / "taskflow.db"
        inside.parent.mkdir()
        inside.touch()
        with bound(gateway.database, inside):
            code, said = _started(gateway.config, inside)
        assert (code, "by another name of the file" in said) == (2, True), said
        assert _status(gateway, "readyz") == 200


def test_a_damaged_store_is_neither_written_to_nor_called_ready(tmp_path: Path) -> None:
    with RunningGateway.of_contract(tmp_path, OWN) as gateway, Caller(gateway.place) as caller:
        caller.act("create_flow", goal="kept")
    overwrite_root(gateway.database, "flow_index_owner")
    with gateway, Caller(gateway.place) as caller:
        assert caller.act("list_flows").status == 503
        assert caller.act("create_flow", goal="lost").status == 503
        assert _status(gateway, "readyz") == 503
        assert _status(gateway, "healthz") == 200
    assert len(_errors(gateway)) == 1
    assert "is damaged: database disk image is malformed" in _errors(gateway)[0]


def test_a_damaged_snapshot_is_warned_of_and_changes_no_answer(tmp_path: Path) -> None:
    with RunningGateway.of_contract(tmp_path, OWN) as gateway, Caller(gateway.place) as caller:
        flow = caller.act("create_flow", goal="kept").result["flow"]
        with closing(sqlite3.connect(gateway.database)) as other, other:
            other.execute("UPDATE stored_snapshots SET state = x'00'")
        for _ in range(2):
            assert caller.act("get_flow", flowId=flow["flowId"]).result == {"flow": flow}
            assert caller.act("list_flows").result["flows"] == [flow]
        finished = caller.act("finish_flow", flowId=flow["flowId"], expectedRevision=0)
        assert finished.status == 200
        assert _status(gateway, "readyz") == 200
    warnings = [line for line in gateway.logs.splitlines() if " WARNING " in line]
    assert [line for line in warnings if "its snapshot is not used" in line] == warnings[-1:]
    assert _errors(gateway) == []


def test_what_was_acknowledged_is_in_a_store_that_was_moved_away_under_load(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "var"
    folder.mkdir()
    gateway = RunningGateway.of_contract(tmp_path, OWN)
    gateway.database.symlink_to(folder / "taskflow.db")
    with gateway, _writing(gateway) as acknowledged:
        _await(lambda: len(acknowledged) > 100, gateway)
        folder.rename(tmp_path / "moved")
        _await(lambda: _status(gateway, "readyz") == 503, gateway)
    with closing(sqlite3.connect(tmp_path / "moved" / "taskflow.db")) as moved:
        kept = {row[0] for row in moved.execute("SELECT flow_id FROM flow_index")}
    assert set(acknowledged) <= kept
    assert len(_errors(gateway)) == 1


def test_the_log_is_short_again_after_a_long_reader(tmp_path: Path) -> None:
    with RunningGateway.of_contract(tmp_path, OWN) as gateway, Caller(gateway.place) as caller:
        log = gateway.database.with_name("taskflow.db-wal")
        ballast = {"text": "x" * 200_000}
        with closing(sqlite3.connect(f"file:{gateway.database}?mode=ro", uri=True)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM stored_events").fetchone()
            while log.stat().st_size < 2 * LOG_BOUND:
                assert caller.act("create_flow", goal="g", stateJson=ballast).status == 200
        _await(lambda: log.stat().st_size < LOG_BOUND, gateway)
        assert caller.act("create_flow", goal="after").status == 200
    assert _errors(gateway) == []


@contextmanager
def _writing(gateway: RunningGateway) -> Iterator[list[str]]:
    """Have several callers create flows; yields the ids of those that were acknowledged."""
    acknowledged: list[str] = []
    over = threading.Event()

    def write() -> None:
        with Caller(gateway.place) as caller:
            while not over.is_set():
                answer = caller.act("create_flow", goal="g")
                if answer.status == 200:
                    acknowledged.append(answer.result["flow"]["flowId"])

    writers = [threading.Thread(target=write) for _ in range(4)]
    for writer in writers:
        writer.start()
    try:
        yield acknowledged
    finally:
        over.set()
        for writer in writers:
            writer.join()


def _status(gateway: RunningGateway, probe: str) -> int:
    try:
        with urllib.request.urlopen(f"{gateway.url}/{probe}", timeout=READY_SECONDS) as answer:  # noqa: S310 - our gateway
            status: int = answer.status
            return status
    except urllib.error.HTTPError as error:
        return error.code


def _await(condition: Callable[[], bool], gateway: RunningGateway) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not condition():
        assert time.monotonic() < deadline, gateway.logs
        time.sleep(LOOK_EVERY_SECONDS)


def _errors(gateway: RunningGateway) -> list[str]:
    return [line for line in gateway.logs.splitlines() if " ERROR " in line]


def _started(config: Path, database: Path) -> tuple[int, str]:
    command = [sys.executable, "-m", "app", "serve", "--config", str(config), "--port", "0"]
    ended = subprocess.run(  # noqa: S603 - our own program
        [*command, "--database", f"sqlite:///{database}"],
        cwd=ROOT,
        env={**os.environ, "ORACLE_ENV_SECRET": "env-secret-value"},
        capture_output=True,
        text=True,
        timeout=READY_SECONDS,
        check=False,
    )
    return ended.returncode, ended.stderr
