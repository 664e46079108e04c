"""Proof that a tree has a leaf at a place: the audit path of RFC 9162 §2.1.3."""

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
    """Return the audit path of a leaf in the tree over the first `size` leaves, lowest node first.

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


def root_from_path(hashed: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """Return the root of the tree in which a leaf has an audit path; None if it cannot be one.

    RFC 9162 §2.1.3.2, where `hashed` is the leaf's hash and `size` the tree's.
    """
    if not 0 <= index < size:
        return None
    place, last, root = index, size - 1, hashed
    for beside in path:
        if last == 0:
            return None
        if place & 1 or place == last:
            root = node_hash(beside, root)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            root = node_hash(root, beside)
        place, last = place >> 1, last >> 1
    return root if last == 0 else None


def is_included(
    hashed: bytes, index: int, size: int, *, path: Sequence[bytes], root: bytes
) -> bool:
    """Say whether an audit path proves that the tree with this root has this leaf at this place."""
    return root_from_path(hashed, index, size, path) == root
