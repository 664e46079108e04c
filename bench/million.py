"""What a store of a million flows costs over HTTP, beside one of ten: `python -m bench.million`.

    python -m bench.million [--flows N] [--rounds N] [--folder FOLDER] [--write]

Each action is sent to a gateway of each store in turn, over and over. Processor time is that of all
threads, in nanoseconds as Linux counts them; bytes are those written to the disk. What is built
stays in FOLDER, if one is given, and is used again: it is measured on copies.
"""

from __future__ import annotations

import argparse
import itertools
import os
import sqlite3
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from random import Random
from shutil import copyfile
from typing import Any, Final, TypeAlias

from attrs import define, field, frozen

from bench.gateway import ROOT, Running, configuration, gateway
from bench.generator import Generator, Script, compiled
from bench.large_stores import FLOWS, LARGE, ROUTE, built
from bench.load import Body, ask
from bench.operations import REVISION, body
from bench.stores import FEW, STATE, owner_of
from bench.tables import say_progress, table, write_between

PAGE: Final = ROOT / "docs" / "benchmarks" / "README.md"
REQUESTS: Final = 200
_MANY: Final = 10_000
STARTS: Final = 3
_CREATE: Final = body(action="create_flow", goal="bench", stateJson=STATE)
_KEY: Final = "the-first"

Cost: TypeAlias = tuple[float, float]
"""Microseconds of processor time, and bytes written, a request."""


@frozen
class Subject:
    """The flows of one owner, behind a gateway: some that are measured with, and any of them."""

    name: str
    process: Running
    route: str
    generator: Generator
    flows: Sequence[str]
    known: Iterator[str]
    tasks: Sequence[str] = field(init=False)
    repeated: Body = field(init=False)

    def __attrs_post_init__(self) -> None:
        """Link a task to each flow, and send the request that is going to be repeated."""
        linked = self.ask(_run_task(flow_id) for flow_id in self.flows)
        again = _on("resume_flow", self.flows[0], expectedRevision=self.revisions()[0])
        self.generator.send(self.process, self.route, [Script((again,))], 1, key=_KEY)
        object.__setattr__(self, "tasks", [it["task"]["taskId"] for it in linked])
        object.__setattr__(self, "repeated", again)

    def ask(self, bodies: Iterable[Body]) -> Sequence[Mapping[str, Any]]:
        """Send requests one after another, and return their results."""
        return ask(self.process.place, self.route, list(bodies))

    def revisions(self) -> Sequence[int]:
        """Return the revisions of the flows."""
        return [it["flow"]["revision"] for it in self.ask(_on("get_flow", it) for it in self.flows)]

    def fresh(self) -> Sequence[str]:
        """Create flows that have only been created."""
        return [it["flow"]["flowId"] for it in self.ask([_CREATE] * REQUESTS)]

    def any(self) -> Sequence[str]:
        """Return flows that lie anywhere in the store, each once; new ones if there are none."""
        return list(itertools.islice(self.known, REQUESTS)) or self.fresh()

    def cost(self, scripts: Sequence[Script], key: str | None = None) -> Cost:
        """Send requests, and return what each of them took in the mean."""
        load = (self.process, self.route, scripts, REQUESTS)
        taken, written = self.cost_of(partial(self.generator.send, *load, key=key))
        return taken / REQUESTS, written / REQUESTS

    def cost_of(self, send: Callable[[], object]) -> Cost:
        """Return what everything took that was sent."""
        before, written = _nanoseconds(self.process.pid), self.process.used().written
        send()
        taken = _nanoseconds(self.process.pid) - before
        return taken / 1000, self.process.used().written - written


def _nanoseconds(pid: int) -> int:
    stats = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(stat.read_text().split()[0]) for stat in stats)


def _on(action: str, flow_id: str, **given: object) -> Body:
    return body(action=action, flowId=flow_id, **given)


def _run_task(flow_id: str) -> Body:
    return _on("run_task", flow_id, runtime="acp", task="Inspect the next batch")


def _each(action: str, **given: object) -> Callable[[Subject], Cost]:
    """Send an action on each flow over a connection of its own."""
    return lambda it: it.cost([Script((_on(action, flow_id, **given),)) for flow_id in it.flows])


