"""Rates and places that several gateways share; while nobody can say them, one goes on alone."""

from __future__ import annotations

import math
from collections import OrderedDict
from threading import Lock
from typing import Literal, Protocol, TypeAlias

from attrs import define, field

from adapters.webhooks.limits import CallerKey, InFlight, RateLimiter, Seconds, Slot
from domain.application.limits import RouteLimits

SharedSlot: TypeAlias = tuple[str, str]
"""A place among those of all gateways, as who counts them names it."""

WhileGone: TypeAlias = Literal["local", "refuse", "allow"]
"""What becomes of requests that nobody can count: one gateway's count alone, none, or all."""


class CountedHit(Protocol):
    """What is said of a request."""

    @property
    def passes(self) -> bool:
        """Whether its window has room for it."""

    @property
    def left(self) -> int:
        """How many more pass."""

    @property
    def reset_seconds(self) -> float:
        """For how long the window lasts."""

    @property
    def place(self) -> SharedSlot | None:
        """The place that it takes, None if all are taken."""


class SharedCounts(Protocol):
    """Counts of all gateways. It answers within some milliseconds, or says that it cannot."""

    def hit(
        self, key: CallerKey, *, requests: int, window_seconds: float, places: int
    ) -> CountedHit | None:
        """Count a request, and take a place for it if it passes; None if that is not known."""

    def take(self, key: CallerKey, *, places: int) -> SharedSlot | bool:
        """Take a place; False if there is none, True if that is not known."""

    def release(self, place: SharedSlot) -> None:
        """Give a place back."""


@define(eq=False)
class SharedLimiter:
    """A `RateLimiter` and an `InFlight` over counts that are shared.

    A request that is counted has a place already, which `take` finds; one that nobody takes is
    given back with the next request.
    """

    shared: SharedCounts
    local: RateLimiter
    while_gone: WhileGone
    _in_flight: InFlight = field(init=False)
    _places: dict[Slot, SharedSlot] = field(factory=dict, init=False)
    _counted: tuple[CallerKey, CountedHit] | None = field(default=None, init=False)
    _said: OrderedDict[CallerKey, tuple[int, Seconds]] = field(factory=OrderedDict, init=False)
    _lock: Lock = field(factory=Lock, init=False)

    @_in_flight.default
    def _own_count(self) -> InFlight:
        return InFlight(self._free)

    @property
    def tracked_keys(self) -> int:
        """How many windows are remembered here, while one goes on alone."""
        return self.local.tracked_keys

    @tracked_keys.setter
    def tracked_keys(self, number: int) -> None:
        self.local.tracked_keys = number

    def hit(self, key: CallerKey, limits: RouteLimits) -> int:
        """Count a request; return 0 if it passes, else the whole seconds until one may."""
        self._give_back(self._last())
        hit = self.shared.hit(
            key,
            requests=limits.rate_requests,
            window_seconds=limits.rate_window_seconds,
            places=limits.in_flight,
        )
        if hit is None:
            self._said.pop(key, None)
            return self._hit_alone(key, limits)
        self._note(key, hit)
        with self._lock:
            self._counted = (key, hit)
        return 0 if hit.passes else max(1, math.ceil(hit.reset_seconds))

    def left(self, key: CallerKey, limits: RouteLimits) -> tuple[int, int]:
        """Return how many requests still pass, and for how many seconds no more than those.

        That is what was said of the key's last request here.
        """
        left, end = self._said.get(key, (0, -math.inf))
        seconds = end - self.local.clock()
        return self.local.left(key, limits) if seconds <= 0 else (left, math.ceil(seconds))

    def take(self, key: CallerKey, limit: int) -> Slot | None:
        """Return a place for one more request, or None if all places of the key are taken."""
        slot = self._in_flight.take(key, limit)
        if slot is None:
            return None
        counted = self._last()
        if counted is not None and counted[0] == key:
            found = counted[1].place
            place: SharedSlot | bool = False if found is None else found
        else:
            self._give_back(counted)
            place = self.shared.take(key, places=limit)
        if place is False:
            slot.release()
            return None
        if place is not True:
            self._places[slot] = place
        return slot

    def count(self) -> int:
        """Return how many places are taken of this gateway's."""
        return self._in_flight.count()

    def _note(self, key: CallerKey, hit: CountedHit) -> None:
        self._said[key] = (hit.left, self.local.clock() + hit.reset_seconds)
        self._said.move_to_end(key)
        while len(self._said) > self.tracked_keys:
            self._said.popitem(last=False)

    def _hit_alone(self, key: CallerKey, limits: RouteLimits) -> int:
        if self.while_gone == "local":
            return self.local.hit(key, limits)
        return int(self.while_gone == "refuse")

    def _last(self) -> tuple[CallerKey, CountedHit] | None:
        with self._lock:
            last, self._counted = self._counted, None
            return last

    def _give_back(self, counted: tuple[CallerKey, CountedHit] | None) -> None:
        if counted is not None and counted[1].place is not None:
            self.shared.release(counted[1].place)

    def _free(self, slot: Slot) -> None:
        place = self._places.pop(slot, None)
        if place is not None:
            self.shared.release(place)
