"""One thread that does all work of a kind: what waits for it is done as one batch."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from threading import Condition, Event, Lock, Thread
from time import monotonic
from typing import Final, Generic, TypeAlias, TypeVar

from adapters.schedule import LAST_SECONDS
from domain.application.ports import StoreUnavailable

T = TypeVar("T")
R = TypeVar("R")
_Done: TypeAlias = Callable[[Sequence[R | Exception]], None]

MOST: Final = 64
"""A batch takes no more work in when its items weigh so much: it holds up nobody for long."""

GATHER_SECONDS: Final = 0.0005
"""How long a batch waits for those that were there a moment ago; beside a sync that is little."""

_LOG: Final = logging.getLogger("taskflow.schedule")


class BatchThread(Generic[T, R]):
    """Does what many threads submit, in order, as much at once as waits.

    `work` returns a result for each item; if it raises, that is the result of each. An item weighs
    1 unless `weigh` returns another number. A batch waits up to `gather_seconds` to be as large as
    the one before and what waited behind that, as callers ask again when they have their answer.
    """

    def __init__(
        self,
        work: Callable[[Sequence[T]], Sequence[R]],
        most: int = MOST,
        weigh: Callable[[T], int] = lambda _: 1,
        gather_seconds: float = GATHER_SECONDS,
    ) -> None:
        """Begin to wait for work."""
        self._work = work
        self._most = most
        self._weigh = weigh
        self._gather_seconds = gather_seconds
        self._queue: deque[tuple[Sequence[T], _Done[R]]] = deque()
        self._weight = 0
        self._expected = self._enough = 1
        self._is_stopped = False
        self._began: float | None = None
        self._came = Condition(Lock())
        self._thread = Thread(target=self._run, name="batches", daemon=True)
        self._thread.start()

    def submit(self, item: T, done: Callable[[R | Exception], None]) -> None:
        """Have an item done; `done` gets its result, in the thread of the batches.

        Raises:
            StoreUnavailable: if it was stopped.
        """
        self._put((item,), lambda results: done(results[0]))

    def do_all(self, items: Sequence[T]) -> Sequence[R | Exception]:
        """Have items done in one batch, wait for that, and return the result of each."""
        results: list[R | Exception] = []
        is_done = Event()

        def done(found: Sequence[R | Exception]) -> None:
            results.extend(found)
            is_done.set()

        self._put(items, done)
        is_done.wait()
        return results

    @property
    def waiting(self) -> int:
        """How many submissions wait for the next batch."""
        return len(self._queue)

    @property
    def busy_seconds(self) -> float:
        """For how long the present batch has been in work, 0 where nothing is."""
        began = self._began
        return 0.0 if began is None else monotonic() - began

    @property
    def is_alive(self) -> bool:
        """Whether the thread runs that does the work."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """Take no more, and finish what was submitted; that is waited for, but not for ever."""
        with self._came:
            self._is_stopped = True
            self._came.notify()
        self._thread.join(LAST_SECONDS)
        if self._thread.is_alive():
            _LOG.warning("what was submitted was not done within %g seconds", LAST_SECONDS)

    def _put(self, items: Sequence[T], done: _Done[R]) -> None:
        with self._came:
            if self._is_stopped:
                raise StoreUnavailable("nothing is written any more: the service has stopped")
            self._queue.append((items, done))
            self._weight += self._sum(items)
            if self._has_come():
                self._came.notify()

    def _run(self) -> None:
        while jobs := self._take():
            self._began = monotonic()
            items = [item for part, _ in jobs for item in part]
            results = iter(self._results(items))
            self._expected = len(jobs) + len(self._queue)
            for part, done in jobs:
                _tell(done, list(islice(results, len(part))))
            self._began = None

    def _take(self) -> Sequence[tuple[Sequence[T], _Done[R]]]:
        """Wait for work, and take what waits; nothing after the end."""
        jobs: list[tuple[Sequence[T], _Done[R]]] = []
        count = 0
        with self._came:
            self._wait(1)
            if len(self._queue) < self._expected:
                self._wait(self._expected, self._gather_seconds)
            while self._queue and count < self._most:
                jobs.append(self._queue.popleft())
                count += self._sum(jobs[-1][0])
            self._weight -= count
        return jobs

    def _wait(self, enough: int, seconds: float | None = None) -> None:
        """Wait until so many submissions wait, or a whole batch, or for so long, or for the end."""
        # PERF: who waits is woken once, not by each of them.
        self._enough = enough
        self._came.wait_for(lambda: self._has_come() or self._is_stopped, seconds)
        self._enough = 1

    def _has_come(self) -> bool:
        return len(self._queue) >= self._enough or self._weight >= self._most

    def _sum(self, items: Sequence[T]) -> int:
        return sum(map(self._weigh, items))

    def _results(self, items: Sequence[T]) -> Sequence[R | Exception]:
        try:
            return self._work(items)
        except Exception as fault:  # noqa: BLE001 - whatever it is, the next batch may do better
            _LOG.exception("a batch failed")
            return [fault] * len(items)


def _tell(done: _Done[R], results: Sequence[R | Exception]) -> None:
    try:
        done(results)
    except Exception:  # noqa: BLE001 - whatever it is, the others get theirs
        _LOG.exception("a result was not taken")
