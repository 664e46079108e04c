"""Whether reads of the store take long now, so that nobody should wait for one who could not."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final, TypeVar

from attrs import define, field

from adapters.webhooks.limits import Monotonic, Seconds

T = TypeVar("T")

SLOW_SECONDS: Final = 0.25
"""NOTE: a busy machine, too, makes a read slow; only a disk or a lock takes so long."""

SLOW_FOR_SECONDS: Final = 2.0


@define
class SlowReads:
    """Takes the time of reads; one that was slow says what to expect of those that follow."""

    clock: Monotonic
    _slow_until: Seconds = field(default=-math.inf, init=False)

    def are_expected(self) -> bool:
        """Say whether the next read may be slow, since one was a moment ago."""
        return self.clock() < self._slow_until

    def timed(self, read: Callable[[], T]) -> T:
        """Take the time of a read that is short by itself; any thread may do so."""
        began = self.clock()
        try:
            return read()
        finally:
            if self.clock() - began > SLOW_SECONDS:
                self.expect()

    def expect(self) -> None:
        """Expect slow reads from now on, for a while."""
        self._slow_until = self.clock() + SLOW_FOR_SECONDS
