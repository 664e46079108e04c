"""What a configuration says of checkpoints, as the auditor's commands and the gateway need it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

from attrs import evolve, frozen

from adapters.audit.audit_service import Configured, configured_signer
from adapters.audit.checkpointing import CheckpointSigner, check_continuable
from adapters.audit.keys import Verifier
from adapters.composition.stores import gateway_of
from adapters.settings import (
    CheckpointsConfig,
    GatewayConfig,
    ProviderFault,
    Unresolved,
    read_secret_file,
)
from domain.tlog.checkpoints import Unprovable

_HANDED_OVER: Final = ("/dev/fd/", "/dev/stdin")
"""Open files that the caller hands over, as `--key <(...)` does: no path leads to them."""


def configured_checkpoints(config: Path) -> Configured:
    """Return what a configuration says of checkpoints; its key is looked up at each use."""
    return checkpoints_as_configured(gateway_of(config).checkpoints)


def read_key_file(file: Path) -> bytes:
    """Return what the file of a signing key holds, if nobody else can change it."""
    if str(file).startswith(_HANDED_OVER):
        return file.read_bytes()
    try:
        return read_secret_file(file)
    except ProviderFault as fault:
        raise Unprovable(str(fault)) from fault


def checkpoints_as_configured(checkpoints: CheckpointsConfig) -> Configured:
    """Return what a configuration says of checkpoints; its key is looked up at each use."""
    return Configured(
        file=checkpoints.file,
        signing_key=partial(_signing_key, checkpoints),
        origin=checkpoints.origin,
        previous_keys=checkpoints.previous_keys,
        shard=checkpoints.shard,
    )


def _signing_key(checkpoints: CheckpointsConfig) -> str:
    key = checkpoints.key
    found = Unresolved("no key is configured") if key is None else key.look_up(os.environ)
    if isinstance(found, Unresolved):
        raise Unprovable(f"taskflow.audit.key: {found.reason}")
    return found.reveal()


@frozen
class Signing:
    """Who signs checkpoints in a file, and if nobody does where somebody should, why."""

    file: Path
    signer: CheckpointSigner | None
    fault: str | None

    def of(self, checkpoints: CheckpointsConfig) -> Signing:
        """Return this for the log of a shard, which the same key signs."""
        configured, signer = checkpoints_as_configured(checkpoints), self.signer
        if signer is not None:
            origin = configured.origin_by(signer.key.verifier.name)
            signer = evolve(signer, file=configured.file, origin=origin)
        return evolve(self, file=configured.file, signer=signer)

    @property
    def faults(self) -> Iterator[str]:
        """Say why no checkpoint would be signed, where one should be."""
        fault = self.fault or self._why_not_continuable()
        if fault is not None:
            yield f"no checkpoint will be signed: {fault}"

    @property
    def verifiers(self) -> tuple[Verifier, ...] | None:
        """Return the keys by which the last checkpoint may be signed, None if there are faults."""
        if any(self.faults):
            return None
        signer = self.signer
        return () if signer is None else (signer.key.verifier, *signer.predecessors)

    def _why_not_continuable(self) -> str | None:
        try:
            if self.signer is not None:
                check_continuable(self.signer)
        except Unprovable as fault:
            return str(fault)
        except OSError as fault:
            return f"{self.file}: {fault.strerror}"
        return None


def signing_of(gateway: GatewayConfig) -> Signing:
    """Return who signs by a configuration: its key is looked up, once."""
    checkpoints = gateway.checkpoints
    if checkpoints.key is None:
        return Signing(checkpoints.file, None, None)
    try:
        signer = configured_signer(checkpoints_as_configured(checkpoints))
    except Unprovable as fault:
        return Signing(checkpoints.file, None, str(fault))
    return Signing(checkpoints.file, signer, None)
