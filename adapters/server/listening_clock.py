"""A clock for deadlines that stands still while nobody listens."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

STOPPED_SECONDS: Final = 1.0
"""The loop reads its clock several times a second; so much later, the process was stopped."""
COUNTED_SECONDS: Final = 0.2
"""What counts of such a time: a loop that is always late has deadlines all the same."""


class ListeningClock:
    """The seconds of a monotonic clock, less those in which the process or its loop was stopped.

    What callers sent meanwhile waits in the sockets' buffers: it is not late.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._last = clock()
        self._stopped = 0.0

    def __call__(self) -> float:
        """Return the seconds in which the loop listened; any thread may ask."""
        with self._lock:
            now = self._clock()
            passed = now - self._last
            if passed > STOPPED_SECONDS:
                self._stopped += passed - COUNTED_SECONDS
            self._last = now
            return now - self._stopped
