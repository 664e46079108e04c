"""Which sockets are waited for, and for what: kept from turn to turn, changed where it changes.

PERF: waitress asks every connection before every look whether it may read or write. With 1,024
connections that took 1.5 ms a turn.
"""

from __future__ import annotations

import select
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

READ: Final = select.POLLIN | select.POLLPRI
WRITE: Final = select.POLLOUT
"""NOTE: epoll has the same numbers for the same events."""


class Poller:
    """Waits for sockets; one that is waited for in no way reports nothing, not even its end."""

    def __init__(self) -> None:
        """Wait for nothing yet."""
        self._is_epoll = hasattr(select, "epoll")
        self._poll: Any = select.epoll() if self._is_epoll else select.poll()
        self._watched: dict[int, int] = {}
        self._resting: set[int] = set()

    def watch(self, descriptor: int, events: int) -> None:
        """Wait for these events of a socket from now on, and for no others."""
        before = self._watched.get(descriptor, 0)
        if not events:
            if before:
                # PERF: nearly all are waited for again before they have anything to report.
                self._resting.add(descriptor)
            return
        self._resting.discard(descriptor)
        if events == before:
            return
        if before:
            self._poll.modify(descriptor, events)
            self._watched[descriptor] = events
        else:
            self._poll.register(descriptor, events)
            self._watched[descriptor] = events

    def forget(self, descriptor: int | None) -> None:
        """Wait for a socket no more."""
        if descriptor is None:
            return
        self._resting.discard(descriptor)
        if self._watched.pop(descriptor, 0):
            with suppress(OSError):  # it was closed, and so it is forgotten
                self._poll.unregister(descriptor)

    def wait(self, seconds: float) -> Sequence[tuple[int, int]]:
        """Wait so long for a socket, and return those that are ready, each with its events."""
        ready: Sequence[tuple[int, int]]
        ready = self._poll.poll(seconds if self._is_epoll else seconds * 1000)
        resting = {descriptor for descriptor, _ in ready if descriptor in self._resting}
        if not resting:
            return ready
        for descriptor in resting:
            self.forget(descriptor)
        return [each for each in ready if each[0] not in resting]

    def close(self) -> None:
        """Give back what the system holds for it."""
        if self._is_epoll:
            self._poll.close()
