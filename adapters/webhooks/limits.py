"""How many requests of a client to a route are in flight."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import TypeAlias

from attrs import define, field

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
    key: CallerKey
    freed: bool = False

    def release(self) -> None:
        """Free the place; a second call, also from another thread, does nothing."""
        self._counter.give_back(self)
