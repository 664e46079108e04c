"""Lets the kit look for a fault: `python -m tests.mutants.hunt DRIVER`.

That is its state machine on a driver, or `exhaustive`: all states that a few commands lead to, with
the kit's model beside. It prints, as one line of JSON, the fewest steps that show a fault, or null.
What it tries follows from fixed seeds.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from attrs import asdict, frozen
from hypothesis import seed

from adapters.testing.drivers import DriverFactory, memory_service, pure_core
from adapters.testing.machine import explore, machine_for
from tests.kit.live import live
from tests.kit.sqlite import sqlite_service
from tests.prove.exhaustive import THEN, Search
from tests.prove.result import unseen

FACTORIES: Final[dict[str, DriverFactory]] = {
    "pure": pure_core,
    "memory": memory_service,
    "sqlite": sqlite_service,
}
EXHAUSTIVE: Final = "exhaustive"
DEPTH: Final = 4
STEPS: Final = {"pure": 8_000, "memory": 4_000, "sqlite": 2_000, "live": 1_000}
SEEDS: Final = {"pure": 3, "memory": 1, "sqlite": 1, "live": 1}
_STEP: Final = re.compile(r"^  \d+\. (.+)$", re.MULTILINE)
_LINE: Final = re.compile(r"^(reproduce.*)$", re.MULTILINE)


@frozen
class Found:
    """A fault that was found: the steps that show it, and the line that takes them."""

    steps: tuple[str, ...]
    line: str

    @classmethod
    def of(cls, error: Exception) -> Found:
        """Read the story that the machine tells with a failure."""
        story = "\n".join(getattr(error, "__notes__", ()))
        line = _LINE.search(story)
        steps = tuple(_STEP.findall(story)) or (repr(error),)
        return cls(steps, line[1] if line else "")


def hunt(driver: str) -> Found | None:
    """Look for a fault."""
    return _search() if driver == EXHAUSTIVE else _explore(driver)


def _search() -> Found | None:
    search = Search(unseen)
    search.run(DEPTH)
    if not search.violations:
        return None
    _law, _, path = search.violations[0].partition(": ")
    return Found(tuple(path.split(THEN)), "reproduce: python -m tests.prove exhaustive")


def _explore(driver: str) -> Found | None:
    found = []
    with ExitStack() as stack:
        factory = FACTORIES.get(driver) or _live(stack)
        for number in range(SEEDS[driver]):
            try:
                explore(seed(number)(machine_for(factory)), STEPS[driver])
            except Exception as error:  # noqa: BLE001 - whatever it is, it was found
                found.append(Found.of(error))
    return min(found, key=lambda each: len(each.steps), default=None)


def _live(stack: ExitStack) -> DriverFactory:
    folder = stack.enter_context(tempfile.TemporaryDirectory())
    return stack.enter_context(live(Path(folder))).drive


def main(driver: str) -> int:
    """Hunt with one driver, and say what it found."""
    found = hunt(driver)
    sys.stdout.write(json.dumps(None if found is None else asdict(found)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
