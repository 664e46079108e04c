"""For how long this gateway has listened, by a clock that no one can set.

A child task is stale when it gave no news for a while *in which its news could have come in*. The
gateway looks at its clocks at a steady beat. Each interval between two looks counts as one beat of
listening, however long it was; one that was longer than it should be does not count at all, as the
process or its host may have stood still. A long interruption, a step of the wall clock and a start
begin a new period.

What is stored of a child is wall time, so the looks keep it: news that came within the counted
looks is never stamped before the lowest wall time between them, whichever way the wall clock went.
"""

from __future__ import annotations

from math import ceil
from typing import Final

from attrs import evolve as replace
from attrs import frozen

from domain.flow.values import Timestamp

FEWEST_BEATS: Final = 5
"""Into so many beats a period is divided at least: a short stop costs a child no more than one."""

MOST_BEATS: Final = 10_000
"""So many looks are remembered at most."""

JITTER: Final = 100
"""Milliseconds by which a thread may wake late on a busy machine without having been stopped."""


@frozen(kw_only=True)
class ClockReading:
    """Both clocks at one moment, in milliseconds; the monotonic one counts from anywhere."""

    wall: Timestamp
    monotonic: int


@frozen
class ListeningPace:
    """How often a gateway looks at its clocks, and after how many looks a child is stale.

    All in milliseconds; `sweep_every` is how often it looks for stale children.
    """

    stale_after: int
    sweep_every: int

    @property
    def looks_per_sweep(self) -> int:
        """How many looks are taken for each sweep."""
        return max(1, ceil(FEWEST_BEATS * self.sweep_every / self.stale_after))

    @property
    def beat(self) -> int:
        """The time from one look to the next."""
        return max(1, self.sweep_every // self.looks_per_sweep, self.stale_after // MOST_BEATS)

    @property
    def beats(self) -> int:
        """How many beats make up the time after which a child is stale."""
        return ceil(self.stale_after / self.beat)

    @property
    def delay(self) -> int:
        """By how much a look may come late and still count."""
        return max(self.beat // 2, JITTER)

    @property
    def interruption(self) -> int:
        """By how much a look may come late, or the clocks differ, within one period."""
        return max(self.stale_after // 2, 2 * JITTER)


@frozen
class CountedLook:
    """A look that counts: when, and the lowest wall time that can have been since the last."""

    monotonic: int
    lowest: Timestamp


@frozen
class ListeningPeriod:
    """A time in which the gateway listened, as the looks that count, oldest first.

    `began` is the wall time of its beginning, `last` the last look, whether it counts or not.
    """

    pace: ListeningPace
    began: Timestamp
    last: ClockReading
    looks: tuple[CountedLook, ...]

    @classmethod
    def begin(cls, pace: ListeningPace, reading: ClockReading) -> ListeningPeriod:
        """Return a period that begins with a reading of the clocks."""
        return cls(pace, reading.wall, reading, (CountedLook(reading.monotonic, reading.wall),))

    def look(self, reading: ClockReading) -> ListeningPeriod:
        """Return the period after a look: this one or, if it was interrupted, a new one.

        A look that comes too early is none.
        """
        pace = self.pace
        passed = reading.monotonic - self.last.monotonic
        if passed < pace.beat:
            return self
        late = passed - pace.beat
        step = abs(reading.wall - self.last.wall - passed)
        if max(late, step) > pace.interruption:
            return ListeningPeriod.begin(pace, reading)
        # NOTE: a clock that was set back since the last look has gone on from there.
        lowest = min(self.last.wall, reading.wall - passed)
        if late > pace.delay:
            moved = CountedLook(reading.monotonic, min(self.looks[-1].lowest, lowest))
            return replace(self, last=reading, looks=(*self.looks[:-1], moved))
        looks = (*self.looks, CountedLook(reading.monotonic, lowest))
        return replace(self, last=reading, looks=looks[-pace.beats - 1 :])

    @property
    def stale_before(self) -> Timestamp | None:
        """The wall time up to which news is stale; None if the period is too young for any."""
        return min(look.lowest for look in self.looks[1:]) if self._is_full else None

    def is_stale(self, monotonic: int) -> bool:
        """Say whether what was seen at a moment of the monotonic clock is stale by now."""
        return self._is_full and monotonic <= self.looks[0].monotonic

    @property
    def _is_full(self) -> bool:
        return len(self.looks) > self.pace.beats
