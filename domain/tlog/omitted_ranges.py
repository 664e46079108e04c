"""The ranges of a log that a proof leaves out, as the hashes of the largest whole subtrees.

Chosen events and the ranges between them are, from left to right, all that the root over the
log is made of (RFC 9162 §2.1.1). One proof thus serves for any choice of events: for
all of them it is empty, for a range it has O(log n) hashes, for k single events O(k log n).
"""

from __future__ import annotations

from attrs import Factory, define, frozen

from domain.tlog.compact_range import node_hash


@frozen
class OmittedRange:
    """The events from one position to another, both included, as the hash of their subtree.

    Their number is a power of two, and the subtree one of the tree over the whole log.
    """

    first: int
    last: int
    hash: bytes


@define
class OmittedEvents:
    """A run of events that are left out, one after the other; at first none."""

    last: int = 0
    parts: list[tuple[int, bytes]] = Factory(list)
    """Whole subtrees from left to right: each one's level, and its hash."""

    def add(self, position: int, hashed: bytes) -> None:
        """Leave out the event at a position, which follows on the one before it in the run."""
        self.last, level, number = position, 0, position - 1
        while number & 1 and self.parts and self.parts[-1][0] == level:
            hashed = node_hash(self.parts.pop()[1], hashed)
            level, number = level + 1, number >> 1
        self.parts.append((level, hashed))

    def ranges(self) -> tuple[OmittedRange, ...]:
        """Return the run as ranges, from left to right."""
        found, last = [], self.last
        for level, hashed in reversed(self.parts):
            found.append(OmittedRange(last - (1 << level) + 1, last, hashed))
            last -= 1 << level
        return tuple(reversed(found))
