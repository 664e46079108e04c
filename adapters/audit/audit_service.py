"""What the auditor's commands do with keys, checkpoints and proofs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from attrs import frozen

from adapters.audit.checkpoint_reading import read_found_notes, read_held
from adapters.audit.checkpointing import CheckpointSigner, append_checkpoint, check_continuable
from adapters.audit.key_file import ReadBytes, read_key, read_plain, write_new_key
from adapters.audit.keys import Signer, Verifier
from adapters.audit.pack.packing import Packer
from adapters.audit.proof_document import proof_document, read_proof
from adapters.audit.proving import Against, judged, prove
from adapters.audit.tile_file import read_tiles
from domain.application.ports import Progress
from domain.history.audit_log import AuditLog
from domain.tlog.checkpoints import AppendedCheckpoint, KnownCheckpoints, RotatedKey, Unprovable
from domain.tlog.proofs import Proof, ProofResult, Prover


@frozen(kw_only=True)
class Configured:
    """What a configuration says of checkpoints.

    `signing_key` returns the signer key, or raises `Unprovable` with the reason why there is none.
    `previous_keys` are the verifier keys in whose place it was put, the last one first; `shard` is
    the name of the shard whose log it is, if there are several.
    """

    file: Path
    signing_key: Callable[[], str]
    origin: str | None
    previous_keys: tuple[str, ...] = ()
    shard: str | None = None

    def origin_by(self, key_name: str) -> str:
        """Return the origin of the log: that of a shard is another one than all others."""
        origin = self.origin or key_name
        return origin if self.shard is None else f"{origin}/{self.shard}"


def configured_signer(configured: Configured) -> CheckpointSigner:
    """Return who signs by a configuration.

    Raises:
        Unprovable: if there is no key, or it is not one.
    """
    return _checkpoint_signer(configured, None, Signer.parse(configured.signing_key()))


@frozen
class AuditService:
    """Keys, checkpoints and proofs, by a configuration or by what is named beside it.

    Each `config` may be None; what is named goes first. All raise `Unprovable` with what must be
    put right. `read_file` reads the file of a key, or refuses it.
    """

    read_configuration: Callable[[Path], Configured]
    read_file: ReadBytes = read_plain

    def keygen(self, file: Path, name: str) -> str:
        """Write a new signing key to a file, and return its verifier key."""
        return str(write_new_key(file, name))

    def rotate(self, file: Path, config: Path) -> RotatedKey:
        """Write a key to a file that takes the place of a configuration's one, under its name.

        The present key must be the one that signed the last checkpoint.
        """
        configured = self.read_configuration(config)
        signer = configured_signer(configured)
        check_continuable(signer)
        present = signer.key.verifier
        public_key = self.keygen(file, present.name)
        return RotatedKey(public_key, (str(present), *configured.previous_keys))

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
        configured = self._configured(config)
        signer = _checkpoint_signer(configured, file, self._signer(configured, key))
        return append_checkpoint(audit_log, signer, progress=progress)

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
        checkpoints = file if file or not configured else configured.file
        # A configured file is made with the first checkpoint; one that is named must be there.
        is_read = checkpoints is not None and (file is not None or checkpoints.exists())
        verifiers = _verifiers(configured, public_keys) if is_read or held else ()
        found = read_found_notes(checkpoints, verifiers) if checkpoints and is_read else ()
        return KnownCheckpoints(
            own=found if checkpoints else None,
            held=tuple(note for kept in held for note in read_held(kept, verifiers)),
            tiles=read_tiles(checkpoints) if checkpoints and (is_read or held) else (),
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
        path, verifiers = self._signed_file(config, file, public_keys)
        against = Against(file=path, verifiers=verifiers, held=held)
        return lambda audit_log, entry, progress: prove(
            audit_log, entry, against, progress=progress
        )

    def packer(
        self, *, config: Path | None, file: Path | None, public_keys: Sequence[str]
    ) -> Packer:
        """Return who packs events with what proves them."""
        return Packer(*self._signed_file(config, file, public_keys))

    def judge(self, file: Path, public_keys: Sequence[str]) -> ProofResult:
        """Judge the proof in a file by nothing but the public keys of its log."""
        return judged(read_proof(file), _verifiers(None, public_keys))

    def document(self, proof: Proof) -> Mapping[str, object]:
        """Return the JSON document of a proof."""
        return proof_document(proof)

    def _configured(self, config: Path | None) -> Configured | None:
        return None if config is None else self.read_configuration(config)

    def _signed_file(
        self, config: Path | None, file: Path | None, public_keys: Sequence[str]
    ) -> tuple[Path, tuple[Verifier, ...]]:
        configured = self._configured(config)
        return _checkpoints_file(configured, file), _verifiers(configured, public_keys)

    def _signer(self, configured: Configured | None, key: Path | None) -> Signer:
        if key is not None:
            return read_key(key, self.read_file)
        if configured is not None:
            return Signer.parse(configured.signing_key())
        raise Unprovable(
            "say which key signs: --key FILE, or --config FILE with taskflow.audit.key"
        )


def _checkpoints_file(configured: Configured | None, file: Path | None) -> Path:
    if file is not None:
        return file
    if configured is not None:
        return configured.file
    raise Unprovable("say which file has the checkpoints: --checkpoints FILE, or --config FILE")


def _checkpoint_signer(
    configured: Configured | None, file: Path | None, key: Signer
) -> CheckpointSigner:
    return CheckpointSigner(
        file=_checkpoints_file(configured, file),
        key=key,
        origin=configured.origin_by(key.verifier.name) if configured else key.verifier.name,
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
