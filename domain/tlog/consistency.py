"""Consistency proofs, that one tree continues another: RFC 9162 §2.1.4."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from domain.tlog.compact_range import node_hash, split
from domain.tlog.inclusion import Subtrees, range_hash


def consistency_proof(old: int, new: int, subtrees: Subtrees) -> tuple[bytes, ...]:
    """Return the nodes that lead from the tree over the first `old` leaves to that over `new`.

    Raises:
        ValueError: if not 0 < old <= new: nothing is to be proven of an empty tree.
    """
    if not 0 < old <= new:
        raise ValueError(f"no tree of {new} leaves continues one of {old}")
    if old == new:
        return ()
    ranges = tuple(_nodes(old, new))
    return tuple(range_hash(start, stop, subtrees) for start, stop in reversed(ranges))


def _nodes(old: int, new: int) -> Iterator[tuple[int, int]]:
    """Return the ranges of the nodes of a proof, from the root down."""
    start, stop = 0, new
    while stop != old:
        middle = start + split(stop - start)
        if old <= middle:
            yield middle, stop
            stop = middle
        else:
            yield start, middle
            start = middle
    if start:
        yield start, stop


def is_consistent(
    old: int, new: int, *, proof: Sequence[bytes], old_root: bytes, new_root: bytes
) -> bool:
    """Say whether a proof shows that the new tree continues the old one (§2.1.4.2)."""
    if old == new:
        return not proof and old_root == new_root
    if not 0 < old < new:
        return False
    return _roots(old, new, proof, old_root) == (old_root, new_root)


def _roots(
    old: int, new: int, proof: Sequence[bytes], old_root: bytes
) -> tuple[bytes, bytes] | None:
    """Return the roots of both trees that a proof leads to; None if it cannot be one."""
    nodes = list(proof) if old & (old - 1) else [old_root, *proof]
    if not nodes:
        return None
    node, last = old - 1, new - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    before = after = nodes[0]
    for sibling in nodes[1:]:
        if last == 0:
            return None
        if node & 1 or node == last:
            before, after = node_hash(sibling, before), node_hash(sibling, after)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            after = node_hash(after, sibling)
        node, last = node >> 1, last >> 1
    return (before, after) if last == 0 else None
