"""Stores with long flows and large owners, built through the core and the store, without syncs."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from uuid import uuid4

from attrs import frozen

from adapters.store import EventSourcedStore, open_for_writing
from adapters.store.opening import sqlite_datastore
from bench.plan import Sizes
from domain.application.outcomes import Outcome, Rejected
from domain.application.ports import Commit
from domain.application.recorded_events import (
    Actor,
    ActorKind,
    CommandMetadata,
    RecordedEvent,
    to_recorded_events,
)
from domain.application.sessions import OwnerSession, TaskFlows
from domain.flow.commands import CommandContext, CreateFlow, ResumeFlow, SetWaiting
from domain.flow.decide import decide
from domain.flow.events import Event
from domain.flow.evolve import evolve
from domain.flow.ids import FlowId, Owner, RequestId
from domain.flow.refusals import Refusal
from domain.flow.state import Flow
from domain.flow.status import FlowStatus
from domain.flow.values import Json

ORIGIN: Final = CommandMetadata(
    actor=Actor(kind=ActorKind.SYSTEM, name="bench"), request_id=RequestId("bench")
)
FEW: Final = 10
STATE: Final = {"lane": "inbound", "attempt": 1, "note": "one of some length, as senders keep"}
"""What every flow of the benchmark holds."""
CREATE: Final = CreateFlow(
    goal="bench",
    controller_id="webhooks/bench",
    state_json=Json(json.dumps(STATE, separators=(",", ":"))),
)
ROUTES: Final = ("new", "bench", "few", "page", "many")
"""The routes of the benchmark; the owners of the last three have so many flows at first."""

_BATCH: Final = 250

Progress = Callable[[str], None]


@frozen
class Built:
    """What a store was built with: a flow of one event, and long ones to read and to change."""

    path: Path
    short: str
    long: str
    changing: tuple[str, ...]


def owner_of(route: str) -> str:
    """Return the session key that a route of the benchmark acts for."""
    return f"agent:{route}:main"


def now() -> int:
    """Return the milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def build(path: Path, sizes: Sizes, writers: int, progress: Progress) -> Built:
    """Build a store in which `writers` long flows can be changed at once."""
    store = open_for_writing(f"sqlite:///{path}")
    flows = TaskFlows(store, now, lambda: str(uuid4()))
    try:
        with unsynced(store):
            for route, count in (("few", FEW), ("page", sizes.page), ("many", sizes.flows)):
                progress(f"creating {count:,} flows")
                create_many(flows.bind_session(Owner(owner_of(route))), count)
            bench = flows.bind_session(Owner(owner_of("bench")))
            progress(f"giving {writers + 1} flows {sizes.events:,} events each")
            long, *changing = (long_flow(store, bench, sizes.events) for _ in range(writers + 1))
            return Built(path, create(bench), long, tuple(changing))
    finally:
        store.close()


@contextmanager
def unsynced(store: EventSourcedStore) -> Iterator[None]:
    """Write without syncing; afterwards every commit is synced again."""
    with sqlite_datastore(store.application).get_connection(commit=True) as connection:
        raw = connection._sqlite_conn  # noqa: SLF001 - no hook for a connection's settings
    # Keys that are in no order touch pages everywhere: of a large store more than SQLite keeps.
    raw.execute("PRAGMA cache_size=-500000")
    raw.execute("PRAGMA wal_autocheckpoint=50000")
    raw.execute("PRAGMA synchronous=OFF")
    yield
    raw.execute("PRAGMA synchronous=FULL")


def create(session: OwnerSession) -> str:
    """Create a flow and return its id."""
    return accepted(session.execute(CREATE, ORIGIN))


def create_many(session: OwnerSession, count: int) -> None:
    """Create flows."""
    for _ in range(count):
        create(session)


def accepted(outcome: Outcome) -> str:
    """Return the id of the flow that a command was accepted for."""
    if isinstance(outcome, Rejected):
        raise SystemExit(f"the benchmark is wrong: {outcome}")
    return outcome.flow.flow_id


def long_flow(store: EventSourcedStore, session: OwnerSession, events: int) -> str:
    """Create a flow, give it so many events, and return its id."""
    flow_id = create(session)
    flow = store.load(FlowId(flow_id))
    while flow is not None and flow.version < events:
        flow = _lengthened(store, flow, min(_BATCH, events - flow.version))
    return flow_id


def _lengthened(store: EventSourcedStore, flow: Flow, count: int) -> Flow:
    """Give a flow some more events in one commit: many times faster than one by one."""
    first, moment, records = flow, now(), list[RecordedEvent]()
    for _ in range(count):
        events, before = (_next(flow, moment),), flow.version
        flow = evolve(flow, events[0])
        # Each event is a decision of its own: an auditor would take them for one otherwise.
        records += to_recorded_events(
            events, flow_id=flow.flow_id, after=before, origin=ORIGIN, now=moment
        )
    store.append_many([Commit(events=tuple(records), before=first, flow=flow)])
    return flow


def _next(flow: Flow, moment: int) -> Event:
    command = (
        ResumeFlow(flow_id=flow.flow_id, expected_revision=flow.revision)
        if flow.status is FlowStatus.WAITING
        else waiting(flow.flow_id, flow.revision)
    )
    decision = decide(flow, CommandContext(command=command, owner=flow.owner, at=moment, new_id=""))
    if isinstance(decision, Refusal):
        raise SystemExit(f"the benchmark is wrong: {decision}")
    return decision[0]


def waiting(flow_id: FlowId, revision: int) -> SetWaiting:
    """Return the command that lets a flow wait."""
    state = Json('{"step":' + str(revision) + "}")
    return SetWaiting(flow_id=flow_id, expected_revision=revision, state_json=state)
