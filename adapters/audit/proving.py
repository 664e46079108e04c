"""Makes the proof of one event against a signed checkpoint, and judges such proofs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from adapters.audit.checkpoint_text import parse_checkpoint
from adapters.audit.keys import Verifier
from adapters.audit.ledger import read_notes
from adapters.audit.notes import BadNote, text_of
from adapters.audit.tile_file import Progress, read_tiles, tiles_path, tree_over
from domain.audit.checkpoints import Checkpoint, Unprovable
from domain.audit.evidence import Entry, Evidence
from domain.audit.inclusion import audit_path
from domain.audit.proof import Proof, Verdict, holds


def prove(
    evidence: Evidence, entry: Entry, *, file: Path, verifier: Verifier, progress: Progress
) -> Verdict:
    """Prove an event against the last checkpoint in a file that covers it.

    With the tiles that stand beside the file this reads a few hundred events, without them all.

    Raises:
        Unprovable: if no checkpoint covers the event, or the log is shorter than that one says.
    """
    note, checkpoint = _covering(entry, file, verifier)
    size = checkpoint.size
    cached = read_tiles(tiles_path(file))
    tree = tree_over(evidence, size, trusted=checkpoint, cached=cached, progress=progress)
    path = audit_path(entry.position - 1, size, tree.subtree)
    return judged(Proof(entry=entry, path=path, note=note), verifier)


def _covering(entry: Entry, file: Path, verifier: Verifier) -> tuple[str, Checkpoint]:
    for note, checkpoint in _from_the_last(file, verifier):
        if checkpoint.size >= entry.position:
            return note, checkpoint
    raise Unprovable(
        f"{file}: no checkpoint by {verifier.name} covers the event at position"
        f" {entry.position} yet: see taskflow audit checkpoint"
    )


def _from_the_last(file: Path, verifier: Verifier) -> Iterator[tuple[str, Checkpoint]]:
    for note in reversed(read_notes(file).whole):
        text = text_of(note, verifier)
        checkpoint = None if isinstance(text, BadNote) else parse_checkpoint(text)
        if checkpoint is not None:
            yield note.decode(), checkpoint


def judged(proof: Proof, verifier: Verifier) -> Verdict:
    """Judge a proof by what it holds and the public key, and nothing else."""
    text = text_of(proof.note.encode(errors="surrogatepass"), verifier)
    if isinstance(text, BadNote):
        return Verdict(proof=proof, checkpoint=None, reason=f"its checkpoint: {text.reason}")
    checkpoint = parse_checkpoint(text)
    if checkpoint is None:
        reason = "its checkpoint: it is signed, and says something else than a checkpoint"
        return Verdict(proof=proof, checkpoint=None, reason=reason)
    clause = None if holds(proof, checkpoint) else _NOT_INCLUDED
    return Verdict(proof=proof, checkpoint=checkpoint, reason=clause)


_NOT_INCLUDED: Final = (
    "the event with its place and path does not lead to the root that was signed: one of them was"
    " changed"
)
