"""The whole log folded once: its root, and its roots at the sizes that checkpoints speak of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from attrs import frozen

from domain.audit.evidence import Entry
from domain.audit.leaves import entry_hash
from domain.audit.merkle import Frontier

_OFTEN: Final = 10_000


@frozen(kw_only=True)
class Measured:
    """A log as it was read: how many events, the root over them, and over the first n of them.

    `gap` is the first event that does not stand where the one before it says. The fold goes on
    after it, so that what comes behind is compared too.
    """

    size: int
    root: bytes
    roots: Mapping[int, bytes]
    gap: Entry | None


def measured(
    entries: Iterable[Entry],
    sizes: Iterable[int] = (),
    progress: Callable[[int], None] = lambda _done: None,
) -> Measured:
    """Fold the events of a log, in order, in memory that does not grow with them.

    Args:
        entries: the events from the first on.
        sizes: after how many events the root is wanted; those beyond the log get none.
        progress: is told of how many events are done, every now and then.
    """
    tree, roots, gap = Frontier(), {}, None
    wanted = frozenset(sizes)
    if 0 in wanted:
        roots[0] = tree.root()
    for count, entry in enumerate(entries, 1):
        tree.add(entry_hash(entry))
        if entry.position != count and gap is None:
            gap = entry
        if count in wanted:
            roots[count] = tree.root()
        if not count % _OFTEN:
            progress(count)
    return Measured(size=tree.size, root=tree.root(), roots=roots, gap=gap)
