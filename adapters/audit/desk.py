"""All that the auditor's commands do with keys, checkpoints and proofs, in one place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from attrs import frozen

from adapters.audit.checkpoint_file import read_checkpoints
from adapters.audit.checkpointing import Appended, Issuer, append_checkpoint
from adapters.audit.key_file import read_key, write_new_key
from adapters.audit.keys import Signer, Verifier
from adapters.audit.pack.packing import Packer
from adapters.audit.proof_document import proof_document, read_proof
from adapters.audit.proving import Against, judged, prove
from adapters.audit.tile_file import Progress, read_tiles, tiles_path
from domain.audit.checkpoints import Checkpoints, Sighting, Unprovable
from domain.audit.evidence import Entry, Evidence
from domain.audit.proof import Proof, Verdict
from domain.ports import Clock

Prover: TypeAlias = Callable[[Evidence, Entry, Progress], Verdict]
"""Proves an event of a log, and tells how far it is where that takes long."""


@frozen(kw_only=True)
class Configured:
    """What a configuration says of checkpoints.

    `signing_key` returns the signer key, or raises `Unprovable` with the reason why there is none.
    """

    file: Path
    signing_key: Callable[[], str]
    origin: str | None


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
    where something must be mended.
    """

    read_configuration: Callable[[Path], Configured]
    now: Clock

    def keygen(self, file: Path, name: str) -> str:
        """Write a new signing key to a file, and return its verifier key."""
        return str(write_new_key(file, name))

    def checkpoint(
        self,
        evidence: Evidence,
        *,
        config: Path | None,
        file: Path | None,
        key: Path | None,
        progress: Progress,
    ) -> Appended:
        """Append a checkpoint of a log as it is, and return it."""
        configured = self._configured(config)
        issuer = _issuer(configured, file, _signer(configured, key))
        return append_checkpoint(evidence, issuer, self.now(), progress=progress)

    def checkpoints(
        self,
        *,
        config: Path | None,
        file: Path | None,
        held: Sequence[Path],
        public_key: str | None,
    ) -> Checkpoints:
        """Return what a log is to be compared with, none if no file of checkpoints is named."""
        configured = self._configured(config)
        ledger = file if file or not configured else configured.file
        # A configured file is made with the first checkpoint; one that is named must be there.
        read = [] if ledger is None or (file is None and not ledger.exists()) else [ledger]
        if not read and not held:
            return Checkpoints(ledger=None if ledger is None else ())
        verifier = _verifier(configured, public_key)
        return Checkpoints(
            ledger=None if ledger is None else _read(read, verifier),
            held=_read(held, verifier),
            tiles=() if ledger is None else read_tiles(tiles_path(ledger)),
        )

    def prover(
        self,
        *,
        config: Path | None,
        file: Path | None,
        public_key: str | None,
        held: Path | None = None,
    ) -> Prover:
        """Return who proves events against the last checkpoint that covers each."""
        configured = self._configured(config)
        against = Against(
            file=_ledger_file(configured, file),
            verifier=_verifier(configured, public_key),
            held=held,
        )
        return lambda evidence, entry, progress: prove(evidence, entry, against, progress=progress)

    def packer(self, *, config: Path | None, file: Path | None, public_key: str | None) -> Packer:
        """Return who packs events with what proves them."""
        configured = self._configured(config)
        return Packer(_ledger_file(configured, file), _verifier(configured, public_key))

    def judge(self, file: Path, public_key: str) -> Verdict:
        """Judge the proof in a file by nothing but a public key."""
        return judged(read_proof(file), Verifier.parse(public_key))

    def document(self, proof: Proof) -> Mapping[str, object]:
        """Return the JSON document of a proof."""
        return proof_document(proof)

    def _configured(self, config: Path | None) -> Configured | None:
        return None if config is None else self.read_configuration(config)


def _ledger_file(configured: Configured | None, file: Path | None) -> Path:
    if file is not None:
        return file
    if configured is not None:
        return configured.file
    raise Unprovable("say which file has the checkpoints: --checkpoints FILE, or --config FILE")


def _issuer(configured: Configured | None, file: Path | None, signer: Signer) -> Issuer:
    origin = configured.origin if configured else None
    ledger = _ledger_file(configured, file)
    return Issuer(file=ledger, signer=signer, origin=origin or signer.verifier.name)


def _signer(configured: Configured | None, key: Path | None) -> Signer:
    if key is not None:
        return read_key(key)
    if configured is not None:
        return Signer.parse(configured.signing_key())
    raise Unprovable("say which key signs: --key FILE, or --config FILE with taskflow.audit.key")


def _verifier(configured: Configured | None, public_key: str | None) -> Verifier:
    """Return the public key that is named, or else that of the configuration's own key."""
    if public_key is not None:
        return Verifier.parse(public_key)
    if configured is not None:
        return Signer.parse(configured.signing_key()).verifier
    raise Unprovable("say by which key the checkpoints are signed: --public-key KEY")


def _read(files: Sequence[Path], verifier: Verifier) -> tuple[Sighting, ...]:
    return tuple(sighting for file in files for sighting in read_checkpoints(file, verifier))
