"""Ours beside the reference that it replaces: the same load on both, in turn."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import chain
from pathlib import Path
from typing import Final, Literal, TypeAlias

from attrs import define, evolve, field, frozen

from bench.figures import Comparison, Peer, Side
from bench.gateway import PROXIES, Running, routes
from bench.generator import Generator
from bench.load import Load, together
from bench.operations import Subjects, compared, fill
from bench.plan import Plan
from bench.stores import Progress
from tests.whole.packages import NotInstallableError
from tests.whole.reference import VERSION, Reference, installed

_Name: TypeAlias = Literal["ours", "reference"]
_Key: TypeAlias = tuple[str, str, int, int]

_LOOKS, _LOOK_SECONDS, _REST = 20, 1.0, 0.05
_WARM_CONNECTIONS, _WARM_ROUNDS = 4, 5

NOT_ASKED_FOR: Final = "it was not asked for"


@frozen
class Sided:
    """A process, and the flows of it that are asked for."""

    process: Running
    subjects: Subjects


@define
class Rivalry:
    """The reference, running, and what was measured beside it so far."""

    generator: Generator
    plan: Plan
    progress: Progress
    _reference: Sided
    _loads: dict[_Key, dict[_Name, list[Load]]] = field(factory=dict)

    def fill(self, flows: int) -> None:
        """Let the reference hold so many flows more, of another owner."""
        self.progress(f"creating {flows:,} flows in the reference")
        fill(self.generator, self._reference.process, "many", flows)

    def compare(self, ours: Running, flows: int) -> None:
        """Measure both, in turn, where each holds so many flows of another owner."""
        self.progress("creating what is compared")
        ours_too = Sided(ours, Subjects.seeded(self.generator, ours, self.plan.sizes))
        sides: dict[_Name, Sided] = {"ours": ours_too, "reference": self._reference}
        self._in_turn(sides, self.plan.connections[-1])  # not counted: caches fill
        for number in range(self.plan.rounds):
            for connections in self.plan.connections:
                self.progress(
                    f"beside the reference, {flows:,} other flows:"
                    f" round {number + 1} of {self.plan.rounds}, {connections} connections"
                )
                for (action, on), loads in self._in_turn(sides, connections).items():
                    for name, load in loads.items():
                        key = (action, on, flows, connections)
                        self._loads.setdefault(key, {}).setdefault(name, []).append(load)
                sides = dict(reversed(sides.items()))

    def _in_turn(
        self, sides: Mapping[_Name, Sided], connections: int
    ) -> Mapping[tuple[str, str], Mapping[_Name, Load]]:
        found: dict[tuple[str, str], dict[_Name, Load]] = {}
        each = {name: compared(side.subjects, self.plan.sizes) for name, side in sides.items()}
        for pair in zip(*each.values(), strict=True):
            for (name, side), operation in zip(sides.items(), pair, strict=True):
                load = self.generator.measure(
                    side.process,
                    operation.route,
                    operation.scripts(side.process, connections),
                    self.plan.seconds,
                )
                found.setdefault((operation.action, operation.on), {})[name] = load
        return found

    def report(self) -> Peer:
        """Return what came of it."""
        loads = [load for sides in self._loads.values() for load in chain(*sides.values())]
        return Peer(
            version=VERSION,
            left_out=None,
            generator_us=together(loads).generator_us,
            comparisons=tuple(
                Comparison(
                    action=action,
                    on=on,
                    flows=flows,
                    connections=connections,
                    ours=_side(sides["ours"]),
                    reference=_side(sides["reference"]),
                )
                for (action, on, flows, connections), sides in self._loads.items()
            ),
        )


@contextmanager
def rivalry(
    folder: Path, generator: Generator, plan: Plan, progress: Progress
) -> Iterator[Rivalry | Peer]:
    """Run the reference; where that cannot be, say so, and return why."""
    if not plan.peer:
        yield Peer(version=VERSION, left_out=NOT_ASKED_FOR)
        return
    progress("installing and starting the reference")
    try:
        installation = installed()
    except NotInstallableError as error:
        progress(f"the reference is left out: it cannot be installed here: {error}")
        yield Peer(version=VERSION, left_out=f"it cannot be installed here: {error}")
        return
    with ExitStack() as stack:
        try:
            it = stack.enter_context(Reference(installation, folder, _configuration(folder)))
        except AssertionError as error:
            progress(f"the reference is left out: it does not start: {error}")
            yield Peer(version=VERSION, left_out="it does not start")
            return
        process = Running(("127.0.0.1", it.port), it.pid, 0.0)
        progress("letting the reference settle")
        _settle(generator, process, plan)
        seeded = Subjects.seeded(generator, process, plan.sizes)
        yield Rivalry(generator, plan, progress, Sided(process, seeded))


def _settle(generator: Generator, process: Running, plan: Plan) -> None:
    """Wait until the reference rests, then run all that is measured for a while.

    NOTE: it goes on starting once it answers, and it compiles what it runs often.
    """
    for _ in range(_LOOKS):
        before = process.used().processor_seconds
        time.sleep(_LOOK_SECONDS)
        if process.used().processor_seconds - before < _REST * _LOOK_SECONDS:
            break
    others = evolve(plan.sizes, fresh=100, parents=1, children=1)
    for each in compared(Subjects.seeded(generator, process, others), others):
        scripts = each.scripts(process, _WARM_CONNECTIONS)
        generator.measure(process, each.route, scripts, _WARM_ROUNDS * plan.seconds)


def _configuration(folder: Path) -> Path:
    """Write a configuration of the reference with the routes of the benchmark."""
    plugin = {"enabled": True, "config": {"routes": routes()}}
    document = {
        "gateway": {
            "mode": "local",
            "auth": {"mode": "token", "token": "bench-token-of-some-length"},
            "trustedProxies": PROXIES,
        },
        "plugins": {"enabled": True, "allow": ["webhooks"], "entries": {"webhooks": plugin}},
    }
    file = folder / "reference.json"
    file.write_text(json.dumps(document))
    file.chmod(0o600)
    return file


def _side(loads: list[Load]) -> Side:
    load = together(loads)
    return Side(
        per_second=load.per_second,
        p50_ms=load.p50_ms,
        p99_ms=load.p99_ms,
        cpu_us=load.cpu_us,
        written=load.written,
    )
