"""How much one client may ask of one route: at a time, and in a while."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import TypeAlias

from attrs import define, field, frozen

Seconds: TypeAlias = float
Monotonic: TypeAlias = Callable[[], Seconds]
"""Returns the seconds since some moment; it never steps back."""

Key: TypeAlias = tuple[str, str]
"""A route's id and a client's address."""


@frozen(kw_only=True)
class Limits:
    """What a route allows each client; sizes in bytes. The defaults are the reference's.

    An answer with a list in it ends at `answer_bytes`, which the reference does not bound.
    """

    body_bytes: int = 262_144
    answer_bytes: int = 8_388_608
    rate_requests: int = 120
    rate_window_seconds: Seconds = 60.0
    in_flight: int = 8


@define
class _Window:
    start: Seconds
    count: int = 0


@define
class RateLimiter:
    """Fixed windows: each begins with its first request, and refused requests do not count.

    At most `tracked_keys` windows are remembered; the one that began first is forgotten first.
    """

    clock: Monotonic
    tracked_keys: int = 4096
    _windows: OrderedDict[Key, _Window] = field(factory=OrderedDict, init=False)
    _lock: Lock = field(factory=Lock, init=False, eq=False)

    def hit(self, key: Key, limits: Limits) -> int:
        """Count a request; return 0 if it passes, else the whole seconds until one may."""
        now = self.clock()
        with self._lock:
            window = self._windows.get(key)
            if window is None or now - window.start >= limits.rate_window_seconds:
                window = self._begin(key, now)
            if window.count >= limits.rate_requests:
                return max(1, math.ceil(window.start + limits.rate_window_seconds - now))
            window.count += 1
            return 0

    def _begin(self, key: Key, now: Seconds) -> _Window:
        self._windows.pop(key, None)
        while len(self._windows) >= self.tracked_keys:
            self._windows.popitem(last=False)
        window = self._windows[key] = _Window(now)
        return window


@define
class InFlight:
    """Counts the requests of each key that were let in and not yet answered.

    A key is remembered only while it has such a request, so there are never more keys than those.
    """

    _held: dict[Key, int] = field(factory=dict, init=False)
    _lock: Lock = field(factory=Lock, init=False, eq=False)

    def take(self, key: Key, limit: int) -> Slot | None:
        """Return a place for one more request, or None if all places of the key are taken."""
        with self._lock:
            held = self._held.get(key, 0)
            if held >= limit:
                return None
            self._held[key] = held + 1
        return Slot(self, key)

    def give_back(self, slot: Slot) -> None:
        """Free a place, if it was not freed before."""
        with self._lock:
            if slot.freed:
                return
            slot.freed = True
            self._held[slot.key] -= 1
            if not self._held[slot.key]:
                del self._held[slot.key]


@define(eq=False)
class Slot:
    """One request's place among those of its key."""

    _counter: InFlight
    key: Key
    freed: bool = False

    def release(self) -> None:
        """Free the place; a second call, also from another thread, does nothing."""
        self._counter.give_back(self)
