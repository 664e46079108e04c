"""A disk that fails: callers are told soon and truly, readers are served, and it passes over."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from attrs import field, frozen

from tests.whole.callers import Answer, Caller, Document, Door, Request
from tests.whole.gateway import LOOK_EVERY_SECONDS, RunningGateway
from tests.whole.refused_writes import RefusedWrite, refused_writes
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
TOLD_WITHIN_SECONDS = 5.0
TWIN = Door("/plugins/webhooks/twin", "plain-secret-twin")
OTHER = Door("/plugins/webhooks/other", "env-secret-value")

linux = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")
root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to mount a file system")


def test_a_disk_without_room(tmp_path: Path) -> None:
    gateway = RunningGateway.of_contract(tmp_path, OWN)
    gateway.module = "tests.whole.limited"
    with gateway:
        _prove(gateway, bounded_files(gateway))


def test_a_database_that_another_process_has_locked(tmp_path: Path) -> None:
    with RunningGateway.of_contract(tmp_path, OWN) as gateway:
        _prove(gateway, locked(gateway.database))


@pytest.mark.full
@root
@linux
def test_a_file_system_that_is_full(tmp_path: Path) -> None:
    gateway = RunningGateway.of_contract(tmp_path, OWN)
    with file_system(tmp_path / "small", "4m") as folder:
        gateway.database.symlink_to(folder / gateway.database.name)
        with gateway:
            _prove(gateway, filled(folder))


@pytest.mark.full
@root
@linux
def test_a_gateway_does_not_start_on_a_read_only_file_system_and_says_why(tmp_path: Path) -> None:
    gateway = RunningGateway.of_contract(tmp_path, OWN)
    with file_system(tmp_path / "small", "4m") as folder:
        gateway.database.symlink_to(folder / gateway.database.name)
        with gateway:
            flow = _Story(gateway).flow
        with read_only(folder):
            command = [sys.executable, "-m", "app", "serve", "--config", str(gateway.config)]
            place = ["--database", f"sqlite:///{gateway.database}", "--port", "0"]
            ended = subprocess.run(  # noqa: S603 - our own program
                [*command, *place], capture_output=True, text=True, check=False
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
        _prove(gateway, faulty_disk.failing(calls, number))


@pytest.mark.full
@linux
@pytest.mark.parametrize("calls", ["w", "t", "s"])
def test_a_gateway_that_is_killed_while_its_disk_fails(
    tmp_path: Path, faulty_disk: FaultyDisk, calls: str
) -> None:
    """What was refused may be there after the restart, whole; sent again, it is there once."""
    gateway = _on(faulty_disk, tmp_path)
    with gateway:
        story = _Story(gateway)
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
        story = _Story(gateway)
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
            _assert_logged_once(gateway, answer)
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


@frozen
class _Story:
    """What callers were told; it begins with a flow, its child, and another flow of some size."""

    gateway: RunningGateway
    told: list[Acknowledged] = field(factory=list)

    def __attrs_post_init__(self) -> None:
        big = {"text": "x" * 200_000}  # so that the log ahead is longer than `limited.BOUND`
        self.do({"action": "create_flow", "goal": "of some size", "stateJson": big})
        flow_id = self.do({"action": "create_flow", "goal": "to be changed"})["flow"]["flowId"]
        run = {"action": "run_task", "flowId": flow_id, "runtime": "acp", "task": "work"}
        self.do({**run, "status": "running"})

    @property
    def flow(self) -> Document:
        """The flow that is to be changed."""
        flow: Document = self.told[2].result["flow"]
        return flow

    @property
    def task(self) -> Document:
        """Its child."""
        task: Document = self.told[2].result["task"]
        return task

    def do(self, document: Document, key: str | None = None) -> Document:
        """Ask for something that must be done, twice: it is done once."""
        request = Request(document, key or f"key-{len(self.told)}")
        with Caller(self.gateway.place) as caller:
            answer, again = caller.ask(request), caller.ask(request)
        assert (answer.status, answer.body) == (200, again.body), answer
        self.told.append(Acknowledged(request, answer.result))
        return answer.result


def _prove(gateway: RunningGateway, trouble: AbstractContextManager[None]) -> None:
    """Prove of a running gateway all that is promised of a trouble with its disk."""
    story = _Story(gateway)
    writes = refused_writes(story.flow, story.task)
    with _reading(gateway, story.flow) as read:
        with trouble:
            answers = list(_crowd_in_vain(gateway))
            for write in writes:
                answers.append(_ask_in_vain(gateway, write))
                _await_more(read)
        _serves_again(story)
    assert [answer.status for answer in read if answer.status != 200] == []
    assert max(answer.seconds for answer in read) < TOLD_WITHIN_SECONDS
    for answer in answers:
        assert answer.status == 503
        assert int(answer.headers["retry-after"]) > 0
        assert answer.seconds < TOLD_WITHIN_SECONDS
        _assert_logged_once(gateway, answer)
    assert [answer.document for answer in answers[-len(writes) :]] == [w.envelope for w in writes]
    assert "Traceback" not in gateway.logs
    assert gateway.stop() == 0
    assert_holds_exactly(gateway.database, story.told)
    assert_nothing_to_rebuild(gateway.database)


def _crowd_in_vain(gateway: RunningGateway) -> Sequence[Answer]:
    """Write with more callers at once than there are workers."""

    def write(number: int) -> Answer:
        with Caller(gateway.place) as caller:
            return caller.ask(Request({"action": "create_flow", "goal": "in vain"}, f"c{number}"))

    with ThreadPoolExecutor(6) as pool:
        return list(pool.map(write, range(6)))


def _ask_in_vain(gateway: RunningGateway, write: RefusedWrite) -> Answer:
    with Caller(gateway.place) as caller:
        return caller.ask(Request(write.document, f"vain-{_action(write)}"))


def _await_more(read: Sequence[Answer]) -> None:
    """Wait until others have been answered again."""
    count, deadline = len(read), time.monotonic() + TOLD_WITHIN_SECONDS
    while len(read) < count + 2:
        assert time.monotonic() < deadline, "others are kept from reading"
        time.sleep(LOOK_EVERY_SECONDS)


def _serves_again(story: _Story) -> None:
    """Check that what was asked for in vain is done now, with the same keys."""
    run, update, waiting, cancel = (
        next(w.document for w in refused_writes(story.flow, story.task) if _action(w) == action)
        for action in ("run_task", "update_task", "set_waiting", "cancel_flow")
    )
    story.do({"action": "create_flow", "goal": "in vain"}, "vain-create_flow")
    second = story.do(run, "vain-run_task")["task"]
    assert story.do(update, "vain-update_task")["task"]["status"] == "succeeded"
    assert story.do(waiting, "vain-set_waiting")["flow"]["revision"] == 1
    story.do({**update, "taskId": second["taskId"]})
    assert story.do(cancel, "vain-cancel_flow")["flow"]["status"] == "cancelled"


def _action(write: RefusedWrite) -> str:
    action: str = write.document["action"]
    return action


@contextmanager
def _reading(gateway: RunningGateway, flow: Document) -> Iterator[list[Answer]]:
    """Have callers of other routes read all the time; yields what they are answered."""
    answers: list[Answer] = []
    over = threading.Event()

    def read(door: Door, document: Document) -> None:
        with Caller(gateway.place, door) as caller:
            while not over.wait(0.01):
                answers.append(caller.ask(Request(document)))

    readers = [
        threading.Thread(
            target=read, args=(TWIN, {"action": "get_flow", "flowId": flow["flowId"]})
        ),
        threading.Thread(target=read, args=(OTHER, {"action": "list_flows"})),
    ]
    for reader in readers:
        reader.start()
    try:
        yield answers
    finally:
        over.set()
        for reader in readers:
            reader.join()


def _assert_logged_once(gateway: RunningGateway, answer: Answer) -> None:
    lines = [line for line in gateway.logs.splitlines() if answer.request_id in line]
    levels = [line.split()[1] for line in lines]
    assert sorted(levels) == ["ERROR", "INFO"], lines
