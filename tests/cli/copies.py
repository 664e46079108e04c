"""Stores that grow by whole flows, and what is in a folder."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from adapters.store import EventSourcedStore, StoreAuditLog, open_for_reading, open_for_writing
from domain.application.sessions import TaskFlows
from domain.flow.commands import CreateFlow
from tests.cli.workbench import NOON, OWNER, ZAPIER, Bench, flow_id


@contextmanager
def growing(path: Path, number: int = 1) -> Iterator[Bench]:
    """Open a store to put flows into it, whose ids count from a number."""
    with closing(open_for_writing(f"sqlite:///{path}")) as store:
        yield bench_from(store, number)


def bench_from(store: EventSourcedStore, number: int) -> Bench:
    """Return a bench over a store, whose ids count from a number."""
    seconds, numbers = itertools.count(NOON, 1000), itertools.count(number)
    return Bench(TaskFlows(store, lambda: next(seconds), lambda: flow_id(next(numbers))))


def grow(bench: Bench, flows: int, goal: str = "ship it") -> None:
    """Open some flows, of an event each."""
    for _ in range(flows):
        bench.execute(CreateFlow(goal=goal, controller_id="webhooks/zapier"), OWNER, actor=ZAPIER)


def made(path: Path, flows: int, *, number: int = 1) -> Path:
    """Make a store of some flows, or open some more in it."""
    with growing(path, number) as bench:
        grow(bench, flows)
    return path


def events_in(path: Path) -> int:
    """Return how many events can be read in a store."""
    with closing(open_for_reading(f"sqlite:///{path}")) as store:
        audit_log = StoreAuditLog(store)
        return len([audit_log.read(entry) for entry in audit_log.entries()])


def everything_in(folder: Path) -> dict[str, bytes]:
    """Return the files of a folder, but for the locks, which stay for ever."""
    return {
        file.name: file.read_bytes()
        for file in folder.iterdir()
        if file.is_file() and file.suffix != ".lock"
    }
