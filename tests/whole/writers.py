"""Writers: concurrent callers, each with flows of its own, that remember what they were told.

What a writer asks for depends on its seed and on the answers alone. It can be cut off at any
moment: then at most one request of its is `pending`, sent or half sent, with no whole answer.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TypeAlias

from attrs import define, field, frozen

from tests.whole.callers import Answer, Caller, Document, GoneError, Request
from tests.whole.gateway import Place

Story: TypeAlias = Generator[Document, Document, None]
"""Yields what to ask for, and is sent the result of each."""

OK = 200
SIZES = (10, 10, 10, 10, 1_000, 40_000)
"""Characters of state: most commits take a few pages, some take many."""


@frozen
class Acknowledged:
    """A request, and the result that its caller was told."""

    request: Request
    result: Document


@define
class Writer:
    """One of the writers: what it was told, and what it waits for."""

    name: str
    seed: int
    acknowledged: list[Acknowledged] = field(factory=list)
    pending: Request | None = None
    sent_at: float = 0.0
    """When the pending request had been sent completely; 0 if it was not."""
    faults: list[Answer] = field(factory=list)
    """Answers that are no success, after which the writer is at its end."""
    _keys: int = 0
    _story: Story = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._story = lives(random.Random(self.seed))  # noqa: S311 - a load, no secret
        self.pending = self._keyed(next(self._story))

    def write(self, place: Place) -> None:
        """Ask for one thing after the other until the gateway is gone; begin with what pends."""
        with Caller(place) as caller, suppress(GoneError):
            while self.ask(caller):
                pass

    def ask(self, caller: Caller) -> bool:
        """Ask for what pends; go on with the story if it was done."""
        assert self.pending is not None
        self.sent_at = 0.0
        try:
            answer = caller.ask(self.pending)
        finally:
            self.sent_at = caller.sent_at
        if answer.status != OK:
            self.faults.append(answer)
            return False
        self.acknowledged.append(Acknowledged(self.pending, answer.result))
        self.pending = self._keyed(self._story.send(answer.result))
        return True

    def _keyed(self, document: Document) -> Request:
        self._keys += 1
        return Request(document, f"{self.name}-{self._keys}")


def lives(choice: random.Random) -> Story:
    """Lead one flow after the other through its life."""
    while True:
        goal, state = f"goal {choice.random()}", _state(choice)
        flow = (yield {"action": "create_flow", "goal": goal, "stateJson": state})["flow"]
        for step in range(choice.randrange(1, 6)):
            if choice.random() < 0.4:
                yield from _child(flow["flowId"], f"run-{step}")
            asked = {"action": "set_waiting", **_at(flow), "waitJson": {"step": step}}
            flow = (yield {**asked, "stateJson": _state(choice)})["flow"]
            flow = (yield {"action": "resume_flow", **_at(flow), "status": "running"})["flow"]
        yield _end(choice.choice(("finish_flow", "fail_flow", "cancel_flow")), flow)


def _child(flow_id: str, run_id: str) -> Story:
    """Lead a child task through its life."""
    run = {"action": "run_task", "flowId": flow_id, "runtime": "acp", "runId": run_id}
    task = (yield {**run, "task": "work"})["task"]
    update = {"action": "update_task", "flowId": flow_id, "taskId": task["taskId"]}
    yield {**update, "status": "running", "progressSummary": "half of it"}
    yield {**update, "status": "succeeded", "terminalSummary": "all of it"}


def _at(flow: Document) -> Document:
    return {"flowId": flow["flowId"], "expectedRevision": flow["revision"]}


def _end(action: str, flow: Document) -> Document:
    given = {"flowId": flow["flowId"]} if action == "cancel_flow" else _at(flow)
    return {"action": action, **given}


def _state(choice: random.Random) -> Document:
    return {"text": "x" * choice.choice(SIZES), "number": choice.randrange(10**9)}


def crowd(seed: int, count: int) -> Sequence[Writer]:
    """Return some writers that differ."""
    return [Writer(f"s{seed}w{number}", seed * 100 + number) for number in range(count)]


@contextmanager
def writing(writers: Sequence[Writer], place: Place) -> Iterator[None]:
    """Have all writers write at once; on leaving, they are waited for, until their gateway ends."""
    threads = [threading.Thread(target=writer.write, args=(place,)) for writer in writers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for thread in threads:
            thread.join()
