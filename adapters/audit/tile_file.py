"""The roots of a log's tiles, in a file beside its checkpoints: a cache that nobody trusts.

Its name is that of the checkpoints file with `.tiles` behind it; it holds the roots one after the
other, 32 bytes each, and may be deleted at any time. A root that it
leads to is compared with one that was signed; if they differ, the tiles are computed again from the
events. A log's first tile never changes: a file that begins otherwise is not ours, and stays.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Final

from domain.application.ports import Progress
from domain.history.audit_log import AuditLog
from domain.tlog.checkpoints import Checkpoint, Unprovable
from domain.tlog.compact_range import HASH_BYTES
from domain.tlog.leaves import entry_hash
from domain.tlog.tiles import LEVEL, LeafHashes, TiledTree, tile_roots

TILES: Final = ".tiles"
"""What the name of a file of tiles ends in."""

_OFTEN: Final = 10_000


def tiles_path(checkpoints: Path) -> Path:
    """Return where the tiles of a checkpoints file are."""
    return Path(f"{checkpoints}{TILES}")


def read_tiles(checkpoints: Path) -> list[bytes]:
    """Return the roots that stand beside a checkpoints file; none if there is no such file."""
    path = tiles_path(checkpoints)
    try:
        data = path.read_bytes() if path.is_file() else b""
    except OSError:
        return []
    whole = len(data) - len(data) % HASH_BYTES
    return [data[start : start + HASH_BYTES] for start in range(0, whole, HASH_BYTES)]


def write_tiles(path: Path, tiles: Sequence[bytes]) -> bool:
    """Put some roots in the place of those of the same log; say no if the file holds anything else.

    Raises:
        OSError: if the disk does not take them.
    """
    if not tiles:
        return True
    target = Path(os.path.realpath(path))  # a link stays one
    if not _is_ours(target, tiles):
        return False
    with NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False) as file:
        written = Path(file.name)
        try:
            file.write(b"".join(tiles))
            file.flush()
            written.replace(target)
        finally:
            written.unlink(missing_ok=True)
    return True


def _is_ours(path: Path, tiles: Sequence[bytes]) -> bool:
    """Say whether there is no file, an empty one, or one that begins with the first root."""
    if not os.path.lexists(path):
        return True
    if not path.is_file():
        return False
    with path.open("rb") as file:
        first = file.read(HASH_BYTES)
    return tiles[0].startswith(first)


def tree_over(
    audit_log: AuditLog,
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
    leaf_hashes = _leaf_hashes(audit_log)
    known = [] if trusted is None or trusted.size > size else cached[: trusted.size >> LEVEL]
    tree = TiledTree(size, known, leaf_hashes)
    if trusted is None or len(known) < trusted.size >> LEVEL or not _leads_to(tree, trusted):
        known = []
    if known and len(known) == size >> LEVEL:
        return tree
    hashes = _hashes(audit_log, len(known) << LEVEL, size, progress)
    return TiledTree(size, [*known, *tile_roots(hashes)], leaf_hashes)


def _leads_to(tree: TiledTree, trusted: Checkpoint) -> bool:
    return trusted.size <= tree.size and tree.root(trusted.size) == trusted.root


def _leaf_hashes(audit_log: AuditLog) -> LeafHashes:
    return lambda start, stop: list(_hashes(audit_log, start, stop, lambda _done, _all: None))


def _hashes(audit_log: AuditLog, start: int, stop: int, progress: Progress) -> Iterator[bytes]:
    """Return the hashes of the leaves from an index up to another, from the events themselves."""
    position = start
    for entry in audit_log.entries(start + 1, stop):
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
