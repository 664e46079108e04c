"""Inclusion proofs, that a tree has a leaf at an index: RFC 9162 §2.1.3."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from domain.tlog.compact_range import decompose, node_hash, range_root, split

Subtrees: TypeAlias = Callable[[int, int], bytes]
"""Returns the hash of a perfect subtree: of 2**level leaves, the nth in its level from 0."""


def range_hash(start: int, stop: int, subtrees: Subtrees) -> bytes:
    """Return the hash of the node over the leaves from `start` up to `stop`."""
    return range_root(subtrees(level, number) for level, number in decompose(start, stop))


def inclusion_proof(index: int, size: int, subtrees: Subtrees) -> tuple[bytes, ...]:
    """Return the inclusion proof of a leaf in the tree over the first `size`, lowest node first.

    Asks for O(log² size) subtrees.

    Raises:
        ValueError: if the tree has no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {index}")
    ranges = tuple(_siblings(index, size))
    return tuple(range_hash(start, stop, subtrees) for start, stop in reversed(ranges))


def _siblings(index: int, size: int) -> Iterator[tuple[int, int]]:
    """Return the ranges of the leaves beside a leaf's way down from the root."""
    start, stop = 0, size
    while stop - start > 1:
        middle = start + split(stop - start)
        if index < middle:
            yield middle, stop
            stop = middle
        else:
            yield start, middle
            start = middle


def is_included(
    leaf_hash: bytes, index: int, size: int, *, proof: Sequence[bytes], root: bytes
) -> bool:
    """Say whether a proof leads from a leaf of a tree of this size to its root (§2.1.3.2)."""
    if not 0 <= index < size:
        return False
    node, last, hashed = index, size - 1, leaf_hash
    for sibling in proof:
        if last == 0:
            return False
        if node & 1 or node == last:
            hashed = node_hash(sibling, hashed)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            hashed = node_hash(hashed, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and hashed == root
