"""Any events, with the stretches between them, lead to the root of the whole."""

from __future__ import annotations

from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from adapters.audit.pack.verifier.tree import Tree
from domain.tlog.compact_range import root_of
from domain.tlog.omitted_ranges import OmittedEvents, OmittedRange
from tests.core.examples import EXAMPLES

LEAVES = [sha256(bytes([number])).digest() for number in range(70)]


@EXAMPLES
@given(kept=st.sets(st.integers(1, 70)), size=st.integers(1, 70))
def test_what_is_kept_and_the_stretches_between_lead_to_the_root(kept: set[int], size: int) -> None:
    tree, gap = Tree(), OmittedEvents()
    for position in range(1, size + 1):
        if position in kept:
            add(tree, gap.ranges())
            gap = OmittedEvents()
            tree.add(0, LEAVES[position - 1])
        else:
            gap.add(position, LEAVES[position - 1])
    add(tree, gap.ranges())
    assert (tree.size, tree.root()) == (size, root_of(LEAVES[:size]))


def add(tree: Tree, stretches: tuple[OmittedRange, ...]) -> None:
    for one in stretches:
        assert tree.size + 1 == one.first
        tree.add((one.last - one.first + 1).bit_length() - 1, one.hash)


def test_a_gap_is_as_few_stretches_as_there_can_be() -> None:
    gap = OmittedEvents()
    for position in range(4, 39):
        gap.add(position, LEAVES[position - 1])
    bounds = [(one.first, one.last) for one in gap.ranges()]
    assert bounds == [(4, 4), (5, 8), (9, 16), (17, 32), (33, 36), (37, 38)]
    assert OmittedEvents().ranges() == ()