def _changing(action: str, **given: object) -> Callable[[Subject], Cost]:
    """Change each flow over a connection of its own, from where it is."""

    def change(it: Subject) -> Cost:
        given_bodies = [_on(action, each, expectedRevision=REVISION, **given) for each in it.flows]
        pairs = zip(given_bodies, it.revisions(), strict=True)
        return it.cost([Script((each,), revision) for each, revision in pairs])

    return change


def _once(
    which: Callable[[Subject], Sequence[str]], action: str, **given: object
) -> Callable[[Subject], Cost]:
    """Send an action once on each of some flows, over one connection."""

    def end(it: Subject) -> Cost:
        return it.cost([Script([_on(action, flow_id, **given) for flow_id in which(it)])])

    return end


def _plain(**document: object) -> Callable[[Subject], Cost]:
    return lambda it: it.cost([Script((body(**document),))] * FLOWS)


def _update_task(it: Subject) -> Cost:
    pairs = zip(it.flows, it.tasks, strict=True)
    bodies = [_on("update_task", flow, taskId=task, status="running") for flow, task in pairs]
    return it.cost([Script((each,)) for each in bodies])


READS: Final[Mapping[str, Callable[[Subject], Cost]]] = {
    "`get_flow`": _each("get_flow"),
    "`resolve_flow`": lambda it: it.cost(
        [Script((body(action="resolve_flow", token=flow_id),)) for flow_id in it.flows]
    ),
    "`find_latest_flow`": _plain(action="find_latest_flow"),
    f"`list_flows`, limit {FEW}": _plain(action="list_flows", limit=FEW),
    "`get_task_summary`": _each("get_task_summary"),
}
CHANGES: Final[Mapping[str, Callable[[Subject], Cost]]] = {
    "a repeat by its key": lambda it: it.cost([Script((it.repeated,))] * FLOWS, key=_KEY),
    "`set_waiting`": _changing("set_waiting", waitJson={"kind": "approval"}),
    "`resume_flow`": _changing("resume_flow"),
    "`run_task`": _each("run_task", runtime="acp", task="Inspect the next batch"),
    "`update_task`": _update_task,
}
ENDS: Final = ("finish_flow", "request_cancel", "cancel_flow")
_REVISED: Final = {"expectedRevision": 0}
OF_MANY: Final[Mapping[str, Callable[[Subject], Cost]]] = {
    **READS,
    "`get_flow`, any of them": _once(Subject.any, "get_flow"),
    **CHANGES,
    "`create_flow`": _plain(action="create_flow", goal="bench", stateJson=STATE),
    "`finish_flow`": _once(Subject.fresh, "finish_flow", **_REVISED),
    "`request_cancel`": _once(Subject.fresh, "request_cancel", **_REVISED),
    "`cancel_flow`": _once(Subject.fresh, "cancel_flow"),
    "`set_waiting`, any of them": _once(Subject.any, "set_waiting", **_REVISED),
    "`run_task`, any of them": _once(Subject.any, "run_task", runtime="acp", task="work"),
}
OF_LARGE: Final = {**READS, **CHANGES}


