"""The tree of a whole log, built once: its root, and its roots at the sizes of checkpoints."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from attrs import frozen

from domain.history.audit_log import LogEntry
from domain.tlog.compact_range import CompactRange, range_root
from domain.tlog.leaves import entry_hash
from domain.tlog.tiles import TILE

_OFTEN: Final = 10_000


@frozen(kw_only=True)
class Prefix:
    """The first events of a log: their root, and the subtrees behind the last whole tile."""

    root: bytes
    rest: tuple[bytes, ...]


@frozen(kw_only=True)
class RebuiltTree:
    """A log as it was read: how many events, the root over them, and over the first n of them.

    `tiles` are the roots of its tiles. `gap` is the first event that does not stand where the one
    before it says; the fold goes on after it, so that what comes behind is compared too.
    """

    size: int
    root: bytes
    prefixes: Mapping[int, Prefix]
    tiles: Sequence[bytes]
    gap: LogEntry | None


def rebuild_tree(
    entries: Iterable[LogEntry],
    sizes: Iterable[int] = (),
    progress: Callable[[int], object] = lambda _done: None,
) -> RebuiltTree:
    """Fold the events of a log, in order, in 32 bytes for each 256 of them.

    Args:
        entries: the events from the first on.
        sizes: after how many events the root is wanted; those beyond the log get none.
        progress: is called with the number of events done, every now and then.
    """
    tiles: list[bytes] = []
    over_tiles, within, gap, count = CompactRange(), CompactRange(), None, 0
    wanted, prefixes = frozenset(sizes), {}

    def prefix() -> Prefix:
        rest = tuple(within.hashes)
        return Prefix(root=range_root([*over_tiles.hashes, *rest]), rest=rest)

    if 0 in wanted:
        prefixes[0] = prefix()
    for count, entry in enumerate(entries, 1):
        within.add(entry_hash(entry))
        if not count % TILE:
            tiles.append(within.root())
            over_tiles.add(tiles[-1])
            within = CompactRange()
        if entry.position != count and gap is None:
            gap = entry
        if count in wanted:
            prefixes[count] = prefix()
        if not count % _OFTEN:
            progress(count)
    return RebuiltTree(size=count, root=prefix().root, prefixes=prefixes, tiles=tiles, gap=gap)
