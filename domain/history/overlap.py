"""Two logs of which one should continue the other: how far they are the same."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import frozen

from domain.history.audit_log import LogEntry


@frozen(kw_only=True)
class Overlap:
    """How a log that is to take the place of another relates to it.

    `common` events, the first ones, are the same in both. Of the old log `lost` events come after
    them, `lost_flows` of them creations.
    """

    common: int
    lost: int
    lost_flows: int
    gained: int

    @property
    def is_continued(self) -> bool:
        """Whether the new log has all that the old one has."""
        return self.lost == 0

    @property
    def is_cut(self) -> bool:
        """Whether the old log has all that the new one has, and more."""
        return self.lost > 0 and self.gained == 0 and self.common > 0


def overlap(old: Iterable[LogEntry], new: Iterable[LogEntry]) -> Overlap:
    """Compare a log with the one that is to take its place, event by event."""
    olds, news = iter(old), iter(new)
    common = 0
    before, after = next(olds, None), next(news, None)
    while before is not None and before == after:
        common += 1
        before, after = next(olds, None), next(news, None)
    lost = lost_flows = 0
    while before is not None:
        lost, lost_flows = lost + 1, lost_flows + (before.version == 1)
        before = next(olds, None)
    gained = (after is not None) + sum(1 for _ in news)
    return Overlap(common=common, lost=lost, lost_flows=lost_flows, gained=gained)
