"""Time as a line: even where things happen, and with the long silences between them shortened.

A flow often does ten things in a second and then waits for three days. On an even line all ten
would be one dot. So a silence that is much longer than what is usual is drawn shorter, and marked
as a break that says how long it was.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate, pairwise
from typing import Final

from attrs import frozen

from domain.flow.values import Timestamp

_LONGEST: Final = 12
"""How many usual silences the longest that is drawn in full may take."""


@frozen
class Break:
    """A silence that is drawn shorter than it was: its middle, 0 to 1, and its milliseconds."""

    place: float
    milliseconds: int


@frozen(kw_only=True)
class Scale:
    """Places on a line from 0 to 1, for the moments from the first to the last."""

    moments: tuple[Timestamp, ...]
    lengths: tuple[float, ...]
    """What is drawn up to each moment, from 0."""

    breaks: tuple[Break, ...]

    def place(self, at: Timestamp) -> float:
        """Return the place of a moment; what lies outside is drawn at the nearer end."""
        after = bisect_right(self.moments, at)
        if after == 0:
            return 0.0
        if after == len(self.moments):
            return 1.0 if after > 1 else 0.0
        left, right = self.moments[after - 1], self.moments[after]
        low, high = self.lengths[after - 1], self.lengths[after]
        return (low + (high - low) * (at - left) / (right - left)) / self.lengths[-1]


def scale(moments: Iterable[Timestamp]) -> Scale:
    """Return the scale on which some moments, of which there is at least one, are distinct."""
    given = tuple(sorted(set(moments)))
    silences = [right - left for left, right in pairwise(given)]
    if not silences:
        return Scale(moments=given, lengths=(0.0,), breaks=())
    usual = sorted(silences)[(len(silences) - 1) // 2]
    drawn = [float(min(silence, _LONGEST * usual)) for silence in silences]
    lengths = tuple(accumulate(drawn, initial=0.0))
    middles = [(low + high) / 2 / lengths[-1] for low, high in pairwise(lengths)]
    return Scale(
        moments=given,
        lengths=lengths,
        breaks=tuple(
            Break(middle, silence)
            for middle, silence, length in zip(middles, silences, drawn, strict=True)
            if silence > length
        ),
    )
