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
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from os import cpu_count
from pathlib import Path
from typing import Final, TypeAlias

from attrs import define, field, frozen

from bench.bare import IN_THE_LOOP
from bench.figures import Ceiling, Disk, Figure, Machine, Memory, Peer, Report
from bench.gateway import Running, configuration, gateway, running
from bench.generator import Generator, Script, compiled
from bench.load import Load, together
from bench.memory import serve_requests
from bench.operations import Operation, operations
from bench.peer import Rivalry, rivalry
from bench.plan import Plan
from bench.slow_sync import LeftOut, Preload, slow_syncs
from bench.stores import Built, Progress, build

_Key: TypeAlias = tuple[Disk, int, Operation]

_BARE: Final = Script((b'{"action":"get_flow","flowId":"flow-0"}',))


@frozen
class _Sample:
    load: Load
    share: float


@frozen
class _Measured:
    """The processes, and what puts a load on them."""

    generator: Generator
    bare: Running
    gateways: Mapping[Disk, Running]

    def ceiling(self, plan: Plan, connections: int) -> Load:
        """Look at what the bare answer gives."""
        scripts = [_BARE] * connections
        return self.generator.measure(self.bare, "bench", scripts, plan.seconds / 3)


@define
class _Samples:
    """What the rounds gave so far."""

    ceilings: dict[int, list[Load]] = field(factory=dict)
    operations: dict[_Key, list[_Sample]] = field(factory=dict)

    def add(self, key: _Key, sample: _Sample) -> None:
        self.operations.setdefault(key, []).append(sample)


def measure(plan: Plan, progress: Progress) -> Report:
    """Measure all that the plan says."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        generator, config, preload = compiled(folder), configuration(folder), slow_syncs(folder)
        rival = stack.enter_context(rivalry(folder, generator, plan, progress))
        if isinstance(rival, Rivalry):
            with gateway(config, folder / "small.db") as small:
                rival.compare(small, 0)
        built = _built(folder, plan, rival, progress)
        progress(f"starting a gateway {plan.starts} times")
        ready = [_start(config, built.path) for _ in range(plan.starts)]
        bare = stack.enter_context(running(["bench.bare", *IN_THE_LOOP]))
        gateways = _gateways(stack, config, built, preload)
        plain = gateways["as it is"]
        ready_mb = plain.resident_mb()
        samples = _rounds(plan, _Measured(generator, bare, gateways), built, progress)
        if isinstance(rival, Rivalry):
            rival.compare(plain, plan.sizes.flows)
        progress(f"sending {plan.requests:,} requests")
        served = serve_requests(plan, generator, plain, built, plan.requests)
        memory = Memory(ready_mb=ready_mb, requests=served, after_mb=plain.resident_mb())
        return Report(
            machine=_machine(),
            plan=plan,
            ceilings=tuple(_ceiling(*item) for item in samples.ceilings.items()),
            figures=tuple(_figure(key, taken) for key, taken in samples.operations.items()),
            memory=memory,
            ready_seconds=statistics.median(ready),
            left_out=preload.why if isinstance(preload, LeftOut) else None,
            peer=rival.report() if isinstance(rival, Rivalry) else rival,
        )


def _built(folder: Path, plan: Plan, rival: Rivalry | Peer, progress: Progress) -> Built:
    """Build our store, while the reference is filled with as many flows."""
    with ThreadPoolExecutor() as pool:
        filled = pool.submit(rival.fill, plan.sizes.flows) if isinstance(rival, Rivalry) else None
        built = build(folder / "plain.db", plan.sizes, max(plan.connections), progress)
        if filled is not None:
            filled.result()
    return built


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


def _rounds(plan: Plan, measured: _Measured, built: Built, progress: Progress) -> _Samples:
    samples = _Samples()
    listed = tuple(operations(built, plan.sizes))
    for number in range(plan.rounds):
        for connections in plan.connections:
            progress(f"round {number + 1} of {plan.rounds}: {connections} connections")
            for disk, process in measured.gateways.items():
                before = measured.ceiling(plan, connections)
                for each in listed:
                    if disk == "slowed" and not each.durable:
                        continue
                    scripts = each.scripts(process, connections)
                    load = measured.generator.measure(process, each.route, scripts, plan.seconds)
                    after = measured.ceiling(plan, connections)
                    ceiling = (before.per_second + after.per_second) / 2
                    samples.add((disk, connections, each), _Sample(load, load.per_second / ceiling))
                    samples.ceilings.setdefault(connections, []).append(after)
                    before = after
    return samples


def _ceiling(connections: int, loads: list[Load]) -> Ceiling:
    load = together(loads)
    return Ceiling(
        connections=connections,
        per_second=load.per_second,
        p50_ms=load.p50_ms,
        p99_ms=load.p99_ms,
        cpu_us=load.cpu_us,
    )


def _figure(key: _Key, taken: list[_Sample]) -> Figure:
    disk, connections, operation = key
    load = together([sample.load for sample in taken])
    return Figure(
        action=operation.action,
        on=operation.on,
        durable=operation.durable,
        disk=disk,
        connections=connections,
        requests=load.requests,
        per_second=load.per_second,
        p50_ms=load.p50_ms,
        p99_ms=load.p99_ms,
        share=round(statistics.median(sample.share for sample in taken), 3),
        cpu_us=load.cpu_us,
        written=load.written,
    )


def _machine() -> Machine:
    return Machine(
        date=datetime.now(UTC).date().isoformat(),
        python=platform.python_version(),
        sqlite=sqlite3.sqlite_version,
        system=platform.system(),
        cpus=cpu_count() or 1,
    )
