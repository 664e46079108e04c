"""The kit's state machine at full size: a million steps on the core, and on to a live gateway.

Each portion of the steps has a seed of its own, so that all of it happens again the same way; a
failure tells the shortest steps that lead there, and the line that takes them again.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from attrs import frozen
from hypothesis import seed

from adapters.store import migrate
from adapters.testing.drivers import DriverFactory, memory_service, pure_core
from adapters.testing.machine import explore, machine_for
from tests.kit.live import live
from tests.kit.postgres import postgres_service
from tests.kit.sqlite import sqlite_service
from tests.postgres.server import new_database, running_server
from tests.prove.result import SHOWN, Progress, Result, scaled
from tests.prove.workers import spread


@frozen
class Plan:
    """How many steps are taken on a driver, and how many of them at once."""

    driver: str
    steps: int
    at_once: int


PLANS: Final = (
    Plan("live HTTP", 20_000, 2_000),
    Plan("SQLite", 100_000, 5_000),
    Plan("PostgreSQL", 50_000, 5_000),
    Plan("memory", 100_000, 5_000),
    Plan("pure core", 1_000_000, 10_000),
)
FACTORIES: Final[dict[str, DriverFactory]] = {
    "pure core": pure_core,
    "memory": memory_service,
    "SQLite": sqlite_service,
}


@frozen
class Portion:
    """Steps to take at once: on what, how many, and from which seed on."""

    driver: str
    steps: int
    seed: int


@frozen
class Taken:
    """How many steps were taken on a driver, and what they found."""

    driver: str
    steps: int
    fault: str = ""


def take(portion: Portion) -> Taken:
    """Take the steps of a portion."""
    with ExitStack() as stack:
        factory = FACTORIES.get(portion.driver) or OTHERS[portion.driver](stack)
        machine = seed(portion.seed)(machine_for(factory))
        try:
            return Taken(portion.driver, explore(machine, portion.steps))
        except Exception as error:  # noqa: BLE001 - whatever it is, it was found
            notes = getattr(error, "__notes__", ())
            story = [note for note in notes if note.startswith("what was done")]
            told = "\n".join([f"{portion}: {error!r}", *story])
            return Taken(portion.driver, machine.taken, told)


def _live(stack: ExitStack) -> DriverFactory:
    folder = stack.enter_context(tempfile.TemporaryDirectory())
    return stack.enter_context(live(Path(folder))).drive


def _postgres(stack: ExitStack) -> DriverFactory:
    server = stack.enter_context(running_server())
    url = stack.enter_context(new_database(server.url))
    migrate(url)
    return postgres_service(url)


OTHERS: Final[dict[str, Callable[[ExitStack], DriverFactory]]] = {
    "live HTTP": _live,
    "PostgreSQL": _postgres,
}
"""Those that need a process of their own."""


def run(scale: float, progress: Progress) -> Result:
    """Prove that generated histories are answered as the model says."""
    portions = list(_portions(scale))
    counts = {plan.driver: 0 for plan in PLANS}
    faults: list[str] = []
    whole = sum(portion.steps for portion in portions)
    for taken in spread(take, portions):
        counts[taken.driver] += taken.steps
        faults += [taken.fault] if taken.fault else []
        progress(sum(counts.values()), whole)
    return Result(
        tried="histories that the kit's state machine makes up, every answer as the model says",
        counts={f"steps on {driver}": steps for driver, steps in counts.items()},
        violations=tuple(faults[:SHOWN]),
    )


def _portions(scale: float) -> Iterator[Portion]:
    for plan in PLANS:
        left, number = scaled(plan.steps, scale, least=50), 0
        while left > 0:
            number += 1
            yield Portion(plan.driver, min(left, plan.at_once), number)
            left -= plan.at_once
