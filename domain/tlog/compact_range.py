"""The Merkle tree of RFC 9162 §2.1 with SHA-256: hashes, and the tree that grows leaf by leaf.

A tree over n leaves splits at the largest power of two below n. It is therefore made of perfect
subtrees, whose hashes never change again however many leaves follow. `CompactRange` is the list of
those that a tree is made of, at most one a level: all that is needed to add a leaf and to know
the root.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Final

from attrs import Factory, define

EMPTY_ROOT: Final = sha256(b"").digest()
"""The root of the tree without leaves."""

HASH_BYTES: Final = 32


def leaf_hash(leaf: bytes) -> bytes:
    """Return the hash of a leaf."""
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of the node over two subtrees."""
    return sha256(b"\x01" + left + right).digest()


@define
class CompactRange:
    """A tree that grows: its size, and the hashes of the perfect subtrees that it is made of.

    They stand from the largest on the left to the smallest on the right, one for each bit of
    `size` that is set.
    """

    size: int = 0
    hashes: list[bytes] = Factory(list)

    def add(self, hashed: bytes) -> None:
        """Add the hash of a leaf on the right."""
        size, hashes = self.size, self.hashes
        # PERF: one node a leaf on average; a function call for each would cost as much as the hash.
        while size & 1:
            hashed = sha256(b"\x01" + hashes.pop() + hashed).digest()
            size >>= 1
        hashes.append(hashed)
        self.size += 1

    def root(self) -> bytes:
        """Return the root of the tree as it is."""
        return range_root(self.hashes)


def range_root(hashes: Iterable[bytes]) -> bytes:
    """Return the root over perfect subtrees, the largest first, each smaller than the one before.

    It is `EMPTY_ROOT` for none.
    """
    root: bytes | None = None
    for hashed in reversed(tuple(hashes)):
        root = hashed if root is None else node_hash(hashed, root)
    return EMPTY_ROOT if root is None else root


def split(size: int) -> int:
    """Return how many of `size` leaves are left of the root: the largest power of two below it."""
    return 1 << ((size - 1).bit_length() - 1)


def decompose(start: int, stop: int) -> Iterator[tuple[int, int]]:
    """Return the perfect subtrees over the leaves from `start` up to `stop`, from left to right.

    Each is its level (it has 2**level leaves) and its number in that level, counted from 0.
    `start` is a place where a subtree of a tree begins: a multiple of every size that follows.
    """
    while start < stop:
        level = (stop - start).bit_length() - 1
        yield level, start >> level
        start += 1 << level
