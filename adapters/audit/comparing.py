"""Is a store still the one that its last checkpoint speaks of? Asked at each start, so quickly.

With the tiles beside the checkpoints a few hundred events are read, without them all that the
checkpoint covers. That each of them is what was signed is `taskflow audit verify`'s to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from attrs import frozen

from adapters.audit.checkpoint_reading import open_checkpoint, read_notes
from adapters.audit.checkpoint_text import parse_checkpoint
from adapters.audit.keys import Verifier
from adapters.audit.notes import BadNote
from adapters.audit.tile_file import read_tiles, tree_over
from adapters.presentation.printable import counted
from domain.application.ports import Progress
from domain.history.audit_log import AuditLog
from domain.tlog.checkpoints import Checkpoint, Unprovable
from domain.tlog.compact_range import root_of
from domain.tlog.leaves import entry_hash
from domain.tlog.tiles import LEVEL


@frozen(kw_only=True)
class LastComparison:
    """How a store compares with the last checkpoint: of how many events, and what is wrong."""

    size: int
    problem: str | None


def compare_with_last(
    audit_log: AuditLog, file: Path, verifiers: Sequence[Verifier], progress: Progress
) -> LastComparison | None:
    """Compare a store with the last checkpoint of a file; None if there is none.

    Without verifiers the checkpoint is taken for what it says.

    Raises:
        Unprovable: if the file cannot be read, or its last note is no checkpoint by the keys.
    """
    notes = read_notes(file).whole if file.exists() else ()
    if not notes:
        return None
    last = _checkpoint(notes[-1], file, verifiers)
    size, problem = audit_log.size(), None
    if last.size > size:
        missing = counted(last.size - size, "event")
        problem = f"{missing} of {last.size:,} are missing: it has only {size:,}"
    elif not _is_continued(audit_log, last, file, progress):
        problem = f"its first {counted(last.size, 'event')} are not those that were signed"
    return LastComparison(size=last.size, problem=problem)


def _checkpoint(note: bytes, file: Path, verifiers: Sequence[Verifier]) -> Checkpoint:
    if verifiers:
        opened = open_checkpoint(note, verifiers)
        if isinstance(opened, BadNote):
            raise Unprovable(f"{file}: its last checkpoint: {opened.reason}")
        return opened.checkpoint
    checkpoint = parse_checkpoint(note.decode(errors="replace").rpartition("\n\n")[0])
    if checkpoint is None:
        raise Unprovable(f"{file}: its last note is no checkpoint")
    return checkpoint


def _is_continued(audit_log: AuditLog, last: Checkpoint, file: Path, progress: Progress) -> bool:
    tiles = read_tiles(file)[: last.size >> LEVEL]
    cached = tiles if tiles and tiles[-1] == _last_tile(audit_log, len(tiles)) else []
    try:
        tree = tree_over(audit_log, last.size, trusted=last, cached=cached, progress=progress)
        return tree.root(last.size) == last.root
    except Unprovable:
        return False  # a gap: the log has other positions than when it was signed


def _last_tile(audit_log: AuditLog, number: int) -> bytes:
    """Return the root of the nth tile as the events give it.

    NOTE: where the tiles lead to the root all alone, nothing else would be read of the store.
    """
    entries = audit_log.entries(((number - 1) << LEVEL) + 1, number << LEVEL)
    return root_of(map(entry_hash, entries))
