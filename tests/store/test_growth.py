"""No command and no read costs more in a large store: neither in rows read nor in bytes written.

What is counted are the steps of SQLite's virtual machine, about four a row, and the bytes that its
log grew by; time is not, since other processes use the machine too.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest
from attrs import define, field

from adapters.store import EventSourcedStore, open_for_writing
from adapters.store.sqlite_pool import Pool
from domain.application.sessions import OwnerSession
from domain.flow.commands import Command, SetWaiting, UpdateTask
from domain.flow.ids import FlowId, TaskId
from domain.flow.status import TaskStatus
from domain.flow.values import Json
from tests.store.service import ORIGIN, creation, granted, keyed, run, session

FLOW: Final = FlowId("id-1")
TASK: Final = TaskId("id-2")
MANY: Final = 2_000
LARGE: Final = Json('"' + "x" * 200_000 + '"')
MORE: Final = 1.2
PAGE: Final = 4120
"""Bytes of a page in SQLite's log."""


@define
class Meter:
    """Counts what the connections of a store do while it is asked to."""

    connections: list[sqlite3.Connection] = field(factory=list)
    steps: int = 0

    def count(self) -> None:
        """Count one step."""
        self.steps += 1

    def measure(self, work: Callable[[], object]) -> int:
        """Return how many steps some work takes."""
        self.steps = 0
        for each in self.connections:
            each.set_progress_handler(self.count, 1)
        try:
            work()
        finally:
            for each in self.connections:
                each.set_progress_handler(None, 1)
        return self.steps


@pytest.fixture
def meter(monkeypatch: pytest.MonkeyPatch) -> Meter:
    """A meter of all connections that are made from now on."""
    made, connect = Meter(), Pool.connect

    def connected(pool: Pool) -> sqlite3.Connection:
        connection = connect(pool)
        connection.execute("PRAGMA wal_autocheckpoint=0")
        made.connections.append(connection)
        return connection

    monkeypatch.setattr(Pool, "connect", connected)
    return made


def _play(owner: OwnerSession, commands: Iterator[Command]) -> None:
    for outcome in owner.execute_together(list(commands), ORIGIN):
        granted(outcome)


def _waits(first: int, count: int) -> Iterator[Command]:
    return (SetWaiting(flow_id=FLOW, expected_revision=first + each) for each in range(count))


def _small(store: EventSourcedStore) -> None:
    owner = session(store)
    owner.execute(creation(), keyed("first"))
    owner.execute(run(FLOW, run_id="r"), ORIGIN)
    _play(owner, _waits(0, 10))


def _with_events(store: EventSourcedStore) -> None:
    _small(store)
    _play(session(store, prefix="more"), _waits(10, MANY))


def _with_children(store: EventSourcedStore) -> None:
    _small(store)
    _play(session(store, prefix="more"), (run(FLOW, run_id=f"r{each}") for each in range(MANY)))


def _with_flows(store: EventSourcedStore) -> None:
    _small(store)
    _play(session(store, prefix="more"), (creation() for _ in range(MANY)))


def _with_state(store: EventSourcedStore) -> None:
    _small(store)
    waits = SetWaiting(flow_id=FLOW, expected_revision=10, state_json=LARGE)
    granted(session(store, prefix="more").execute(waits, ORIGIN))


def _costs(store: EventSourcedStore, meter: Meter, path: Path) -> Mapping[str, tuple[int, int]]:
    """Return the steps and the bytes of each command and read, once all caches are filled."""
    owner, log = session(store, prefix="last"), path.with_name(f"{path.name}-wal")
    flow = store.find_head(owner.owner, FLOW)
    assert flow is not None
    revision = flow.revision

    def wait() -> None:
        nonlocal revision
        granted(owner.execute(next(_waits(revision, 1)), ORIGIN))
        revision += 1

    numbers = iter(range(100))
    works: Mapping[str, Callable[[], object]] = {
        "get_flow": lambda: owner.find_json(FLOW),
        "find_latest_flow": owner.latest_json,
        "list_flows": lambda: owner.page_json(lambda _: True, limit=1),
        "get_task_summary": lambda: owner.summarize_tasks(FLOW),
        "repeat": lambda: granted(owner.execute(creation(), keyed("first"))),
        "create_flow": lambda: granted(owner.execute(creation(), ORIGIN)),
        "set_waiting": wait,
        "run_task": lambda: granted(owner.execute(run(FLOW, run_id=f"n{next(numbers)}"), ORIGIN)),
        "run_task again": lambda: granted(owner.execute(run(FLOW, run_id="r"), ORIGIN)),
        "update_task": lambda: granted(
            owner.execute(UpdateTask(flow_id=FLOW, task_id=TASK, status=TaskStatus.RUNNING), ORIGIN)
        ),
    }
    costs: dict[str, tuple[int, int]] = {}
    for name, work in works.items():
        work()
        before = log.stat().st_size
        steps = meter.measure(work)
        costs[name] = (steps, log.stat().st_size - before)
    return costs


@pytest.mark.parametrize("grow", [_with_events, _with_children, _with_flows, _with_state])
def test_nothing_costs_more_in_a_large_store(
    grow: Callable[[EventSourcedStore], None], meter: Meter, tmp_path: Path
) -> None:
    costs: list[Mapping[str, tuple[int, int]]] = []
    for fill in (_small, grow):
        meter.connections.clear()
        path = tmp_path / f"{fill.__name__}.db"
        with closing(open_for_writing(f"sqlite:///{path}")) as store:
            fill(store)
            costs.append(_costs(store, meter, path))
    small, large = costs
    # A large value is one row more, and a tree of more than one page writes a page more.
    excess = {
        name: (small[name], large[name])
        for name in small
        if large[name][0] > MORE * small[name][0] + 20
        or large[name][1] > MORE * small[name][1] + 6 * PAGE
    }
    assert excess == {}
