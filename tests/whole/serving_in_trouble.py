"""What is promised of a gateway whose disk is in trouble, as a proof that suits every trouble."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager

from attrs import field, frozen

from tests.whole.callers import Answer, Caller, Document, Door, Request
from tests.whole.gateway import LOOK_EVERY_SECONDS, RunningGateway
from tests.whole.refused_writes import RefusedWrite, refused_writes
from tests.whole.stored import assert_holds_exactly, assert_nothing_to_rebuild
from tests.whole.vitals import eventually
from tests.whole.writers import Acknowledged

TOLD_WITHIN_SECONDS = 5.0
TWIN = Door("/plugins/webhooks/twin", "plain-secret-twin")
OTHER = Door("/plugins/webhooks/other", "env-secret-value")


@frozen
class Story:
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


def prove(gateway: RunningGateway, trouble: AbstractContextManager[None]) -> None:
    """Prove of a running gateway all that is promised of a trouble with its disk."""
    story = Story(gateway)
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
        assert_logged_once(gateway, answer)
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


def _serves_again(story: Story) -> None:
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


def assert_logged_once(gateway: RunningGateway, answer: Answer) -> None:
    def lines_of_it() -> list[str]:
        return [line for line in gateway.logs.splitlines() if answer.request_id in line]

    eventually(lambda: len(lines_of_it()) > 1, "the fault and the request are logged")
    lines = lines_of_it()
    levels = [line.split()[1] for line in lines]
    assert sorted(levels) == ["ERROR", "INFO"], lines
