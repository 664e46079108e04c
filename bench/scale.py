"""What a long history and a large owner cost: `python -m bench.scale`.

One store on a real file. A flow of 10 events stands beside one of 10,000, an owner of 10 flows
beside one of 100,000. Each operation is timed on the small and on the large one in turn; the ratio
of the medians is what counts. Loading without snapshots is measured as well, for comparison.
"""

from __future__ import annotations

import itertools
import json
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from attrs import asdict, frozen

from adapters.store import EventSourcedStore, open_for_writing
from bench.stores import FEW, ORIGIN, accepted, create, create_many, now, unsynced, waiting
from bench.tables import say_progress
from domain.application.sessions import OwnerSession, TaskFlows
from domain.flow.ids import FlowId, Owner

ROUNDS = 300
LONG, SHORT = 10_000, 10
MANY = 100_000


@frozen
class Figure:
    """Medians in microseconds, of the small case and of the large one, and their ratio."""

    operation: str
    small_us: float
    large_us: float
    ratio: float


def main() -> None:
    """Build the store, measure, and print a table, or JSON with --json."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scale.db"
        store = open_for_writing(f"sqlite:///{path}")
        figures = list(_measure(store, path))
        store.close()
    if "--json" in sys.argv:
        print(json.dumps([asdict(figure) for figure in figures]))
        return
    print(f"{'operation':<44}{'small us':>10}{'large us':>10}{'ratio':>7}")
    for f in figures:
        print(f"{f.operation:<44}{f.small_us:>10.0f}{f.large_us:>10.0f}{f.ratio:>7.2f}")


def _measure(store: EventSourcedStore, path: Path) -> list[Figure]:
    ids = (f"flow-{number}" for number in itertools.count())
    flows = TaskFlows(store, now, lambda: next(ids))
    few, many = (
        flows.bind_session(Owner("agent:few:main")),
        flows.bind_session(Owner("agent:many:main")),
    )
    one = flows.bind_session(Owner("agent:one:main"))
    with unsynced(store):
        say_progress(f"creating {MANY:,} flows")
        create_many(few, FEW)
        create_many(many, MANY)
        short, long = create(one), create(one)
        say_progress(f"giving one flow {LONG:,} events")
        _cycle(one, FlowId(long), LONG)
        _cycle(one, FlowId(short), SHORT)
    changing = {flow_id: itertools.count(n) for flow_id, n in ((short, SHORT), (long, LONG))}
    middle = few.page(limit=FEW // 2).next_cursor, many.page(limit=MANY // 2).next_cursor
    return [
        _figure(
            f"get_flow: {SHORT} and {LONG:,} events",
            lambda: one.find(FlowId(short)),
            lambda: one.find(FlowId(long)),
        ),
        _figure(
            f"set_waiting: {SHORT} and {LONG:,} events",
            lambda: _wait(one, FlowId(short), next(changing[short])),
            lambda: _wait(one, FlowId(long), next(changing[long])),
        ),
        _figure(
            f"list_flows limit 10: {FEW} and {MANY:,} owned",
            lambda: few.page(limit=10),
            lambda: many.page(limit=10),
        ),
        _figure(
            f"list_flows, a page far back: {FEW} and {MANY:,}",
            lambda: few.page(limit=5, cursor=middle[0]),
            lambda: many.page(limit=5, cursor=middle[1]),
        ),
        _figure(f"find_latest_flow: {FEW} and {MANY:,}", few.find_latest, many.find_latest),
        _without_snapshots(path, one, short=FlowId(short), long=FlowId(long)),
    ]


def _without_snapshots(path: Path, one: OwnerSession, *, short: FlowId, long: FlowId) -> Figure:
    with sqlite3.connect(path) as raw:
        raw.execute("DELETE FROM stored_snapshots")
    label = f"(get_flow unsnapshotted: {SHORT + ROUNDS} and {LONG + ROUNDS:,})"
    return _figure(label, lambda: one.find(short), lambda: one.find(long), rounds=10)


def _figure(
    operation: str, small: Callable[[], object], large: Callable[[], object], rounds: int = ROUNDS
) -> Figure:
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for run, taken in zip((small, large), times, strict=True):
            start = time.perf_counter()
            run()
            taken.append(1e6 * (time.perf_counter() - start))
    a, b = (statistics.median(taken) for taken in times)
    return Figure(operation, round(a, 1), round(b, 1), round(b / a, 3))


def _cycle(session: OwnerSession, flow_id: FlowId, times: int) -> None:
    for revision in range(times):
        _wait(session, flow_id, revision)


def _wait(session: OwnerSession, flow_id: FlowId, revision: int) -> None:
    accepted(session.execute(waiting(flow_id, revision), ORIGIN))


if __name__ == "__main__":
    main()
