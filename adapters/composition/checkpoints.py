"""What a configuration says of checkpoints, as the auditor's desk wants to hear it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

from adapters.audit.audit_service import Configured, configured_signer
from adapters.audit.checkpointing import check_continuable
from adapters.audit.keys import Verifier
from adapters.composition.stores import settings_of
from adapters.settings import Settings, Unresolved, read_secret_file
from domain.tlog.checkpoints import Unprovable

_HANDED_OVER: Final = ("/dev/fd/", "/dev/stdin")
"""Open files that the caller hands over, as `--key <(...)` does: no path leads to them."""


def configured_checkpoints(config: Path) -> Configured:
    """Say what a configuration says of checkpoints."""
    return checkpoints_of(settings_of(config))


def read_key_file(file: Path) -> bytes:
    """Return what the file of a signing key holds, if nobody else can change it."""
    if str(file).startswith(_HANDED_OVER):
        return file.read_bytes()
    found = read_secret_file(file)
    if isinstance(found, Unresolved):
        raise Unprovable(found.reason)
    return found


def checkpoints_of(settings: Settings) -> Configured:
    """Return what settings say of checkpoints."""
    asked = settings.checkpoints
    return Configured(
        file=asked.file,
        signing_key=partial(_signing_key, settings),
        origin=asked.origin,
        previous_keys=asked.previous_keys,
    )


def _signing_key(settings: Settings) -> str:
    key = settings.checkpoints.key
    found = Unresolved("no key is configured") if key is None else key.look_up()
    if isinstance(found, Unresolved):
        raise Unprovable(f"taskflow.audit.key: {found.reason}")
    return found.reveal()


def unsigned(settings: Settings) -> Iterator[str]:
    """Say why no checkpoint would be signed, where one should be."""
    if settings.checkpoints.key is not None:
        try:
            check_continuable(configured_signer(checkpoints_of(settings)))
        except Unprovable as fault:
            yield f"no checkpoint will be signed: {fault}"
        except OSError as fault:
            file = settings.checkpoints.file
            yield f"no checkpoint will be signed: {file}: {fault.strerror}"


def verifiers_of(settings: Settings) -> tuple[Verifier, ...]:
    """Return the public keys by which the last checkpoint may be signed, none if no key signs."""
    if settings.checkpoints.key is None or any(unsigned(settings)):
        return ()
    signer = configured_signer(checkpoints_of(settings))
    return (signer.key.verifier, *signer.predecessors)


def public_key_of(settings: Settings) -> str | None:
    """Return the public key that checkpoints will be signed by, if they will be."""
    keys = verifiers_of(settings)
    return str(keys[0]) if keys else None
