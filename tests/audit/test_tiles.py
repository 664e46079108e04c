from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.tlog.compact_range import leaf_hash
from domain.tlog.inclusion import inclusion_proof
from domain.tlog.tiles import LEVEL, TILE, TiledTree, tile_roots
from tests.audit import rfc9162
from tests.audit.whole_logs import root_of

LEAVES = tuple(number.to_bytes(4) for number in range(5 * TILE + 3))
HASHES = tuple(map(leaf_hash, LEAVES))


def read(start: int, stop: int) -> Sequence[bytes]:
    assert stop - start <= TILE, "only single tiles are read again"
    return HASHES[start:stop]


def tree(size: int) -> TiledTree:
    return TiledTree(size, list(tile_roots(HASHES[:size])), read)


@pytest.mark.parametrize("size", [0, 1, TILE - 1, TILE, TILE + 1, 3 * TILE, len(LEAVES)])
def test_the_root_is_that_over_all_leaves(size: int) -> None:
    assert len(tree(size).tiles) == size >> LEVEL
    assert tree(size).root(size) == root_of(HASHES[:size]) == rfc9162.mth(LEAVES[:size])


@settings(max_examples=20, deadline=None)
@given(st.integers(1, len(LEAVES)), st.data())
def test_a_path_by_tiles_is_that_of_the_definition(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    path = inclusion_proof(index, size, tree(size).subtree)
    assert list(path) == rfc9162.path(index, LEAVES[:size])