def main(argv: Sequence[str]) -> None:
    """Build the stores, measure, and print the tables, or with --write put them into the page."""
    parser = argparse.ArgumentParser(prog="python -m bench.million", description=__doc__)
    parser.add_argument("--flows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        paths = built(asked.folder or Path(name), asked.flows, say_progress)
        paths = {it: Path(copyfile(path, f"{name}/{path.name}")) for it, path in paths.items()}
        stores = _Stores(stack, configuration(Path(name)), compiled(Path(name)), paths)
        starts = _starts(stores.config, paths)
        ten, *many = (
            stores.subject(store, ROUTE, title)
            for store, title in (
                ("ten", "ten flows"),
                ("one owner", f"{asked.flows:,} of one owner"),
                ("many owners", f"{asked.flows:,} of {asked.flows // 100:,} owners"),
            )
        )
        large = [stores.subject("large", route, title) for route, title in LARGE.items()]
        parts = [starts]
        for part in (
            partial(_compared, OF_MANY, ten, many, asked.rounds),
            partial(_compared, OF_LARGE, ten, large, asked.rounds),
            partial(_ended, ten, large),
        ):
            print(parts[-1], end="\n\n", flush=True)
            parts.append(part())
        print(parts[-1])
    if asked.write:
        write_between(PAGE, "million", "\n\n".join(parts) + "\n")


@define
class _Stores:
    """The stores of a run, and what puts a load on them."""

    stack: ExitStack
    config: Path
    generator: Generator
    paths: Mapping[str, Path]
    _running: dict[str, Running] = field(factory=dict)

    def subject(self, store: str, route: str, title: str) -> Subject:
        """Return the flows of an owner, behind a gateway that is started if it does not run."""
        with closing(sqlite3.connect(self.paths[store])) as raw:
            owned = raw.execute("SELECT flow_id FROM flow_index WHERE owner=?", (owner_of(route),))
            flows = [row[0] for row in owned]
        if (process := self._running.get(store)) is None:
            process = self.stack.enter_context(gateway(self.config, self.paths[store]))
            self._running[store] = process
        known = Random(13).sample(flows[FLOWS:], len(flows) - FLOWS)  # noqa: S311 - no secret
        known = known if len(known) > _MANY else []
        return Subject(title, process, route, self.generator, flows[:FLOWS], iter(known))


def _starts(config: Path, paths: Mapping[str, Path]) -> str:
    """Return what each store takes from start to ready, and the memory it is ready with."""
    rows = []
    for name in ("ten", "one owner", "many owners"):
        say_progress(f"starting: {name}")
        cold, warm = ([_started(config, paths[name], c) for _ in range(STARTS)] for c in (1, 0))
        rows.append([name, *map(_median, (cold, warm)), f"{min(it[2] for it in warm):.0f} MB"])
    return table(["from start to ready, processor time (all)", "cold", "warm", "resident"], rows)


def _median(starts: Sequence[tuple[float, float, float]]) -> str:
    taken, waited = (statistics.median(it[i] for it in starts) for i in (0, 1))
    return f"{taken:.2f} s ({waited:.2f} s)"


def _started(config: Path, path: Path, cold: int) -> tuple[float, float, float]:
    if cold:  # NOTE: the system lets go of a file's pages once they are written
        with path.open("rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    with gateway(config, path) as it:
        return it.used().processor_seconds, it.started_in, it.resident_mb()


def _compared(
    operations: Mapping[str, Callable[[Subject], Cost]],
    ten: Subject,
    others: Sequence[Subject],
    rounds: int,
) -> str:
    rows = []
    for name, operation in operations.items():
        say_progress(name)
        costs = [[operation(it) for it in (ten, *others)] for _ in range(rounds)]
        rows.append([name, *_cells(costs)])
    return table(["µs, and kB written", *(it.name for it in (ten, *others))], rows)


def _cells(costs: Sequence[Sequence[Cost]]) -> Iterator[str]:
    """Return the least processor time and the median of bytes; of all but the first its ratio."""
    for number, _ in enumerate(costs[0]):
        taken = min(each[number][0] for each in costs)
        written = statistics.median(each[number][1] for each in costs)
        ratio = taken / min(each[0][0] for each in costs)
        shown = f"{taken:,.0f}" + (f", {written / 1000:,.0f} kB" if written > 1 else "")
        yield f"{shown} ({ratio:.2f})" if number else shown


def _ended(ten: Subject, large: Sequence[Subject]) -> str:
    """Return what it takes to end a flow that is large: once each, as it does not come back."""
    rows = []
    for number, action in enumerate(ENDS, 1):
        costs = []
        for it in (ten, *large):
            given = {"expectedRevision": it.revisions()[number]} if action != "cancel_flow" else {}
            costs.append(it.cost_of(partial(it.ask, [_on(action, it.flows[number], **given)])))
        rows.append([f"`{action}`", *_cells([costs])])
    return table(["once", *(it.name for it in (ten, *large))], rows)


if __name__ == "__main__":
    main(sys.argv[1:])
