"""The proof that a log holds one event: all that a stranger needs beside the public key."""

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
    """An older signed note, and the nodes that prove that the proof's tree continues its tree."""

    note: str
    path: tuple[bytes, ...]


@frozen(kw_only=True)
class Proof:
    """An event as it is stored, its audit path, and the signed note that the path leads to.

    The event's index in the log is its position less one; the tree is that of the note. `since`
    ties that tree to one that somebody already holds.
    """

    entry: LogEntry
    path: tuple[bytes, ...]
    note: str
    since: ConsistencyProof | None = None


def verify_inclusion(proof: Proof, checkpoint: Checkpoint) -> bool:
    """Say whether a proof leads to what its note says, once that is read."""
    return is_included(
        entry_hash(proof.entry),
        proof.entry.position - 1,
        checkpoint.size,
        path=proof.path,
        root=checkpoint.root,
    )


def verify_consistency(since: ConsistencyProof, older: Checkpoint, newer: Checkpoint) -> bool:
    """Say whether a checkpoint continues the log of an older one, once both notes are read."""
    return is_consistent(
        older.size,
        newer.size,
        path=since.path,
        old_root=older.root,
        new_root=newer.root,
    )


@frozen(kw_only=True)
class ProofResult:
    """What checking a proof came to: it holds, with what it is against; or why it does not.

    `checkpoint` and `since` are None where no such signed checkpoint could be read, `reason` where
    it holds.
    """

    proof: Proof
    checkpoint: Checkpoint | None = None
    since: Checkpoint | None = None
    reason: str | None

    @property
    def holds(self) -> bool:
        """Return whether the event is proven."""
        return self.reason is None


Prover: TypeAlias = Callable[[AuditLog, LogEntry, Callable[[int, int], object]], ProofResult]
"""Proves an event of a log."""
