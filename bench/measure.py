"""One run: build the stores, start the processes, measure in rounds, and take medians.

The machine is never quiet. So every operation is measured several times for a short while, each
time between two looks at the ceiling with as many connections; medians of the rounds count.
"""

from __future__ import annotations

import platform
import shutil
import sqlite3
import statistics
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from os import cpu_count
from pathlib import Path
from typing import TypeAlias

from attrs import define, field, frozen

from bench.figures import Ceiling, Disk, Figure, Machine, Memory, Report
from bench.gateway import Running, configuration, gateway, running
from bench.load import Load, generate
from bench.operations import Operation, life, operations
from bench.plan import Plan
from bench.slow_sync import LeftOut, Preload, slow_syncs
from bench.stores import Built, Progress, build

_Key: TypeAlias = tuple[Disk, int, Operation]

_BARE_BODY = b'{"action":"get_flow","flowId":"flow-0"}'


@frozen
class _Sample:
    load: Load
    share: float


@define
class _Samples:
    """What the rounds gave so far."""

    ceilings: dict[int, list[Load]] = field(factory=dict)
    operations: dict[_Key, list[_Sample]] = field(factory=dict)

    def add(self, key: _Key, sample: _Sample) -> None:
        self.operations.setdefault(key, []).append(sample)


def measure(plan: Plan, progress: Progress) -> Report:
    """Measure all that the plan says."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        built = build(folder / "plain.db", plan.sizes, max(plan.connections), progress)
        preload = slow_syncs(folder)
        config = configuration(folder)
        progress(f"starting a gateway {plan.starts} times")
        ready = [_start(config, built.path) for _ in range(plan.starts)]
        with ExitStack() as stack:
            bare = stack.enter_context(running(["bench.bare"]))
            gateways = _gateways(stack, config, built, preload)
            plain = gateways["as it is"]
            ready_mb = plain.resident_mb()
            samples = _rounds(plan, bare, gateways, built, progress)
            progress(f"sending {plan.requests:,} requests")
            memory = _remember(plan, plain, ready_mb)
    return Report(
        machine=_machine(),
        plan=plan,
        ceilings=tuple(_ceiling(*item) for item in samples.ceilings.items()),
        figures=tuple(_figure(key, taken) for key, taken in samples.operations.items()),
        memory=memory,
        ready_seconds=statistics.median(ready),
        left_out=preload.why if isinstance(preload, LeftOut) else None,
    )


def _start(config: Path, database: Path) -> float:
    with gateway(config, database) as process:
        return process.started_in


def _gateways(
    stack: ExitStack, config: Path, built: Built, preload: Preload | LeftOut
) -> Mapping[Disk, Running]:
    gateways: dict[Disk, Running] = {}
    if isinstance(preload, Preload):
        slowed = Path(shutil.copyfile(built.path, built.path.with_name("slowed.db")))
        gateways["slowed"] = stack.enter_context(gateway(config, slowed, preload.environ))
    return {"as it is": stack.enter_context(gateway(config, built.path)), **gateways}


def _rounds(
    plan: Plan, bare: Running, gateways: Mapping[Disk, Running], built: Built, progress: Progress
) -> _Samples:
    samples = _Samples()
    measured = tuple(operations(built, plan.sizes))
    for number in range(plan.rounds):
        for connections in plan.connections:
            progress(f"round {number + 1} of {plan.rounds}: {connections} connections")
            for disk, process in gateways.items():
                before = _bare(plan, bare, connections)
                for each in measured:
                    load = _load(plan, process, connections, each)
                    after = _bare(plan, bare, connections)
                    ceiling = (before.per_second + after.per_second) / 2
                    samples.add((disk, connections, each), _Sample(load, load.per_second / ceiling))
                    samples.ceilings.setdefault(connections, []).append(after)
                    before = after
    return samples


def _bare(plan: Plan, bare: Running, connections: int) -> Load:
    return generate(
        bare.place,
        "bench",
        connections,
        seconds=plan.seconds / 3,
        next_request=lambda _number, _answer: _BARE_BODY,
    )


def _load(plan: Plan, process: Running, connections: int, operation: Operation) -> Load:
    return generate(
        process.place,
        operation.route,
        connections,
        seconds=plan.seconds,
        next_request=operation.begin(),
    )


def _remember(plan: Plan, plain: Running, ready_mb: float) -> Memory:
    served = 0
    while served < plan.requests:
        load = generate(plain.place, "new", 4, seconds=plan.seconds, next_request=life())
        served += load.requests
    return Memory(ready_mb=ready_mb, requests=served, after_mb=plain.resident_mb())


def _ceiling(connections: int, loads: list[Load]) -> Ceiling:
    return Ceiling(
        connections=connections,
        per_second=statistics.median(load.per_second for load in loads),
        p50_ms=statistics.median(load.p50_ms for load in loads),
        p99_ms=statistics.median(load.p99_ms for load in loads),
    )


def _figure(key: _Key, taken: list[_Sample]) -> Figure:
    disk, connections, operation = key
    return Figure(
        action=operation.action,
        on=operation.on,
        durable=operation.durable,
        disk=disk,
        connections=connections,
        requests=sum(sample.load.requests for sample in taken),
        per_second=statistics.median(sample.load.per_second for sample in taken),
        p50_ms=statistics.median(sample.load.p50_ms for sample in taken),
        p99_ms=statistics.median(sample.load.p99_ms for sample in taken),
        share=round(statistics.median(sample.share for sample in taken), 3),
    )


def _machine() -> Machine:
    return Machine(
        date=datetime.now(UTC).date().isoformat(),
        python=platform.python_version(),
        sqlite=sqlite3.sqlite_version,
        system=platform.system(),
        cpus=cpu_count() or 1,
    )
