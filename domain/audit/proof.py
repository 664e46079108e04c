"""The proof that a log holds one event: all that a stranger needs beside the public key."""

from __future__ import annotations

from attrs import frozen

from domain.audit.checkpoints import Checkpoint
from domain.audit.evidence import Entry
from domain.audit.inclusion import is_included
from domain.audit.leaves import entry_hash


@frozen(kw_only=True)
class Proof:
    """An event as it is stored, its audit path, and the signed note that the path leads to.

    The event's index in the log is its position less one; the tree is that of the note.
    """

    entry: Entry
    path: tuple[bytes, ...]
    note: str


def holds(proof: Proof, checkpoint: Checkpoint) -> bool:
    """Say whether a proof leads to what its note says, once that is read."""
    return is_included(
        entry_hash(proof.entry),
        proof.entry.position - 1,
        checkpoint.size,
        path=proof.path,
        root=checkpoint.root,
    )


@frozen(kw_only=True)
class Verdict:
    """What checking a proof came to: it holds, with what it is against; or why it does not.

    `checkpoint` is None where no signed checkpoint could be read, `reason` where it holds.
    """

    proof: Proof
    checkpoint: Checkpoint | None
    reason: str | None

    @property
    def holds(self) -> bool:
        """Return whether the event is proven."""
        return self.reason is None
