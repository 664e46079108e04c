"""How often a client may present wrong credentials: it is slowed, and never locked out.

Ten failures are free, and one more every six seconds (a token bucket). A client that has used them
up is slowed until a minute has passed without a failure: credentials are then compared only when
they are presented a second time, six seconds or more after the first, and while a token is left.
So who tries one password after the other uses up no tokens, and does not keep out the right one
that comes from the same address; who comes back with each has one comparison in six seconds.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Final

from attrs import define, field

BURST: Final = 10
SECONDS: Final = 6.0
"""Until one more failure is free, and until credentials may be presented again."""
TRACKED_CLIENTS: Final = 4_096
TRACKED_CREDENTIALS: Final = 32_768
"""PERF: about 6 MB; the pages answer some 1,000 requests a second, so each lasts for 30 s."""

_LOOKED_AT: Final = 64
"""PERF: looking at all of them would take 1 ms."""
_OTHERS: Final = "others"
_WRONG: Final = math.inf


@define
class _Bucket:
    at: float
    tokens: float = BURST
    is_slowed: bool = False

    def refill(self, now: float) -> None:
        """Add the tokens that have come since the last time."""
        self.tokens = min(BURST, self.tokens + (now - self.at) / SECONDS)
        self.at = now
        self.is_slowed = self.is_slowed and self.tokens < BURST


@define
class LoginThrottle:
    """Counts the failures of each client.

    A slowed client is not forgotten before it is one no more; of the others, the one that failed
    first is forgotten first. Where all are slowed, those who come new share one bucket.
    """

    clock: Callable[[], float]
    _buckets: OrderedDict[str, _Bucket] = field(factory=OrderedDict, init=False)
    _presented: OrderedDict[tuple[str, int], float] = field(factory=OrderedDict, init=False)
    _lock: Lock = field(factory=Lock, init=False, eq=False)

    def wait(self, client: str, credentials: int) -> int:
        """Return the whole seconds until a client may present these again, 0 if it may now.

        `credentials` is their `hash`, which differs from one process to the next.
        """
        now = self.clock()
        with self._lock:
            bucket = self._bucket(client, now)
            if bucket is None or not bucket.is_slowed:
                return 0
            due = self._due((client, credentials), now)
            if due > now:
                return math.ceil(min(due - now, SECONDS))
            return math.ceil(max(0.0, 1 - bucket.tokens) * SECONDS)

    def fail(self, client: str, credentials: int) -> None:
        """Count a failure."""
        now = self.clock()
        with self._lock:
            bucket = self._bucket(client, now) or self._begin(client, now)
            bucket.tokens -= 1
            bucket.is_slowed = bucket.is_slowed or bucket.tokens < 1
            if bucket.is_slowed:
                self._presented[client, credentials] = _WRONG

    def _bucket(self, client: str, now: float) -> _Bucket | None:
        bucket = self._buckets.get(client)
        if bucket is None and self._is_full and self._forgettable(now) is None:
            bucket = self._buckets.setdefault(_OTHERS, _Bucket(now, tokens=1, is_slowed=True))
        if bucket is not None:
            bucket.refill(now)
        return bucket

    def _begin(self, client: str, now: float) -> _Bucket:
        forgotten = self._forgettable(now) if self._is_full else None
        if forgotten is not None:
            del self._buckets[forgotten]
        bucket = self._buckets[client] = _Bucket(now)
        return bucket

    @property
    def _is_full(self) -> bool:
        return len(self._buckets) >= TRACKED_CLIENTS

    def _forgettable(self, now: float) -> str | None:
        """Return a client that is not slowed, if there is one among the next few."""
        for _ in range(_LOOKED_AT):
            client, bucket = next(iter(self._buckets.items()))
            bucket.refill(now)
            if not bucket.is_slowed:
                return client
            self._buckets.move_to_end(client)
        return None

    def _due(self, key: tuple[str, int], now: float) -> float:
        """Return when credentials may be compared that were presented, for the first time or again.

        Those that are known to be wrong never are: to present them again uses up no token.
        """
        due = self._presented.setdefault(key, now + SECONDS)
        self._presented.move_to_end(key)
        if len(self._presented) > TRACKED_CREDENTIALS:
            self._presented.popitem(last=False)
        return due
