"""Jobs that the gateway does by itself, in threads of their own; what waits is done in batches."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import Event, Thread
from typing import Final

LAST_SECONDS: Final = 5.0
"""How long a job that has begun is waited for at the end."""

_LOG: Final = logging.getLogger("taskflow.schedule")


def every(
    seconds: float, job: Callable[[], None], on_fault: Callable[[Exception], None]
) -> AbstractContextManager[None]:
    """Do a job every so many seconds while the context lasts; a fault does not end the series.

    On leaving, a job that has begun is waited for, but not for ever: its thread ends with the
    process.
    """
    stopped = Event()

    def series() -> None:
        while not stopped.wait(seconds):
            _guarded(job, on_fault)

    return beside(series, stopped.set, name=f"every-{seconds}s")


def once(
    job: Callable[[Callable[[], bool]], None], on_fault: Callable[[Exception], None]
) -> AbstractContextManager[None]:
    """Do a job beside everything else; it is given what says whether the context has ended.

    On leaving, the job is waited for: it should end soon then.
    """
    stopped = Event()
    return beside(lambda: _guarded(lambda: job(stopped.is_set), on_fault), stopped.set, name="once")


@contextmanager
def beside(
    run: Callable[[], None], stop: Callable[[], None], *, name: str, seconds: float | None = None
) -> Iterator[None]:
    """Run in a thread while the context lasts; then stop it, and wait a while for its end.

    A thread that has no `seconds` of its own gets `LAST_SECONDS`, and a warning if they pass.
    """
    thread = Thread(target=run, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop()
        thread.join(LAST_SECONDS if seconds is None else seconds)
        if seconds is None and thread.is_alive():
            _LOG.warning("a job did not end within %g seconds", LAST_SECONDS)


def _guarded(job: Callable[[], None], on_fault: Callable[[Exception], None]) -> None:
    try:
        job()
    except Exception as fault:  # noqa: BLE001 - whatever it is, the next turn may do better
        on_fault(fault)
