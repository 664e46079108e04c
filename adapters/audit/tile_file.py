"""The roots of a log's tiles, in a file beside its checkpoints: a cache that nobody trusts.

Its name is that of the checkpoints file with `.tiles` behind it; it holds the roots one after the
other, 32 bytes each, and may be deleted at any time. Whoever uses it compares a root that it
leads to with one that was signed, and computes the tiles again from the events if they differ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, TypeAlias

from domain.audit.checkpoints import Checkpoint, Unprovable
from domain.audit.evidence import Evidence
from domain.audit.leaves import entry_hash
from domain.audit.merkle import HASH_BYTES
from domain.audit.tiles import LEVEL, LeafHashes, TiledTree, tile_roots

Progress: TypeAlias = Callable[[int, int], None]
"""Is told how many events are done, of how many."""

_OFTEN: Final = 10_000


def tiles_path(checkpoints: Path) -> Path:
    """Return where the tiles of a checkpoints file are."""
    return checkpoints.with_name(f"{checkpoints.name}.tiles")


def read_tiles(path: Path) -> list[bytes]:
    """Return the roots that a file holds; none if there is no such file."""
    try:
        data = path.read_bytes()
    except OSError:
        return []
    whole = len(data) - len(data) % HASH_BYTES
    return [data[start : start + HASH_BYTES] for start in range(0, whole, HASH_BYTES)]


def write_tiles(path: Path, tiles: Sequence[bytes]) -> None:
    """Put some roots in the place of those that a file holds.

    Raises:
        OSError: if the disk does not take them.
    """
    passing = path.with_name(f"{path.name}.new")
    passing.write_bytes(b"".join(tiles))
    passing.replace(path)


def tree_over(
    evidence: Evidence,
    size: int,
    *,
    trusted: Checkpoint | None,
    cached: Sequence[bytes],
    progress: Progress,
) -> TiledTree:
    """Return the tree over the first `size` events of a log.

    Cached tiles are taken as far as they lead to the root of a trusted checkpoint; all others are
    computed from the events.

    Raises:
        Unprovable: if the log has fewer events, or a gap.
    """
    leaf_hashes = _leaf_hashes(evidence)
    known = [] if trusted is None or trusted.size > size else cached[: trusted.size >> LEVEL]
    tree = TiledTree(size, known, leaf_hashes)
    if trusted is None or len(known) < trusted.size >> LEVEL or not _leads_to(tree, trusted):
        known = []
    if known and len(known) == size >> LEVEL:
        return tree
    hashes = _hashes(evidence, len(known) << LEVEL, size, progress)
    return TiledTree(size, [*known, *tile_roots(hashes)], leaf_hashes)


def _leads_to(tree: TiledTree, trusted: Checkpoint) -> bool:
    return trusted.size <= tree.size and tree.root(trusted.size) == trusted.root


def _leaf_hashes(evidence: Evidence) -> LeafHashes:
    return lambda start, stop: list(_hashes(evidence, start, stop, lambda _done, _all: None))


def _hashes(evidence: Evidence, start: int, stop: int, progress: Progress) -> Iterator[bytes]:
    """Return the hashes of the leaves from an index up to another, from the events themselves."""
    position = start
    for entry in evidence.entries(start + 1, stop):
        position += 1
        if entry.position != position:
            raise _missing(position)
        if not position % _OFTEN:
            progress(position, stop)
        yield entry_hash(entry)
    if position != stop:
        raise _missing(position + 1)


def _missing(position: int) -> Unprovable:
    return Unprovable(f"the log has no event at position {position}: see taskflow audit verify")
