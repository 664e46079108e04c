"""All that the auditor's commands do with keys, checkpoints and proofs, in one place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from attrs import frozen

from adapters.audit.checkpoint_reading import read_checkpoints, read_held
from adapters.audit.checkpointing import (
    Appended,
    Issuer,
    append_checkpoint,
    check_continuable,
)
from adapters.audit.key_file import ReadBytes, read_key, read_plain, write_new_key
from adapters.audit.keys import Signer, Verifier
from adapters.audit.pack.packing import Packer
from adapters.audit.proof_document import proof_document, read_proof
from adapters.audit.proving import Against, judged, prove
from adapters.audit.tile_file import read_tiles, tiles_path
from domain.application.ports import Progress
from domain.history.audit_log import AuditLog, LogEntry
from domain.tlog.checkpoints import FoundNote, KnownCheckpoints, Unprovable
from domain.tlog.proofs import Proof, ProofResult

Prover: TypeAlias = Callable[[AuditLog, LogEntry, Progress], ProofResult]
"""Proves an event of a log, and tells how far it is where that takes long."""


@frozen(kw_only=True)
class Configured:
    """What a configuration says of checkpoints.

    `signing_key` returns the signer key, or raises `Unprovable` with the reason why there is none.
    `previous_keys` are the verifier keys in whose place it was put, the last one first.
    """

    file: Path
    signing_key: Callable[[], str]
    origin: str | None
    previous_keys: tuple[str, ...] = ()


@frozen
class Rotated:
    """A new key: its verifier key, and those that a configuration must name as previous ones."""

    public_key: str
    previous_keys: tuple[str, ...]


def configured_issuer(configured: Configured) -> Issuer:
    """Return who signs by a configuration.

    Raises:
        Unprovable: if there is no key at hand, or it is none.
    """
    return _issuer(configured, None, Signer.parse(configured.signing_key()))


@frozen
class Desk:
    """The auditor's desk, over whatever configurations say.

    Each `config` may be None; what is named beside it goes first. Everything raises `Unprovable`
    where something must be mended. `read_file` reads the file of a key, or refuses it.
    """

    read_configuration: Callable[[Path], Configured]
    read_file: ReadBytes = read_plain

    def keygen(self, file: Path, name: str) -> str:
        """Write a new signing key to a file, and return its verifier key."""
        return str(write_new_key(file, name))

    def rotate(self, file: Path, config: Path) -> Rotated:
        """Write a key to a file that takes the place of a configuration's one, under its name.

        The present key must be the one that signed the last checkpoint.
        """
        configured = self.read_configuration(config)
        issuer = configured_issuer(configured)
        check_continuable(issuer)
        present = issuer.signer.verifier
        public_key = self.keygen(file, present.name)
        return Rotated(public_key, (str(present), *configured.previous_keys))

    def checkpoint(
        self,
        evidence: AuditLog,
        *,
        config: Path | None,
        file: Path | None,
        key: Path | None,
        progress: Progress,
    ) -> Appended:
        """Append a checkpoint of a log as it is, and return it."""
        configured = self._configured(config)
        issuer = _issuer(configured, file, self._signer(configured, key))
        return append_checkpoint(evidence, issuer, progress=progress)

    def checkpoints(
        self,
        *,
        config: Path | None,
        file: Path | None,
        held: Sequence[Path],
        public_keys: Sequence[str],
    ) -> KnownCheckpoints:
        """Return what a log is to be compared with, none if no file of checkpoints is named."""
        configured = self._configured(config)
        ledger = file if file or not configured else configured.file
        # A configured file is made with the first checkpoint; one that is named must be there.
        read = [] if ledger is None or (file is None and not ledger.exists()) else [ledger]
        if not read and not held:
            return KnownCheckpoints(own=None if ledger is None else ())
        verifiers = _verifiers(configured, public_keys)
        return KnownCheckpoints(
            own=None if ledger is None else tuple(_each(read_checkpoints, read, verifiers)),
            held=tuple(_each(read_held, held, verifiers)),
            tiles=() if ledger is None else read_tiles(tiles_path(ledger)),
        )

    def prover(
        self,
        *,
        config: Path | None,
        file: Path | None,
        public_keys: Sequence[str],
        held: Path | None = None,
    ) -> Prover:
        """Return who proves events against the last checkpoint that covers each."""
        configured = self._configured(config)
        against = Against(
            file=_ledger_file(configured, file),
            verifiers=_verifiers(configured, public_keys),
            held=held,
        )
        return lambda evidence, entry, progress: prove(evidence, entry, against, progress=progress)

    def packer(
        self, *, config: Path | None, file: Path | None, public_keys: Sequence[str]
    ) -> Packer:
        """Return who packs events with what proves them."""
        configured = self._configured(config)
        return Packer(_ledger_file(configured, file), _verifiers(configured, public_keys))

    def judge(self, file: Path, public_keys: Sequence[str]) -> ProofResult:
        """Judge the proof in a file by nothing but the public keys of its log."""
        return judged(read_proof(file), _verifiers(None, public_keys))

    def document(self, proof: Proof) -> Mapping[str, object]:
        """Return the JSON document of a proof."""
        return proof_document(proof)

    def _configured(self, config: Path | None) -> Configured | None:
        return None if config is None else self.read_configuration(config)

    def _signer(self, configured: Configured | None, key: Path | None) -> Signer:
        if key is not None:
            return read_key(key, self.read_file)
        if configured is not None:
            return Signer.parse(configured.signing_key())
        raise Unprovable(
            "say which key signs: --key FILE, or --config FILE with taskflow.audit.key"
        )


def _ledger_file(configured: Configured | None, file: Path | None) -> Path:
    if file is not None:
        return file
    if configured is not None:
        return configured.file
    raise Unprovable("say which file has the checkpoints: --checkpoints FILE, or --config FILE")


def _issuer(configured: Configured | None, file: Path | None, signer: Signer) -> Issuer:
    origin = configured.origin if configured else None
    ledger = _ledger_file(configured, file)
    return Issuer(
        file=ledger,
        signer=signer,
        origin=origin or signer.verifier.name,
        predecessors=_predecessors(configured),
    )


def _verifiers(configured: Configured | None, public_keys: Sequence[str]) -> tuple[Verifier, ...]:
    """Return the public keys that are named, or else those of a configuration."""
    if public_keys:
        return tuple(map(Verifier.parse, dict.fromkeys(public_keys)))
    if configured is not None:
        present = Signer.parse(configured.signing_key()).verifier
        return (present, *_predecessors(configured))
    raise Unprovable("say by which key the checkpoints are signed: --public-key KEY")


def _predecessors(configured: Configured | None) -> tuple[Verifier, ...]:
    keys = configured.previous_keys if configured else ()
    try:
        return tuple(map(Verifier.parse, keys))
    except Unprovable as fault:
        raise Unprovable(f"taskflow.audit.previousKeys: {fault}") from fault


def _each(
    read: Callable[[Path, Sequence[Verifier]], tuple[FoundNote, ...]],
    files: Sequence[Path],
    verifiers: Sequence[Verifier],
) -> Iterator[FoundNote]:
    return (sighting for file in files for sighting in read(file, verifiers))
