"""What the auditor's commands are given to sign, to compare and to prove."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Protocol

from domain.application.ports import Progress
from domain.history.audit_log import AuditLog
from domain.history.selection import Selection
from domain.tlog.checkpoints import AppendedCheckpoint, KnownCheckpoints, RotatedKey
from domain.tlog.proofs import Proof, ProofResult, Prover


class EvidencePacker(Protocol):
    """Makes evidence packs against the checkpoints of a log."""

    def covered(self, audit_log: AuditLog) -> int:
        """Return the position up to which a log has checkpoints."""

    def write(
        self, audit_log: AuditLog, selection: Selection, sink: IO[bytes], *, progress: Progress
    ) -> int:
        """Write the pack of the selected events, and return how many there are."""


class ProvingService(Protocol):
    """Keys, checkpoints and proofs.

    A `config` says what is not named beside it. All raise `Unprovable` where the user must correct
    something.
    """

    def keygen(self, file: Path, name: str) -> str:
        """Write a new signing key to a file, and return its verifier key."""

    def rotate(self, file: Path, config: Path) -> RotatedKey:
        """Write a signing key that takes the place of a configuration's one to a file."""

    def checkpoint(
        self,
        audit_log: AuditLog,
        *,
        config: Path | None,
        file: Path | None,
        key: Path | None,
        progress: Progress,
    ) -> AppendedCheckpoint:
        """Append a checkpoint of a log as it is, and return it."""

    def checkpoints(
        self,
        *,
        config: Path | None,
        file: Path | None,
        held: Sequence[Path],
        public_keys: Sequence[str],
    ) -> KnownCheckpoints:
        """Return what a log is to be compared with, none if no file of checkpoints is named."""

    def prover(
        self,
        *,
        config: Path | None,
        file: Path | None,
        public_keys: Sequence[str],
        held: Path | None = None,
    ) -> Prover:
        """Return who proves events against the last checkpoint that covers each.

        With a file that somebody holds, also that the log continues its last checkpoint.
        """

    def packer(
        self, *, config: Path | None, file: Path | None, public_keys: Sequence[str]
    ) -> EvidencePacker:
        """Return who packs events with what proves them."""

    def judge(self, file: Path, public_keys: Sequence[str]) -> ProofResult:
        """Judge the proof in a file by nothing but the public keys of its log."""

    def document(self, proof: Proof) -> Mapping[str, object]:
        """Return the JSON document of a proof."""
