"""Refusals on their way to the disk, in bounded memory."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from threading import Event, Lock
from typing import TypeAlias, assert_never

from attrs import define, field, frozen

from domain.flow.values import Timestamp
from domain.history.refused_requests import DAY, DeniedRequest, RefusedRequest, TurnedAway

TotalKey: TypeAlias = tuple[Timestamp, str, str, str]
"""A day's first moment, a route, a key and a code."""

TurnedAwayKey: TypeAlias = tuple[Timestamp, str, str]
"""A day's first moment, a route and a code."""


@frozen(kw_only=True)
class RefusalBatch:
    """What waited at one moment; of the `overflown` nothing but their number is left."""

    calls: tuple[RefusedRequest, ...]
    overflown: Counter[TotalKey]
    turned_away: Counter[TurnedAwayKey]


@define(eq=False)
class RefusalBuffer:
    """Holds at most `limit` refused calls; counts, but does not hold, what comes beyond.

    The counters have a row for each configured route, key and code, and nothing that a caller
    could make up.
    """

    limit: int
    on_drop: Callable[[], None] = lambda: None
    """Is called for each call that is counted but not held."""
    arrived: Event = field(factory=Event, init=False)
    """Set when there is something to write."""
    _lock: Lock = field(factory=Lock, init=False)
    _calls: deque[RefusedRequest] = field(factory=deque, init=False)
    _overflown: Counter[TotalKey] = field(factory=Counter, init=False)
    _turned_away: Counter[TurnedAwayKey] = field(factory=Counter, init=False)

    def add(self, refused: DeniedRequest) -> None:
        """Take a refusal; it waits for nobody but others who do the same."""
        with self._lock:
            match refused:
                case RefusedRequest():
                    self._hold(refused)
                case TurnedAway(key_id=str(key_id)):
                    # Counted by its key, and never kept: an old key fills no disk.
                    self._overflown[day(refused.at), refused.route_id, key_id, refused.code] += 1
                case TurnedAway():
                    self._turned_away[day(refused.at), refused.route_id, refused.code] += 1
                case _:
                    assert_never(refused)
        if not self.arrived.is_set():  # PERF: 0.04 µs instead of 2
            self.arrived.set()

    def _hold(self, call: RefusedRequest) -> None:
        if len(self._calls) < self.limit:
            self._calls.append(call)
        else:
            self._overflown[total_of(call)] += 1
            self.on_drop()

    def count(self) -> int:
        """Return how many refusals are not written yet."""
        with self._lock:
            return len(self._calls) + self._overflown.total() + self._turned_away.total()

    def batch(self) -> RefusalBatch:
        """Return all that waits; it goes on waiting until it is written."""
        with self._lock:
            return RefusalBatch(
                calls=tuple(self._calls),
                overflown=Counter(self._overflown),
                turned_away=Counter(self._turned_away),
            )

    def written(self, batch: RefusalBatch) -> None:
        """Forget a batch, the last that was given out."""
        with self._lock:
            for _ in batch.calls:
                self._calls.popleft()
            self._overflown -= batch.overflown
            self._turned_away -= batch.turned_away


def total_of(call: RefusedRequest) -> TotalKey:
    """Return which total counts a call."""
    return day(call.at), call.route_id, call.key_id, call.code


def day(at: Timestamp) -> Timestamp:
    """Return the first moment of a moment's day."""
    return at - at % DAY
