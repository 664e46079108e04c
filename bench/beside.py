"""What reading costs the gateway that writes the same store, as a ratio within one run."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Final

from attrs import frozen

from bench.gateway import Running, configuration, gateway
from bench.load import generate
from bench.operations import life

ROUNDS: Final = 5
SECONDS: Final = 1.0
CONNECTIONS: Final = 4


@frozen
class Beside:
    """Requests a second that a gateway answered alone, and while somebody read all the time."""

    alone: float
    read: float
    pages: int

    @property
    def share(self) -> float:
        """Return what was left."""
        return self.read / self.alone


def beside(folder: Path, database: Path, read_one: Callable[[], object]) -> Beside:
    """Let a gateway write to a store, in turns alone and while pages are read without a pause."""
    alone, read, pages = [], [], 0
    with gateway(configuration(folder), database) as writing:
        _rate(writing)
        for _ in range(ROUNDS):
            alone.append(_rate(writing))
            with _reading(read_one) as count:
                read.append(_rate(writing))
            pages += count[0]
    return Beside(statistics.median(alone), statistics.median(read), pages)


def _rate(writing: Running) -> float:
    return generate(
        writing.place, "new", CONNECTIONS, seconds=SECONDS, next_request=life()
    ).per_second


@contextmanager
def _reading(read_one: Callable[[], object]) -> Iterator[list[int]]:
    enough, count = Event(), [0]

    def read() -> None:
        while not enough.is_set():
            read_one()
            count[0] += 1

    reader = Thread(target=read, daemon=True)
    reader.start()
    try:
        yield count
    finally:
        enough.set()
        reader.join()
