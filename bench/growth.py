"""What a command and a read cost in a small store and in a large one: `python -m bench.growth`.

The store is called in this process, without a server. Processor time is the least of several
rounds; bytes are those that the process wrote, of which SQLite writes a page of 4 KiB at least.
"""

from __future__ import annotations

import itertools
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Final, TypeAlias

from attrs import frozen

from adapters.composition.clock_and_ids import new_id, now
from adapters.store import EventSourcedStore, open_for_writing
from bench.gateway import ROOT
from bench.tables import table, write_between
from domain.application.recorded_events import Actor, ActorKind, CommandMetadata, RequestKey
from domain.application.sessions import OwnerSession, TaskFlows
from domain.flow.commands import Command, CreateFlow, RunTask, SetWaiting, UpdateTask
from domain.flow.ids import FlowId, Owner, RequestId, RouteId, TaskId
from domain.flow.status import Runtime, TaskStatus
from domain.flow.values import Json

PAGE: Final = ROOT / "docs" / "benchmarks" / "profile.md"
MANY: Final = 10_000
FLOWS: Final = 100_000
ROUNDS: Final = 60
AT_ONCE: Final = 500
LARGE: Final = Json('"' + "x" * 200_000 + '"')
_OWNER: Final = Owner("agent:main:bench")
_ACTOR: Final = Actor(kind=ActorKind.ROUTE, name="bench")
_PLAIN: Final = CommandMetadata(actor=_ACTOR, request_id=RequestId("bench"))
_KEY: Final = RequestKey(route_id=RouteId("bench"), key="first", request_hash="hash")
_KEYED: Final = CommandMetadata(actor=_ACTOR, request_id=RequestId("bench"), request_key=_KEY)
_CREATE: Final = CreateFlow(goal="bench", controller_id="webhooks/bench")

Costs: TypeAlias = Mapping[str, tuple[float, int]]
"""Microseconds and bytes of each command and read."""


@frozen
class Subject:
    """A flow of a store, with a task, whose creation came with a request key."""

    owner: OwnerSession
    flow_id: FlowId
    task_id: TaskId

    def play(self, commands: Iterator[Command]) -> None:
        """Carry out many commands, some at a time."""
        while some := list(itertools.islice(commands, AT_ONCE)):
            self.owner.execute_together(some, _PLAIN)

    def run(self) -> RunTask:
        """Return the command that links a task."""
        return RunTask(flow_id=self.flow_id, runtime=Runtime.ACP, task="work", run_id=new_id())

    def waits(self, state: Json | None = None) -> Iterator[SetWaiting]:
        """Give commands that each move the revision, from where it is."""
        shown = self.owner.find(self.flow_id)
        for revision in itertools.count(0 if shown is None else shown.revision):
            wait = SetWaiting(flow_id=self.flow_id, expected_revision=revision)
            yield (
                wait
                if state is None
                else SetWaiting(flow_id=self.flow_id, expected_revision=revision, state_json=state)
            )

    def works(self) -> Mapping[str, Callable[[], object]]:
        """Return what is measured."""
        execute, waits = self.owner.execute, self.waits()
        report = UpdateTask(flow_id=self.flow_id, task_id=self.task_id, status=TaskStatus.RUNNING)
        return {
            "`get_flow`": lambda: self.owner.find_json(self.flow_id),
            "`find_latest_flow`": self.owner.latest_json,
            "`get_task_summary`": lambda: self.owner.summarize_tasks(self.flow_id),
            "`create_flow`": lambda: execute(_CREATE, _PLAIN),
            "the same request again": lambda: execute(_CREATE, _KEYED),
            "`set_waiting`": lambda: execute(next(waits), _PLAIN),
            "`run_task`": lambda: execute(self.run(), _PLAIN),
            "`update_task`": lambda: execute(report, _PLAIN),
        }


GROWN: Final[Mapping[str, Callable[[Subject], None]]] = {
    "small": lambda _: None,
    f"{MANY:,} events": lambda it: it.play(itertools.islice(it.waits(), MANY)),
    f"{MANY:,} children": lambda it: it.play(it.run() for _ in range(MANY)),
    "a state of 200 kB": lambda it: it.play(itertools.islice(it.waits(LARGE), 1)),
    f"{FLOWS:,} flows": lambda it: it.play(_CREATE for _ in range(FLOWS)),
}


def main(argv: list[str]) -> None:
    """Measure all; print the table, or with --write put it into the page."""
    costs = {name: _measured(grow) for name, grow in GROWN.items()}
    rows = [[work, *(_shown(*each[work]) for each in costs.values())] for work in costs["small"]]
    text = table(["", *costs], rows)
    if "--write" in argv:
        write_between(PAGE, "growth", text + "\n")
    else:
        print(text)


def _shown(microseconds: float, written: int) -> str:
    return f"{microseconds:.0f} µs" + (f", {written / 1000:.0f} kB" if written else "")


def _measured(grow: Callable[[Subject], None]) -> Costs:
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(open_for_writing(f"sqlite:///{folder}/growth.db")) as store,
    ):
        subject = _subject(store)
        grow(subject)
        return {name: _cost(work) for name, work in subject.works().items()}


def _subject(store: EventSourcedStore) -> Subject:
    owner = TaskFlows(store, now, new_id).bind_session(_OWNER)
    owner.execute(_CREATE, _KEYED)
    flow = owner.find_latest()
    if flow is None:
        raise SystemExit("the benchmark is wrong: there is no flow")
    made = Subject(owner, flow.flow_id, TaskId(""))
    owner.execute(made.run(), _PLAIN)
    found = store.load(flow.flow_id)
    if found is None:
        raise SystemExit("the benchmark is wrong: there is no task")
    return Subject(owner, flow.flow_id, found.tasks[0].task_id)


def _cost(work: Callable[[], object]) -> tuple[float, int]:
    """Return the least that a work took, and the least that was written for it."""
    taken, sizes = [], []
    for _ in range(ROUNDS):
        before, began = _written(), time.process_time_ns()
        work()
        taken.append(time.process_time_ns() - began)
        sizes.append(_written() - before)
    return min(taken) / 1000, min(sizes)


def _written() -> int:
    found = re.search(r"^wchar: (\d+)", Path("/proc/self/io").read_text(), re.MULTILINE)
    return int(found[1]) if found else 0


if __name__ == "__main__":
    main(sys.argv[1:])
