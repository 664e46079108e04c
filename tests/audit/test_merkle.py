from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.tlog.compact_range import EMPTY_ROOT, CompactRange, leaf_hash, node_hash, root_of
from domain.tlog.consistency import consistency_proof, is_consistent
from domain.tlog.inclusion import Subtrees, inclusion_proof, is_included
from tests.audit import rfc9162
from tests.audit.published import CONSISTENCY, LEAVES, PATHS, ROOTS

MOST = 70
ALL = tuple(bytes([number]) for number in range(MOST))
SIZES = st.integers(1, MOST)


def hashes(leaves: Sequence[bytes]) -> list[bytes]:
    return [leaf_hash(leaf) for leaf in leaves]


def subtrees(leaves: Sequence[bytes]) -> Subtrees:
    def subtree(level: int, number: int) -> bytes:
        first, count = number << level, 1 << level
        assert first + count <= len(leaves)
        return rfc9162.mth(leaves[first : first + count])

    return subtree


@st.composite
def two_sizes(draw: st.DrawFn) -> tuple[int, int]:
    new = draw(SIZES)
    return draw(st.integers(1, new)), new


@pytest.mark.parametrize("size", range(len(ROOTS)))
def test_roots_are_the_published_ones(size: int) -> None:
    assert root_of(hashes(LEAVES[:size])).hex() == ROOTS[size]


@pytest.mark.parametrize(("index", "size", "path"), PATHS)
def test_audit_paths_are_the_published_ones(index: int, size: int, path: Sequence[str]) -> None:
    made = inclusion_proof(index, size, subtrees(LEAVES[:size]))
    assert tuple(node.hex() for node in made) == tuple(path)
    hashed, root = leaf_hash(LEAVES[index]), bytes.fromhex(ROOTS[size])
    assert is_included(hashed, index, size, proof=made, root=root)


@pytest.mark.parametrize(("old", "new", "path"), CONSISTENCY)
def test_consistency_proofs_are_the_published_ones(old: int, new: int, path: Sequence[str]) -> None:
    made = consistency_proof(old, new, subtrees(LEAVES[:new]))
    assert tuple(node.hex() for node in made) == tuple(path)
    roots = bytes.fromhex(ROOTS[old]), bytes.fromhex(ROOTS[new])
    assert is_consistent(old, new, proof=made, old_root=roots[0], new_root=roots[1])


def test_a_tree_that_grows_has_the_root_of_the_definition_at_every_size() -> None:
    tree = CompactRange()
    assert tree.root() == EMPTY_ROOT == rfc9162.mth(())
    for size, leaf in enumerate(ALL, 1):
        tree.add(leaf_hash(leaf))
        assert (tree.size, tree.root()) == (size, rfc9162.mth(ALL[:size]))
        assert len(tree.hashes) == size.bit_count()


def test_every_audit_path_is_that_of_the_definition() -> None:
    for size in range(1, 34):
        for index in range(size):
            leaves = ALL[:size]
            path = inclusion_proof(index, size, subtrees(leaves))
            assert list(path) == rfc9162.path(index, leaves)
            root = rfc9162.mth(leaves)
            assert is_included(leaf_hash(leaves[index]), index, size, proof=path, root=root)


def test_every_consistency_proof_is_that_of_the_definition() -> None:
    for new in range(1, 34):
        for old in range(1, new + 1):
            leaves = ALL[:new]
            path = consistency_proof(old, new, subtrees(leaves))
            assert list(path) == rfc9162.proof(old, leaves)
            roots = rfc9162.mth(leaves[:old]), rfc9162.mth(leaves)
            assert is_consistent(old, new, proof=path, old_root=roots[0], new_root=roots[1])


@given(two_sizes(), st.data())
def test_an_audit_path_proves_one_leaf_at_one_place_of_one_tree(
    sizes: tuple[int, int], data: st.DataObject
) -> None:
    index, size = sizes[0] - 1, sizes[1]
    path = inclusion_proof(index, size, subtrees(ALL[:size]))
    hashed, root = leaf_hash(ALL[index]), rfc9162.mth(ALL[:size])
    place = data.draw(st.integers(0, MOST))
    if place != index:
        assert not is_included(hashed, place, size, proof=path, root=root)
    assert not is_included(leaf_hash(b"other"), index, size, proof=path, root=root)
    assert not is_included(hashed, index, size, proof=path, root=leaf_hash(root))
    assert not is_included(hashed, index, size, proof=_changed(path, data), root=root)
    assert not is_included(hashed, index, size, proof=(*path, root), root=root)
    assert not is_included(hashed, index, size, proof=path[1:] if path else (root,), root=root)


@given(two_sizes(), st.data())
def test_a_consistency_proof_proves_two_trees_and_no_others(
    sizes: tuple[int, int], data: st.DataObject
) -> None:
    old, new = sizes
    path = consistency_proof(old, new, subtrees(ALL[:new]))
    roots = {"old_root": rfc9162.mth(ALL[:old]), "new_root": rfc9162.mth(ALL[:new])}
    for root in roots:
        assert not is_consistent(old, new, proof=path, **{**roots, root: leaf_hash(b"other")})
    assert not is_consistent(old, new, proof=_changed(path, data), **roots)
    assert not is_consistent(old, new, proof=(*path, roots["new_root"]), **roots)
    if old < new:
        assert not is_consistent(old, new, proof=path[1:], **roots)
        assert not is_consistent(new, old, proof=path, **roots)


def test_a_path_of_another_length_than_the_trees_height_proves_nothing() -> None:
    leaf, other = leaf_hash(b"leaf"), leaf_hash(b"other")
    assert is_included(leaf, 0, 2, proof=[other], root=node_hash(leaf, other))
    assert not is_included(leaf, 0, 3, proof=[other], root=node_hash(leaf, other))
    assert not is_included(leaf, 0, 1, proof=[other], root=node_hash(other, leaf))


def test_a_consistency_proof_of_another_length_than_the_trees_height_proves_nothing() -> None:
    path = consistency_proof(3, 4, subtrees(ALL[:4]))
    old, new, other = rfc9162.mth(ALL[:3]), rfc9162.mth(ALL[:4]), leaf_hash(b"other")
    assert is_consistent(3, 4, proof=path, old_root=old, new_root=new)
    assert not is_consistent(3, 5, proof=path, old_root=old, new_root=new)
    roots = {"old_root": node_hash(other, old), "new_root": node_hash(other, new)}
    assert not is_consistent(3, 4, proof=(*path, other), **roots)


def _changed(path: tuple[bytes, ...], data: st.DataObject) -> tuple[bytes, ...]:
    """Return a path with one node changed, or with one too many."""
    if not path:
        return (EMPTY_ROOT,)
    place = data.draw(st.integers(0, len(path) - 1))
    return (*path[:place], leaf_hash(path[place]), *path[place + 1 :])


@pytest.mark.parametrize(("index", "size"), [(-1, 4), (4, 4), (0, 0)])
def test_there_is_no_audit_path_of_a_leaf_that_is_not_there(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="no leaf"):
        inclusion_proof(index, size, subtrees(ALL))
    assert not is_included(leaf_hash(ALL[0]), index, size, proof=(), root=leaf_hash(ALL[0]))


@pytest.mark.parametrize(("old", "new"), [(0, 4), (5, 4), (-1, 4)])
def test_there_is_no_consistency_proof_backwards_or_from_nothing(old: int, new: int) -> None:
    with pytest.raises(ValueError, match="no tree"):
        consistency_proof(old, new, subtrees(ALL))
    assert not is_consistent(old, new, proof=(), old_root=EMPTY_ROOT, new_root=EMPTY_ROOT)
