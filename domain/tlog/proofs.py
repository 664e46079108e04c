"""An event proven to be in a log: all that a stranger needs beside the public key."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from attrs import frozen

from domain.history.audit_log import AuditLog, LogEntry
from domain.tlog.checkpoints import Checkpoint
from domain.tlog.consistency import is_consistent
from domain.tlog.inclusion import is_included
from domain.tlog.leaves import entry_hash


@frozen(kw_only=True)
class ConsistencyProof:
    """An older signed note, and the hashes that prove that a tree continues the note's."""

    note: str
    hashes: tuple[bytes, ...]


@frozen(kw_only=True)
class Proof:
    """An event as it is stored, its inclusion proof, and the signed note of the tree that has it.

    The event's index in the log is its position less one. `consistency` ties the tree to one that
    somebody already holds.
    """

    entry: LogEntry
    hashes: tuple[bytes, ...]
    note: str
    consistency: ConsistencyProof | None = None


def verify_inclusion(proof: Proof, checkpoint: Checkpoint) -> bool:
    """Say whether the tree of a checkpoint, which is that of the proof's note, has the event."""
    return is_included(
        entry_hash(proof.entry),
        proof.entry.position - 1,
        checkpoint.size,
        proof=proof.hashes,
        root=checkpoint.root,
    )


def verify_consistency(proof: ConsistencyProof, older: Checkpoint, newer: Checkpoint) -> bool:
    """Say whether a checkpoint continues the log of an older one, that of the proof's note."""
    return is_consistent(
        older.size, newer.size, proof=proof.hashes, old_root=older.root, new_root=newer.root
    )


@frozen(kw_only=True)
class ProofResult:
    """A proof, the checkpoints it was verified against, and why it does not hold, if so.

    `checkpoint` and `older` are None where no such signed checkpoint could be read.
    """

    proof: Proof
    checkpoint: Checkpoint | None = None
    older: Checkpoint | None = None
    reason: str | None

    @property
    def holds(self) -> bool:
        """Whether the event is proven."""
        return self.reason is None


Prover: TypeAlias = Callable[[AuditLog, LogEntry, Callable[[int, int], object]], ProofResult]
"""Proves an event of a log."""
