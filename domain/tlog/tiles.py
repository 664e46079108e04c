"""The tree over a large log, known by the roots of its tiles: proofs without folding the whole.

A tile is a perfect subtree of 256 leaves. Its root never changes again, so a log of a million
events is known by 3,906 of them, and a proof needs the events of two tiles. Where the roots are
kept is an untrusted cache: what is computed with it is compared with a signed root.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, TypeAlias

from attrs import field, frozen

from domain.tlog.compact_range import CompactRange, node_hash
from domain.tlog.inclusion import range_hash

LEVEL: Final = 8
TILE: Final = 1 << LEVEL
"""The leaves of a tile."""

LeafHashes: TypeAlias = Callable[[int, int], Sequence[bytes]]
"""Returns the hashes of the leaves from an index up to another one."""


@frozen
class TiledTree:
    """A tree of a size by its tiles' roots, and by the leaves where single ones are wanted.

    `tiles` are the first of its tiles; what they do not cover is computed from the leaves.
    """

    size: int
    tiles: Sequence[bytes]
    leaf_hashes: LeafHashes
    _nodes: dict[tuple[int, int], bytes] = field(init=False, factory=dict, repr=False, eq=False)
    _leaves: dict[int, Sequence[bytes]] = field(init=False, factory=dict, repr=False, eq=False)

    def root(self, size: int) -> bytes:
        """Return the root over the first `size` leaves."""
        return range_hash(0, size, self.subtree)

    def subtree(self, level: int, number: int) -> bytes:
        """Return the hash of a perfect subtree by its level and its number, computed once."""
        known = self._nodes.get((level, number))
        if known is None:
            known = self._nodes[level, number] = self._subtree(level, number)
        return known

    def _subtree(self, level: int, number: int) -> bytes:
        if level == LEVEL and number < len(self.tiles):
            return self.tiles[number]
        if level == 0:
            return self._tile(number >> LEVEL)[number % TILE]
        left = self.subtree(level - 1, 2 * number)
        return node_hash(left, self.subtree(level - 1, 2 * number + 1))

    def _tile(self, number: int) -> Sequence[bytes]:
        """Return the hashes of the leaves of a tile, read once."""
        if number not in self._leaves:
            stop = min(self.size, (number + 1) << LEVEL)
            self._leaves[number] = self.leaf_hashes(number << LEVEL, stop)
        return self._leaves[number]


def tile_roots(leaf_hashes: Iterable[bytes]) -> Iterator[bytes]:
    """Return the root of each tile that some leaves fill, from a tile's beginning on."""
    tree = CompactRange()
    for hashed in leaf_hashes:
        tree.add(hashed)
        if tree.size == TILE:
            yield tree.root()
            tree = CompactRange()
