"""How often an address may present wrong credentials: ten times a minute, then it must wait."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Final

from attrs import define, field

MOST: Final = 10
WINDOW_SECONDS: Final = 60.0
TRACKED: Final = 1024
"""Addresses that are remembered; the one that failed first is forgotten first."""


@define
class _Window:
    start: float
    count: int = 0


@define
class FailedAttempts:
    """Counts the failures of each address in fixed windows, each begun by its first failure."""

    clock: Callable[[], float]
    _windows: OrderedDict[str, _Window] = field(factory=OrderedDict, init=False)
    _lock: Lock = field(factory=Lock, init=False, eq=False)

    def wait(self, address: str) -> int:
        """Return the whole seconds until an address may try again, 0 if it may now."""
        now = self.clock()
        with self._lock:
            window = self._windows.get(address)
            if window is None or window.count < MOST:
                return 0
            return max(0, math.ceil(window.start + WINDOW_SECONDS - now))

    def count(self, address: str) -> None:
        """Count a failure."""
        now = self.clock()
        with self._lock:
            window = self._windows.get(address)
            if window is None or now - window.start >= WINDOW_SECONDS:
                window = self._begin(address, now)
            window.count += 1

    def _begin(self, address: str, now: float) -> _Window:
        self._windows.pop(address, None)
        if len(self._windows) >= TRACKED:
            self._windows.popitem(last=False)
        window = self._windows[address] = _Window(now)
        return window
