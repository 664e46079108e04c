"""A clock that is set by hand."""

from __future__ import annotations

from attrs import define

from domain.flow.values import Timestamp


@define
class ControlledClock:
    """A `domain.application.ports.Clock` that is set by hand, in milliseconds."""

    now: Timestamp = 1000

    def __call__(self) -> Timestamp:
        """Return the moment that it shows."""
        return self.now

    def advance(self, milliseconds: int) -> None:
        """Let time pass."""
        self.now += milliseconds

    def step_back(self, milliseconds: int) -> None:
        """Step back, as a clock does that is set right."""
        self.now -= milliseconds
