"""Predictable ids."""

from __future__ import annotations

from itertools import count

from attrs import define, field


@define
class CountedIds:
    """A `domain.application.ports.NewId` whose ids are `<prefix>-1`, `<prefix>-2` and so on."""

    prefix: str = "id"
    _numbers: count[int] = field(factory=lambda: count(1), init=False)

    def __call__(self) -> str:
        """Return the next id."""
        return f"{self.prefix}-{next(self._numbers)}"
