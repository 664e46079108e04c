"""A disk that fails: callers are told soon and truly, readers are served, and it passes over."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.whole.callers import Caller, Request
from tests.whole.gateway import LOOK_EVERY_SECONDS, ROOT, RunningGateway
from tests.whole.serving_in_trouble import TOLD_WITHIN_SECONDS, Story, assert_logged_once, prove
from tests.whole.stored import assert_holds_exactly, assert_nothing_to_rebuild
from tests.whole.troubles import (
    FaultyDisk,
    bounded_files,
    file_system,
    filled,
    locked,
    make_faulty_disk,
    read_only,
)
from tests.whole.writers import Acknowledged

OWN = {"limits": {"rateRequests": 1_000_000}, "children": {"sweepSeconds": 0.2}}

linux = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")
root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to mount a file system")


def test_a_disk_without_room(tmp_path: Path) -> None:
    gateway = RunningGateway.of_contract(tmp_path, OWN)
    gateway.module = "tests.whole.limited"
    with gateway:
        prove(gateway, bounded_files(gateway))


def test_a_database_that_another_process_has_locked(tmp_path: Path) -> None:
    with RunningGateway.of_contract(tmp_path, OWN) as gateway:
        prove(gateway, locked(gateway.database))


@pytest.mark.full
@root
@linux
def test_a_file_system_that_is_full(tmp_path: Path) -> None:
    gateway = RunningGateway.of_contract(tmp_path, OWN)
    with file_system(tmp_path / "small", "4m") as folder:
        gateway.database.symlink_to(folder / gateway.database.name)
        with gateway:
            prove(gateway, filled(folder))


@pytest.mark.full
@root
@linux
def test_a_gateway_does_not_start_on_a_read_only_file_system_and_says_why(tmp_path: Path) -> None:
    gateway = RunningGateway.of_contract(tmp_path, OWN)
    with file_system(tmp_path / "small", "4m") as folder:
        gateway.database.symlink_to(folder / gateway.database.name)
        with gateway:
            flow = Story(gateway).flow
        with read_only(folder):
            command = [sys.executable, "-m", "app", "serve", "--config", str(gateway.config)]
            place = ["--database", f"sqlite:///{gateway.database}", "--port", "0"]
            ended = subprocess.run(  # noqa: S603 - our own program
                [*command, *place], cwd=ROOT, capture_output=True, text=True, check=False
            )
        assert (ended.returncode, "Traceback" in ended.stderr) == (2, False)
        assert "is not a file that can be read and written" in ended.stderr
        with gateway, Caller(gateway.place) as caller:
            assert caller.act("get_flow", flowId=flow["flowId"]).result["flow"] == flow


@pytest.fixture(scope="module")
def faulty_disk(tmp_path_factory: pytest.TempPathFactory) -> FaultyDisk:
    """A library that makes calls fail on demand."""
    return make_faulty_disk(tmp_path_factory.mktemp("faulty-disk"))


@pytest.mark.full
@linux
@pytest.mark.parametrize(
    ("calls", "number"),
    [
        pytest.param("w", errno.EIO, id="writes that fail"),
        pytest.param("t", errno.EIO, id="writes that fail half way"),
        pytest.param("s", errno.EIO, id="syncs that fail"),
        pytest.param("ws", errno.ENOSPC, id="a disk without room"),
        pytest.param("t", errno.ENOSPC, id="a disk that fills up half way"),
        pytest.param("ws", errno.EDQUOT, id="a quota that is used up"),
        pytest.param("ws", errno.EROFS, id="a file system that became read-only"),
    ],
)
def test_a_disk_that_fails(
    tmp_path: Path, faulty_disk: FaultyDisk, calls: str, number: int
) -> None:
    gateway = _on(faulty_disk, tmp_path)
    with gateway:
        prove(gateway, faulty_disk.failing(calls, number))


@pytest.mark.full
@linux
@pytest.mark.parametrize("calls", ["w", "t", "s"])
def test_a_gateway_that_is_killed_while_its_disk_fails(
    tmp_path: Path, faulty_disk: FaultyDisk, calls: str
) -> None:
    """What was refused may be there after the restart, whole; sent again, it is there once."""
    gateway = _on(faulty_disk, tmp_path)
    with gateway:
        story = Story(gateway)
        refused = [Request({"action": "create_flow", "goal": "g"}, f"k{n}") for n in range(5)]
        with faulty_disk.failing(calls, errno.EIO), Caller(gateway.place) as caller:
            assert [caller.ask(request).status for request in refused] == [503] * 5
            gateway.kill()
        gateway.start()
        with Caller(gateway.place) as caller:
            for request in refused:
                story.told.append(Acknowledged(request, caller.ask(request).result))
    assert_holds_exactly(gateway.database, story.told)
    assert_nothing_to_rebuild(gateway.database)


@pytest.mark.full
@linux
def test_reads_that_fail(tmp_path: Path, faulty_disk: FaultyDisk) -> None:
    gateway = _on(faulty_disk, tmp_path)
    with gateway:
        story = Story(gateway)
    with gateway, Caller(gateway.place) as caller:  # with nothing in its memory yet
        with faulty_disk.failing("r", errno.EIO):
            _await_log(gateway, "sweep failed")
            answers = [
                caller.act("get_flow", flowId=story.flow["flowId"]),
                caller.act("list_flows"),
                caller.act("finish_flow", flowId=story.flow["flowId"], expectedRevision=0),
                caller.act("create_flow", goal="in vain"),
            ]
        for answer in answers:
            assert (answer.status, answer.document["code"]) == (503, "persist_failed")
            assert int(answer.headers["retry-after"]) > 0
            assert_logged_once(gateway, answer)
        assert caller.act("get_flow", flowId=story.flow["flowId"]).result["flow"] == story.flow
    assert "Traceback" not in gateway.logs
    assert_holds_exactly(gateway.database, story.told)
    assert_nothing_to_rebuild(gateway.database)


def _await_log(gateway: RunningGateway, event: str) -> None:
    deadline = time.monotonic() + TOLD_WITHIN_SECONDS
    while event not in gateway.logs:
        assert time.monotonic() < deadline, gateway.logs
        time.sleep(LOOK_EVERY_SECONDS)


def _on(disk: FaultyDisk, folder: Path) -> RunningGateway:
    gateway = RunningGateway.of_contract(folder, OWN)
    gateway.environment = {**gateway.environment, **disk.environment(gateway.database)}
    return gateway
