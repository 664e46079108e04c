"""The stores of `bench.million`, each large in one way: built in batches, without syncs."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Final, TypeAlias

from adapters.composition.clock_and_ids import new_id, now
from adapters.store import EventSourcedStore, open_for_writing
from bench.plan import Sizes
from bench.stores import CREATE, FEW, ORIGIN, Progress, long_flow, owner_of, unsynced
from domain.application.sessions import TaskFlows
from domain.flow.commands import Command, RunTask, SetWaiting
from domain.flow.ids import FlowId, Owner
from domain.flow.status import Runtime
from domain.flow.values import Json

ROUTE: Final = "many"
"""Whose owner has ten flows, or a million, or a hundred among a million."""
OWNED: Final = 100
FLOWS: Final = 4
"""How many flows are large in the same way: one for each connection."""
LARGE: Final[Mapping[str, str]] = {
    "page": "10,000 events",
    "few": "10,000 children",
    "new": "a state of 200 kB",
}
"""The routes whose owners have them."""
_AT_ONCE: Final = 500

_Fill: TypeAlias = Callable[[EventSourcedStore, TaskFlows], None]


def built(folder: Path, count: int, progress: Progress) -> Mapping[str, Path]:
    """Return the files of the stores, built unless they are there."""
    fills = {
        "ten": _of_one(FEW),
        "large": _large,
        "one owner": _of_one(count),
        "many owners": _of_many(count),
    }
    return {
        name: _built(folder / f"{name.replace(' ', '-')}.db", fill, progress)
        for name, fill in fills.items()
    }


def _built(path: Path, fill: _Fill, progress: Progress) -> Path:
    if path.exists():
        return path
    progress(f"building {path.name}")
    with closing(open_for_writing(f"sqlite:///{path}")) as store, unsynced(store):
        fill(store, TaskFlows(store, now, new_id))
    return path


def _of_one(count: int) -> _Fill:
    def fill(_: EventSourcedStore, flows: TaskFlows) -> None:
        _carry_out(flows, itertools.repeat((Owner(owner_of(ROUTE)), CREATE), count))

    return fill


def _of_many(count: int) -> _Fill:
    routes = [ROUTE, *(f"other-{number}" for number in range(1, count // OWNED))]

    def fill(_store: EventSourcedStore, flows: TaskFlows) -> None:
        owners = itertools.islice(itertools.cycle(routes), count)
        _carry_out(flows, ((Owner(owner_of(route)), CREATE) for route in owners))

    return fill


def _large(store: EventSourcedStore, flows: TaskFlows) -> None:
    """Give three owners flows that are large, each in its own way."""
    events, children, states = (Owner(owner_of(route)) for route in LARGE)
    for _ in range(FLOWS):
        long_flow(store, flows.bind_session(events), Sizes().events)
    for owner, work in ((children, _children), (states, _state)):
        _carry_out(flows, itertools.repeat((owner, CREATE), FLOWS))
        for flow in flows.bind_session(owner).page(limit=FLOWS).flows:
            _carry_out(flows, ((owner, command) for command in work(flow.flow_id)))


def _children(flow_id: FlowId) -> Iterator[Command]:
    for _ in range(Sizes().events):
        yield RunTask(flow_id=flow_id, runtime=Runtime.ACP, task="work", run_id=new_id())


def _state(flow_id: FlowId) -> Iterator[Command]:
    state = Json('"' + "x" * 200_000 + '"')
    yield SetWaiting(flow_id=flow_id, expected_revision=0, state_json=state)


def _carry_out(flows: TaskFlows, commands: Iterator[tuple[Owner, Command]]) -> None:
    """Carry out many commands, some at a time."""
    while some := list(itertools.islice(commands, _AT_ONCE)):
        given = [flows.bind_session(owner).submission(command, ORIGIN) for owner, command in some]
        for outcome in flows.carry_out(given):
            if isinstance(outcome, Exception):
                raise outcome
