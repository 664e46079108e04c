"""One thread that works on all that waits, as one batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from queue import SimpleQueue
from threading import Thread
from typing import Final, Generic, TypeAlias, TypeVar

from adapters.schedule import LAST_SECONDS

T = TypeVar("T")
R = TypeVar("R")

MOST_IN_A_BATCH: Final = 64


class BatchThread(Generic[T, R]):
    """Works on what is submitted, in order, in a thread of its own; many items at a time."""

    def __init__(self, work: Callable[[Sequence[T]], Sequence[R]]) -> None:
        """Begin to wait for items."""
        self._work = work
        self._queue: SimpleQueue[_Entry[T, R] | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    def submit(self, item: T, done: Callable[[R], None]) -> None:
        """Have an item worked on; `done` is called with its result, in this object's thread."""
        self._queue.put((item, done))

    def stop(self) -> None:
        """Finish what was submitted, and end; what takes too long ends with the process."""
        self._queue.put(None)
        self._thread.join(LAST_SECONDS)

    def _run(self) -> None:
        goes_on = True
        while goes_on:
            batch = [self._queue.get()]
            while len(batch) < MOST_IN_A_BATCH and not self._queue.empty():
                batch.append(self._queue.get())
            entries = [entry for entry in batch if entry is not None]
            goes_on = len(entries) == len(batch)
            results = self._work([item for item, _ in entries])
            for (_, done), result in zip(entries, results, strict=True):
                done(result)


_Entry: TypeAlias = tuple[T, Callable[[R], None]]
