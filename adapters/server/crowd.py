"""The connections of strangers: how many an address may have, and which one gives way.

A stranger is a connection over which no request was authenticated yet, in whichever phase it is.
Strangers are bounded per address and, together with all others, in all. Where a bound is reached,
one that is there makes room for the newcomer, never the other way round: who sends a request as
soon as it has connected is served, however many sit there and send nothing, or nothing whole.

Where newcomers follow one another so fast that those before them would have less than a second,
those of whom half a head has come go themselves, at once and at next to no cost.

First goes the one that came first of those that have sent no whole head; if there are few of them,
the one whose last head is longest ago. One whose request the application works on is left alone.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from itertools import chain
from typing import Any, Final, TypeAlias

from adapters.server.options import ServerOptions
from adapters.server.phase import Phase

Neighbourhood: TypeAlias = Callable[[str], str | None]
"""Names those who share one bound by the address of a socket's other end; None has no bound."""

_HURRY_SECONDS: Final = 1.0
_KEPT_OF: Final = 64
"""One place in so many is kept for newcomers."""


def kept_of(places: int) -> int:
    """Return how many of some places are kept for newcomers."""
    return places // _KEPT_OF


class _Queue:
    """Strangers in the order in which they give way."""

    def __init__(self, places: int) -> None:
        self._fresh = max(1, kept_of(places))
        self._headless: OrderedDict[Any, float] = OrderedDict()
        self._with_head: OrderedDict[Any, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._headless) + len(self._with_head)

    def add(self, channel: Any, now: float) -> None:  # noqa: ANN401 - a channel
        self._headless[channel] = now

    def is_hurried(self, now: float) -> bool:
        """Say whether who connects has less than a second, at present, to send a whole head."""
        since = next(iter(self._headless.values()), -math.inf)
        return len(self._headless) > self._fresh and now - since < _HURRY_SECONDS

    def head_arrived(self, channel: Any) -> None:  # noqa: ANN401 - a channel
        self._headless.pop(channel, None)
        self._with_head[channel] = None
        self._with_head.move_to_end(channel)

    def is_headless(self, channel: Any) -> bool:  # noqa: ANN401 - a channel
        return channel in self._headless

    def remove(self, channel: Any) -> None:  # noqa: ANN401 - a channel
        self._headless.pop(channel, None)
        self._with_head.pop(channel, None)

    def first(self, newcomer: Any = None) -> Any | None:  # noqa: ANN401 - a channel
        """Return the one that gives way first, if any may; the newcomer only if no other does."""
        free = (c for c in self._in_order() if c.phase is not Phase.WORK and c is not newcomer)
        return next(free, newcomer)

    def _in_order(self) -> Iterator[Any]:
        # NOTE: without that, a caller that holds all places by requests that are refused shuts out
        # everybody, since the one newcomer would always be the only one without a head.
        if len(self._headless) > self._fresh:
            return chain(self._headless, self._with_head)
        return chain(self._with_head, self._headless)


class Crowd:
    """Knows the strangers among the connections; everything here happens in the I/O thread."""

    def __init__(self, options: ServerOptions) -> None:
        self._per_address = options.connections_per_address
        self._all = _Queue(options.connections)
        self._queues: dict[str | None, _Queue] = {}
        self._names: dict[Any, str | None] = {}

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, channel: object) -> bool:
        return channel in self._names

    def name_of(self, channel: Any) -> Hashable:  # noqa: ANN401 - a channel
        """Return whose turn a stranger's is: its neighbourhood's, or its own."""
        return self._names.get(channel) or channel

    def is_crowded(self, name: str | None) -> bool:
        """Say whether another stranger of an address has a place only if one gives way."""
        return name in self._queues and len(self._queues[name]) >= self._per_address

    def is_hurried(self, name: str | None, now: float) -> bool:
        """Say whether connections of an address, which all are strangers', come too fast."""
        return self.is_crowded(name) and self._queues[name].is_hurried(now)

    def are_all_hurried(self, now: float) -> bool:
        """Say whether connections of all strangers together come too fast, if there is no room."""
        return self._all.is_hurried(now)

    def enter(self, channel: Any, name: str | None, now: float) -> None:  # noqa: ANN401 - a channel
        """Take a new connection for a stranger's, of a neighbourhood unless it is a proxy's."""
        self._names[channel] = name
        if name is not None and name not in self._queues:
            self._queues[name] = _Queue(self._per_address)
        for queue in self._of(name):
            queue.add(channel, now)

    def is_headless(self, channel: Any) -> bool:  # noqa: ANN401 - a channel
        """Say whether a stranger has sent no whole head yet."""
        return self._all.is_headless(channel)

    def head_arrived(self, channel: Any) -> None:  # noqa: ANN401 - a channel
        """Note that a whole head has come, if the connection is a stranger's."""
        if channel in self._names:
            for queue in self._of(self._names[channel]):
                queue.head_arrived(channel)

    def part(self, channel: Any) -> None:  # noqa: ANN401 - a channel
        """Let a connection that has had its last answer give way, too."""
        if channel not in self._names:
            self._names[channel] = None
            self._all.head_arrived(channel)

    def leave(self, channel: Any) -> None:  # noqa: ANN401 - a channel
        """Forget a connection that is closed, or no longer a stranger's."""
        if channel not in self._names:
            return
        name = self._names.pop(channel)
        for queue in self._of(name):
            queue.remove(channel)
        if name is not None and not self._queues[name]:
            del self._queues[name]

    def first(self, newcomer: Any = None) -> Any | None:  # noqa: ANN401 - a channel
        """Return the connection that gives way when all are in use, if any may."""
        return self._all.first(newcomer)

    def first_beside(self, channel: Any) -> Any | None:  # noqa: ANN401 - a channel
        """Return the connection that gives way if a stranger's address has too many."""
        name = self._names.get(channel)
        if name is None or len(self._queues[name]) <= self._per_address:
            return None
        return self._queues[name].first(channel)

    def _of(self, name: str | None) -> Iterator[_Queue]:
        yield self._all
        if name is not None:
            yield self._queues[name]
