"""Jobs that the gateway does by itself, every so many seconds, in a thread of their own."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Final

LAST_SECONDS: Final = 5.0
"""How long a job that has begun is waited for at the end."""

_LOG: Final = logging.getLogger("taskflow.schedule")


@contextmanager
def every(
    seconds: float, job: Callable[[], None], on_fault: Callable[[Exception], None]
) -> Iterator[None]:
    """Do a job every so many seconds while the context lasts; a fault does not end the series.

    On leaving, a job that has begun is waited for, but not for ever: its thread ends with the
    process.
    """
    stopped = Event()

    def series() -> None:
        while not stopped.wait(seconds):
            try:
                job()
            except Exception as fault:  # noqa: BLE001 - whatever it is, the next turn may do better
                on_fault(fault)

    thread = Thread(target=series, name=f"every-{seconds}s", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        _join(thread)


@contextmanager
def once(
    job: Callable[[Callable[[], bool]], None], on_fault: Callable[[Exception], None]
) -> Iterator[None]:
    """Do a job beside everything else; it is given what says whether the context has ended.

    On leaving, the job is waited for: it should end soon then.
    """
    stopped = Event()

    def run() -> None:
        try:
            job(stopped.is_set)
        except Exception as fault:  # noqa: BLE001 - whatever it is, the others go on
            on_fault(fault)

    thread = Thread(target=run, name="once", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        _join(thread)


def _join(thread: Thread) -> None:
    thread.join(LAST_SECONDS)
    if thread.is_alive():
        _LOG.warning("a job did not end within %g seconds", LAST_SECONDS)
