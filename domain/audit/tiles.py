"""The tree over a large log, known by the roots of its tiles: proofs without folding the whole.

A tile is a perfect subtree of 256 leaves. Its root never changes again, so a log of a million
events is known by 3,906 of them, and a proof needs the events of two tiles. Where the roots are
kept is a cache that nobody trusts: what is computed with it is compared with a signed root.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from typing import Final, TypeAlias

from attrs import field, frozen

from domain.audit.inclusion import range_hash
from domain.audit.merkle import Frontier, node_hash

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
    subtree: Callable[[int, int], bytes] = field(init=False)
    """Returns the hash of a perfect subtree by its level and its number, each computed once."""
    _tile: Callable[[int], Sequence[bytes]] = field(init=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "subtree", cache(self._subtree))
        object.__setattr__(self, "_tile", cache(self._leaves))

    def root(self, size: int) -> bytes:
        """Return the root over the first `size` leaves."""
        return range_hash(0, size, self.subtree)

    def _subtree(self, level: int, number: int) -> bytes:
        if level == LEVEL and number < len(self.tiles):
            return self.tiles[number]
        if level == 0:
            return self._tile(number >> LEVEL)[number % TILE]
        left = self.subtree(level - 1, 2 * number)
        return node_hash(left, self.subtree(level - 1, 2 * number + 1))

    def _leaves(self, tile: int) -> Sequence[bytes]:
        return self.leaf_hashes(tile << LEVEL, min(self.size, (tile + 1) << LEVEL))


def tile_roots(leaf_hashes: Iterable[bytes]) -> Iterator[bytes]:
    """Return the root of each tile that some leaves fill, from a tile's beginning on."""
    tree = Frontier()
    for hashed in leaf_hashes:
        tree.add(hashed)
        if tree.size == TILE:
            yield tree.root()
            tree = Frontier()
