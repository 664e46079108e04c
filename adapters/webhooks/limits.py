"""How much one client may ask of one route in a while, and how much of that at once."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import TypeAlias

from attrs import define, field

from domain.application.limits import RouteLimits

Seconds: TypeAlias = float
Monotonic: TypeAlias = Callable[[], Seconds]
"""Returns the seconds since some moment; it never steps back."""

CallerKey: TypeAlias = tuple[str, str]
"""A route's id and a client."""


@define
class InFlight:
    """Counts the requests of each key that were let in and not yet answered.

    A key is remembered only while it has such a request, so there are never more keys than those.
    """

    on_freed: Callable[[Slot], None] = lambda _: None
    _held: dict[CallerKey, int] = field(factory=dict, init=False)
    _lock: Lock = field(factory=Lock, init=False, eq=False)

    def take(self, key: CallerKey, limit: int) -> Slot | None:
        """Return a place for one more request, or None if all places of the key are taken."""
        with self._lock:
            held = self._held.get(key, 0)
            if held >= limit:
                return None
            self._held[key] = held + 1
        return Slot(self, key)

    def count(self) -> int:
        """Return how many places are taken, of all keys."""
        with self._lock:
            return sum(self._held.values())

    def give_back(self, slot: Slot) -> None:
        """Free a place, if it was not freed before."""
        with self._lock:
            if slot.freed:
                return
            slot.freed = True
            self._held[slot.key] -= 1
            if not self._held[slot.key]:
                del self._held[slot.key]
        self.on_freed(slot)


@define(eq=False)
class Slot:
    """One request's place among those of its key."""

    _counter: InFlight
    key: CallerKey
    freed: bool = False

    def release(self) -> None:
        """Free the place; a second call, also from another thread, does nothing."""
        self._counter.give_back(self)


@define
class _Window:
    start: Seconds
    end: Seconds
    count: int = 0


@define
class RateLimiter:
    """Fixed windows: each begins with its first request, and refused requests do not count.

    At most `tracked_keys` windows are remembered. Of those that still let requests pass, the one
    that began first is forgotten first; an exhausted one is remembered until it ends. Where all
    are exhausted, a key that has none is refused, until the first of them ends.
    """

    clock: Monotonic
    tracked_keys: int = 4096
    _open: OrderedDict[CallerKey, _Window] = field(factory=OrderedDict, init=False)
    _exhausted: dict[CallerKey, _Window] = field(factory=dict, init=False)
    _next_end: Seconds = field(default=math.inf, init=False)
    _lock: Lock = field(factory=Lock, init=False, eq=False)

    def hit(self, key: CallerKey, limits: RouteLimits) -> int:
        """Count a request; return 0 if it passes, else the whole seconds until one may."""
        now = self.clock()
        with self._lock:
            window = self._exhausted.get(key) or self._open.get(key)
            if window is not None:
                window.end = window.start + limits.rate_window_seconds
            if window is None or now >= window.end:
                window = self._begin(key, now, limits)
            if window is None:
                return _whole(self._next_end - now)
            passes = window.count < limits.rate_requests
            window.count += passes
            if window.count >= limits.rate_requests:
                self._exhaust(key, window)
            elif self._exhausted.pop(key, None):  # limits may have grown since
                self._open[key] = window
            return 0 if passes else _whole(window.end - now)

    def left(self, key: CallerKey, limits: RouteLimits) -> tuple[int, int]:
        """Return how many requests still pass, and for how many seconds no more than those."""
        now = self.clock()
        with self._lock:
            window = self._exhausted.get(key) or self._open.get(key)
            if window is None or now >= window.end:
                return limits.rate_requests, 0
            return max(0, limits.rate_requests - window.count), _whole(window.end - now)

    def _begin(self, key: CallerKey, now: Seconds, limits: RouteLimits) -> _Window | None:
        self._exhausted.pop(key, None)
        self._open.pop(key, None)
        if not self._make_room(now):
            return None
        window = self._open[key] = _Window(now, now + limits.rate_window_seconds)
        return window

    def _exhaust(self, key: CallerKey, window: _Window) -> None:
        self._open.pop(key, None)
        self._exhausted[key] = window
        self._next_end = min(self._next_end, window.end)

    def _make_room(self, now: Seconds) -> bool:
        """Forget a window if there are too many; False if all are exhausted and none has ended."""
        if now >= self._next_end:  # PERF: looking through all of them takes 0.3 ms
            self._exhausted = {k: w for k, w in self._exhausted.items() if now < w.end}
            ends = (window.end for window in self._exhausted.values())
            self._next_end = min(ends, default=math.inf)
        while self._open and len(self._open) + len(self._exhausted) >= self.tracked_keys:
            self._open.popitem(last=False)
        return len(self._exhausted) < self.tracked_keys


def _whole(seconds: Seconds) -> int:
    return max(1, math.ceil(seconds))
