"""The turns of those who are not known, in a short part of each turn of the loop."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final, Protocol

from adapters.server.acceptor import Acceptor
from adapters.server.fair_queue import FairQueue

_NEWCOMERS_SECONDS: Final = 0.01
_STRANGERS_SECONDS: Final = 0.005
_UNKNOWN_SECONDS: Final = 0.001
"""Most of a turn for those who are not known, in which the others wait."""


class FaultHandler(Protocol):
    """A connection, or the listening socket."""

    def handle_error(self) -> None:
        """Log the exception in flight."""


class ServingHost(FaultHandler, Protocol):
    """What turns need of the listener."""

    def serve(self, ready: Any, events: int) -> None:  # noqa: ANN401 - a channel
        """Have a channel do what it is ready for."""

    def act_now(self, channel: Any, act: Callable[[], None]) -> None:  # noqa: ANN401 - a channel
        """Have a channel act."""


class Turns:
    """Serves strangers and newcomers, one of each address after the other.

    However many there are, and whatever each of them costs, who is known waits no longer.
    """

    def __init__(self, host: ServingHost, acceptor: Acceptor) -> None:
        self._host = host
        self._acceptor = acceptor
        self._strangers: FairQueue[tuple[Any, Callable[[], None]]] = FairQueue()
        self._reported: set[Any] = set()

    def are_waited_for(self) -> bool:
        """Whether anybody waits for a turn."""
        acceptor = self._acceptor
        return bool(self._strangers or acceptor.arrivals() or acceptor.unknown())

    def put(self, stranger: Any, act: Callable[[], None]) -> None:  # noqa: ANN401 - a channel
        """Have a stranger act when it is its turn."""
        self._strangers.put(self._acceptor.crowd.name_of(stranger), (stranger, act))

    def report(self, stranger: Any, events: int) -> None:  # noqa: ANN401 - a channel
        """Have a stranger do what it is ready for, once, when it is its turn."""
        if stranger not in self._reported:
            self._reported.add(stranger)
            self.put(stranger, partial(self._serve, stranger, events))

    def _serve(self, stranger: Any, events: int) -> None:  # noqa: ANN401 - a channel
        self._reported.discard(stranger)
        self._host.serve(stranger, events)

    def give(self, *, everybody: bool) -> None:
        """Give turns for a short time, or to all who wait."""
        acceptor = self._acceptor
        for seconds, waiting, serve in (
            (_NEWCOMERS_SECONDS, acceptor.arrivals, acceptor.take_in),
            (_STRANGERS_SECONDS, self._strangers.__len__, self._give_one),
            (_UNKNOWN_SECONDS, acceptor.unknown, acceptor.settle),
        ):
            end = math.inf if everybody else time.monotonic() + seconds
            left = math.inf if everybody else waiting()
            while left > 0 and waiting() and time.monotonic() < end:
                left -= 1
                guarded(self._host, serve)

    def _give_one(self) -> None:
        self._host.act_now(*self._strangers.take())


def guarded(actor: FaultHandler, act: Callable[[], None]) -> None:
    """Let an actor act; a fault of ours on one connection does not end the others."""
    try:
        act()
    except Exception:  # noqa: BLE001 - whatever it is, it is logged and the connection closed
        actor.handle_error()
