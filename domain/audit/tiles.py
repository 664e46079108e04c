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
from domain.audit.merkle import Frontier, root_of

LEVEL: Final = 8
TILE: Final = 1 << LEVEL
"""The leaves of a tile."""

LeafHashes: TypeAlias = Callable[[int, int], Sequence[bytes]]
"""Returns the hashes of the leaves from an index up to another one."""


@frozen
class TiledTree:
    """A tree by its tiles' roots, and by the leaves where single ones are wanted.

    It knows `len(tiles) * 256` leaves by their tiles, and asks for those of other trees.
    """

    tiles: Sequence[bytes]
    leaf_hashes: LeafHashes
    subtree: Callable[[int, int], bytes] = field(init=False)
    """Returns the hash of a perfect subtree by its level and its number, each computed once."""

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "subtree", cache(self._subtree))

    def root(self, size: int) -> bytes:
        """Return the root over the first `size` leaves."""
        return range_hash(0, size, self.subtree)

    def _subtree(self, level: int, number: int) -> bytes:
        first, stop = number << level, (number + 1) << level
        if level >= LEVEL and stop >> LEVEL <= len(self.tiles):
            return root_of(self.tiles[first >> LEVEL : stop >> LEVEL])
        return root_of(self.leaf_hashes(first, stop))


def tile_roots(leaf_hashes: Iterable[bytes]) -> Iterator[bytes]:
    """Return the root of each tile that some leaves fill, from a tile's beginning on."""
    tree = Frontier()
    for hashed in leaf_hashes:
        tree.add(hashed)
        if tree.size == TILE:
            yield tree.root()
            tree = Frontier()
