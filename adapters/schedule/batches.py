"""One thread that does all work of a kind: what waits for it is done as one batch."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from itertools import islice
from queue import Empty, SimpleQueue
from threading import Event, Lock, Thread
from time import monotonic
from typing import Final, Generic, TypeAlias, TypeVar

from adapters.schedule import LAST_SECONDS
from domain.application.ports import StoreUnavailable

T = TypeVar("T")
R = TypeVar("R")
_Done: TypeAlias = Callable[[Sequence[R | Exception]], None]

MOST: Final = 64
"""A batch takes no more work in when its items weigh so much: it holds up nobody for long."""

_LOG: Final = logging.getLogger("taskflow.schedule")


class BatchThread(Generic[T, R]):
    """Does what many threads submit, in order, as much at once as waits.

    `work` returns a result for each item; if it raises, that is the result of each. An item weighs
    1 unless `weigh` returns another number.
    """

    def __init__(
        self,
        work: Callable[[Sequence[T]], Sequence[R]],
        most: int = MOST,
        weigh: Callable[[T], int] = lambda _: 1,
    ) -> None:
        """Begin to wait for work."""
        self._work = work
        self._most = most
        self._weigh = weigh
        self._queue = SimpleQueue[tuple[Sequence[T], _Done[R]] | None]()
        self._is_stopped = False
        self._began: float | None = None
        self._lock = Lock()
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
        return self._queue.qsize()

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
        with self._lock:
            if not self._is_stopped:
                self._is_stopped = True
                self._queue.put(None)
        self._thread.join(LAST_SECONDS)
        if self._thread.is_alive():
            _LOG.warning("what was submitted was not done within %g seconds", LAST_SECONDS)

    def _put(self, items: Sequence[T], done: _Done[R]) -> None:
        with self._lock:  # behind the end of the queue nobody would find it
            if self._is_stopped:
                raise StoreUnavailable("nothing is written any more: the service has stopped")
            self._queue.put((items, done))

    def _run(self) -> None:
        while jobs := self._take():
            self._began = monotonic()
            items = [item for part, _ in jobs for item in part]
            results = iter(self._results(items))
            for part, done in jobs:
                _tell(done, list(islice(results, len(part))))
            self._began = None

    def _take(self) -> Sequence[tuple[Sequence[T], _Done[R]]]:
        """Wait for work, and take what waits; nothing after the end."""
        jobs: list[tuple[Sequence[T], _Done[R]]] = []
        count = 0
        while count < self._most:
            try:
                job = self._queue.get(block=not jobs)
            except Empty:
                break
            if job is None:
                self._queue.put(None)  # for the next time
                break
            jobs.append(job)
            count += sum(map(self._weigh, job[0]))
        return jobs

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
