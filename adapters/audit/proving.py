"""Makes the proof of one event against a signed checkpoint, and judges such proofs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from attrs import evolve, frozen

from adapters.audit.checkpoint_reading import open_checkpoint, read_notes
from adapters.audit.keys import Verifier, named
from adapters.audit.notes import BadNote
from adapters.audit.tile_file import read_tiles, tree_over
from domain.application.ports import Progress
from domain.history.audit_log import AuditLog, LogEntry
from domain.tlog.checkpoints import Checkpoint, Unprovable
from domain.tlog.consistency import consistency_proof
from domain.tlog.inclusion import inclusion_proof
from domain.tlog.proofs import (
    ConsistencyProof,
    Proof,
    ProofResult,
    verify_consistency,
    verify_inclusion,
)
from domain.tlog.tiles import TiledTree


@frozen(kw_only=True)
class Against:
    """What an event is proven against: the log's checkpoints, by whose keys.

    A file that is `held` is one of checkpoints that somebody has already: the proof then says that
    the log continues the last one of them that the checkpoint of the proof can continue.
    """

    file: Path
    verifiers: Sequence[Verifier]
    held: Path | None = None


def prove(
    audit_log: AuditLog, entry: LogEntry, against: Against, *, progress: Progress
) -> ProofResult:
    """Prove an event against the last checkpoint that covers it.

    With the tiles that stand beside the file this reads a few hundred events, without them all.

    Raises:
        Unprovable: if no checkpoint covers the event, or the log is shorter than that one says.
    """
    note, checkpoint = _covering(entry, against)
    size, cached = checkpoint.size, read_tiles(against.file)
    tree = tree_over(audit_log, size, trusted=checkpoint, cached=cached, progress=progress)
    hashes = inclusion_proof(entry.position - 1, size, tree.subtree)
    consistency = _consistency(against, size, tree)
    proof = Proof(entry=entry, hashes=hashes, note=note, consistency=consistency)
    return judged(proof, against.verifiers)


def _covering(entry: LogEntry, against: Against) -> tuple[str, Checkpoint]:
    for note, checkpoint in _from_the_last(against.file, against.verifiers):
        if checkpoint.size >= entry.position:
            return note, checkpoint
    raise Unprovable(
        f"{against.file}: no checkpoint by {named(against.verifiers)} covers the event at position"
        f" {entry.position} yet: see taskflow audit checkpoint"
    )


def _consistency(against: Against, size: int, tree: TiledTree) -> ConsistencyProof | None:
    """Tie the first `size` events to the last checkpoint that is held, and that they continue."""
    if against.held is None:
        return None
    for note, checkpoint in _from_the_last(against.held, against.verifiers):
        if 0 < (older := checkpoint.size) <= size:
            return ConsistencyProof(note=note, hashes=consistency_proof(older, size, tree.subtree))
    raise Unprovable(
        f"{against.held}: has no checkpoint by {named(against.verifiers)} of 1 to {size} events"
    )


def _from_the_last(file: Path, verifiers: Sequence[Verifier]) -> Iterator[tuple[str, Checkpoint]]:
    """Return the notes of a file that are checkpoints by some keys, the last one first."""
    for note in reversed(read_notes(file).whole):
        opened = open_checkpoint(note, verifiers)
        if not isinstance(opened, BadNote):
            yield note.decode(), opened.checkpoint


def judged(proof: Proof, verifiers: Sequence[Verifier]) -> ProofResult:
    """Judge a proof by what it holds and the public keys of its log, and nothing else."""
    opened = open_checkpoint(_octets(proof.note), verifiers)
    if isinstance(opened, BadNote):
        return ProofResult(proof=proof, reason=f"its checkpoint: {opened.reason}")
    result = ProofResult(proof=proof, checkpoint=opened.checkpoint, reason=None)
    if not verify_inclusion(proof, opened.checkpoint):
        return evolve(result, reason=_NOT_INCLUDED)
    if proof.consistency is None:
        return result
    older = open_checkpoint(_octets(proof.consistency.note), verifiers)
    if isinstance(older, BadNote):
        return evolve(result, reason=f"its older checkpoint: {older.reason}")
    continues = verify_consistency(proof.consistency, older.checkpoint, opened.checkpoint)
    reason = None if continues else _NOT_CONTINUED
    return evolve(result, older=older.checkpoint, reason=reason)


def _octets(note: str) -> bytes:
    return note.encode(errors="surrogatepass")


_NOT_INCLUDED: Final = (
    "the event with its place and path does not lead to the root that was signed: one of them was"
    " changed"
)
_NOT_CONTINUED: Final = (
    "the log that its checkpoint speaks of does not continue that of the older one: history was"
    " changed between them"
)
