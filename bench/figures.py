"""The figures of one run, as they are kept: plain values, no names of machines."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Literal, TypeAlias

import cattrs
from attrs import asdict, frozen

from bench.plan import Plan

Disk: TypeAlias = Literal["as it is", "slowed"]


@frozen(kw_only=True)
class Figure:
    """One operation, on one disk, with so many connections: medians over the rounds.

    `share` is of what the bare answer gave beside it, in the same round.
    """

    action: str
    on: str
    durable: bool
    disk: Disk
    connections: int
    requests: int
    per_second: float
    p50_ms: float
    p99_ms: float
    share: float
    cpu_us: float = 0.0
    written: float = 0.0


@frozen(kw_only=True)
class Side:
    """What one of two answered: medians over the rounds, and what a request took it."""

    per_second: float
    p50_ms: float
    p99_ms: float
    cpu_us: float
    written: float


@frozen(kw_only=True)
class Comparison:
    """One operation beside the reference, in a store that holds little or so many flows."""

    action: str
    on: str
    flows: int
    connections: int
    ours: Side
    reference: Side

    @property
    def rate(self) -> float:
        """Return our rate as a ratio to the reference's."""
        return self.ours.per_second / self.reference.per_second

    @property
    def cpu(self) -> float:
        """Return our processor time a request as a ratio to the reference's, or 0."""
        return self.ours.cpu_us / self.reference.cpu_us if self.reference.cpu_us else 0.0


@frozen(kw_only=True)
class Peer:
    """What was measured beside the reference; `left_out` says in one line why nothing was.

    `generator_us` is what a request took the load generator, in the mean.
    """

    version: str
    left_out: str | None
    generator_us: float = 0.0
    comparisons: tuple[Comparison, ...] = ()


@frozen(kw_only=True)
class Ceiling:
    """What a bare Falcon answer gave on the same server: medians over all rounds."""

    connections: int
    per_second: float
    p50_ms: float
    p99_ms: float
    cpu_us: float = 0.0


@frozen(kw_only=True)
class Memory:
    """The resident megabytes of a gateway when it was ready, and after some requests."""

    ready_mb: float
    requests: int
    after_mb: float


@frozen(kw_only=True)
class Machine:
    """Where and when it was measured."""

    date: str
    python: str
    sqlite: str
    system: str
    cpus: int


@frozen(kw_only=True)
class Report:
    """All figures of one run; `left_out` says in one line why the slowed disk is missing."""

    machine: Machine
    plan: Plan
    ceilings: tuple[Ceiling, ...]
    figures: tuple[Figure, ...]
    memory: Memory
    ready_seconds: float
    left_out: str | None
    peer: Peer = Peer(version="", left_out="these figures are older than the comparison")

    def find(self, action: str, disk: Disk, connections: int) -> Figure | None:
        """Return an operation's figure, on the small thing that is measured first."""
        return next(iter(self.of(action, disk, connections)), None)

    def of(self, action: str, disk: Disk, connections: int) -> tuple[Figure, ...]:
        """Return an action's figures, from the small thing to the large."""
        return tuple(
            f
            for f in self.figures
            if (f.action, f.disk, f.connections) == (action, disk, connections)
        )


def rows(figures: Iterable[Figure], disk: Disk) -> dict[tuple[str, str], list[Figure]]:
    """Return the figures of one disk by what was measured, in order."""
    found: dict[tuple[str, str], list[Figure]] = {}
    for figure in figures:
        if figure.disk == disk:
            found.setdefault((figure.action, figure.on), []).append(figure)
    return found


def as_json(report: Report) -> str:
    """Return the raw figures as JSON text."""
    return json.dumps(asdict(report), indent=1) + "\n"


def read(file: Path) -> Report:
    """Read raw figures."""
    return cattrs.structure(json.loads(file.read_text()), Report)
