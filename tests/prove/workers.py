"""Work spread over two processes, where there is enough of it."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Final, TypeVar

PROCESSES: Final = 2

T = TypeVar("T")
R = TypeVar("R")


def spread(work: Callable[[T], R], items: Sequence[T]) -> Iterator[R]:
    """Yield what some work makes of each item, in whatever order it gets done.

    One item is worked on here. NOTE: processes are spawned, as this one may have threads.
    """
    if len(items) <= 1:
        yield from map(work, items)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(PROCESSES, mp_context=context) as pool:
        for done in as_completed([pool.submit(work, item) for item in items]):
            yield done.result()


def chunks(items: Sequence[T], size: int) -> list[Sequence[T]]:
    """Return some items in portions of at most a size."""
    return [items[start : start + size] for start in range(0, len(items), size)]
