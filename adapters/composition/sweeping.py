"""The jobs that give up stale children, as the settings of a gateway say, and end due waits."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from typing import Final

from attrs import define, field

from adapters.composition.clock_and_ids import LOG
from adapters.logs import log_milestone
from adapters.settings import ChildrenConfig
from domain.application.due_waits import EndedWaits
from domain.application.listening import ClockReading, ListeningPace, ListeningPeriod
from domain.application.operators import Operators
from domain.application.ports import StoreUnavailable
from domain.application.sweep import Sightings

_PAUSE_SECONDS: Final = 0.002
"""What a sweep leaves to callers after each flow."""

_NEVER: Final = Event()
"""NOTE: `time.sleep` waits until a moment, which fails where a library sets the clock for tests."""


def pace_of(children: ChildrenConfig) -> ListeningPace:
    """Return how often a gateway looks at its clocks."""
    lost_after, sweep = children.lost_after_seconds, children.sweep_seconds
    return ListeningPace(stale_after=round(1000 * lost_after), sweep_every=round(1000 * sweep))


@define
class SweepJob:
    """Looks at the clocks, once a beat, and gives up stale children every so many beats."""

    system: Operators
    pace: ListeningPace
    read_clocks: Callable[[], ClockReading]
    is_listening: Callable[[], bool]
    _period: ListeningPeriod = field(init=False)
    _sightings: Sightings = field(factory=dict, init=False)
    _looks: int = field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        """Begin to listen."""
        self._begin()

    def __call__(self) -> None:
        """Look at the clocks, and sweep if it is time for that.

        Raises:
            StoreUnavailable: if the store fails; then it takes no news either.
        """
        if not self.is_listening():
            return
        self._period = self._period.look(self.read_clocks())
        self._looks += 1
        if self._looks % self.pace.looks_per_sweep == 0:
            self._sweep()

    def _begin(self) -> None:
        self._period = ListeningPeriod.begin(self.pace, self.read_clocks())

    def _goes_on(self) -> bool:
        _NEVER.wait(_PAUSE_SECONDS)
        return self.is_listening()

    def _sweep(self) -> None:
        try:
            swept, self._sightings = self.system.sweep_stale(
                self._period, self._sightings, self._goes_on
            )
        except StoreUnavailable:
            self._begin()
            raise
        if swept.lost:
            log_milestone(LOG, "swept", {"lost": swept.lost, "cancelled": swept.cancelled})


@define
class WaitJob:
    """Ends the waits that are due; it runs so often that of faults in a row only one is logged."""

    system: Operators
    is_listening: Callable[[], bool]
    log_failure: Callable[[Exception], None]
    _is_failing: bool = field(default=False, init=False)

    def __call__(self) -> None:
        """End the waits that are due now, unless the gateway stops."""
        if not self.is_listening():
            return
        ended = self.system.end_due_waits(self._goes_on)
        self._is_failing = False
        if ended != EndedWaits():
            log_milestone(LOG, "waits ended", {"resumed": ended.resumed, "failed": ended.failed})

    def log_fault(self, error: Exception) -> None:
        """Log a fault, unless the last run had one."""
        if not self._is_failing:
            self.log_failure(error)
        self._is_failing = True

    def _goes_on(self) -> bool:
        _NEVER.wait(_PAUSE_SECONDS)
        return self.is_listening()
