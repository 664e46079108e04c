"""Makes the proof of one event against a signed checkpoint, and judges such proofs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from attrs import frozen

from adapters.audit.checkpoint_reading import read_notes
from adapters.audit.checkpoint_text import parse_checkpoint
from adapters.audit.keys import Verifier, named
from adapters.audit.notes import BadNote, open_note
from adapters.audit.tile_file import read_tiles, tiles_path, tree_over
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


@frozen
class _Note:
    text: str
    checkpoint: Checkpoint


def prove(
    evidence: AuditLog, entry: LogEntry, against: Against, *, progress: Progress
) -> ProofResult:
    """Prove an event against the last checkpoint that covers it.

    With the tiles that stand beside the file this reads a few hundred events, without them all.

    Raises:
        Unprovable: if no checkpoint covers the event, or the log is shorter than that one says.
    """
    found = _covering(entry, against)
    size = found.checkpoint.size
    cached = read_tiles(tiles_path(against.file))
    tree = tree_over(evidence, size, trusted=found.checkpoint, cached=cached, progress=progress)
    hashes = inclusion_proof(entry.position - 1, size, tree.subtree)
    consistency = _consistency(against, size, tree)
    proof = Proof(entry=entry, hashes=hashes, note=found.text, consistency=consistency)
    return judged(proof, against.verifiers)


def _covering(entry: LogEntry, against: Against) -> _Note:
    for note in _from_the_last(against.file, against.verifiers):
        if note.checkpoint.size >= entry.position:
            return note
    raise Unprovable(
        f"{against.file}: no checkpoint by {named(against.verifiers)} covers the event at position"
        f" {entry.position} yet: see taskflow audit checkpoint"
    )


def _consistency(against: Against, size: int, tree: TiledTree) -> ConsistencyProof | None:
    """Tie the first `size` events to the last checkpoint that is held, and that they continue."""
    if against.held is None:
        return None
    for note in _from_the_last(against.held, against.verifiers):
        if 0 < (older := note.checkpoint.size) <= size:
            return ConsistencyProof(
                note=note.text, hashes=consistency_proof(older, size, tree.subtree)
            )
    raise Unprovable(
        f"{against.held}: has no checkpoint by {named(against.verifiers)} of 1 to {size} events"
    )


def _from_the_last(file: Path, verifiers: Sequence[Verifier]) -> Iterator[_Note]:
    for note in reversed(read_notes(file).whole):
        checkpoint = _checkpoint(note, verifiers)
        if isinstance(checkpoint, Checkpoint):
            yield _Note(note.decode(), checkpoint)


def judged(proof: Proof, verifiers: Sequence[Verifier]) -> ProofResult:
    """Judge a proof by what it holds and the public keys of its log, and nothing else."""
    checkpoint = _checkpoint(proof.note.encode(errors="surrogatepass"), verifiers)
    if isinstance(checkpoint, str):
        return ProofResult(proof=proof, reason=f"its checkpoint: {checkpoint}")
    if not verify_inclusion(proof, checkpoint):
        return ProofResult(proof=proof, checkpoint=checkpoint, reason=_NOT_INCLUDED)
    if proof.consistency is None:
        return ProofResult(proof=proof, checkpoint=checkpoint, reason=None)
    return _judged_consistency(proof, proof.consistency, checkpoint, verifiers)


def _judged_consistency(
    proof: Proof,
    consistency: ConsistencyProof,
    checkpoint: Checkpoint,
    verifiers: Sequence[Verifier],
) -> ProofResult:
    older = _checkpoint(consistency.note.encode(errors="surrogatepass"), verifiers)
    if isinstance(older, str):
        reason = f"its older checkpoint: {older}"
        return ProofResult(proof=proof, checkpoint=checkpoint, reason=reason)
    reason_why = None if verify_consistency(consistency, older, checkpoint) else _NOT_CONTINUED
    return ProofResult(proof=proof, checkpoint=checkpoint, older=older, reason=reason_why)


_NOT_INCLUDED: Final = (
    "the event with its place and path does not lead to the root that was signed: one of them was"
    " changed"
)
_NOT_CONTINUED: Final = (
    "the log that its checkpoint speaks of does not continue that of the older one: history was"
    " changed between them"
)


def _checkpoint(note: bytes, verifiers: Sequence[Verifier]) -> Checkpoint | str:
    """Return what a note says, or a clause about why it says nothing that the keys signed."""
    found = open_note(note, verifiers)
    if isinstance(found, BadNote):
        return found.reason
    return parse_checkpoint(found.text) or "it is signed, and says something else than a checkpoint"
