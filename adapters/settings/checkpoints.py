"""The checkpoints of the log: where they are kept, how often one is appended, and who signs."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NoReturn, SupportsIndex, final

from attrs import evolve, field, frozen

from adapters.settings.fields import Members, Node
from adapters.settings.providers import Provider, Providers
from adapters.settings.references import SecretRef, read_secret_input, refuse_placeholder
from adapters.settings.resolution import resolve_text
from adapters.settings.routes_config import DeclaredKey
from adapters.settings.secret_text import Resolution, Sealed
from domain.flow.ids import KeyId
from domain.flow.values import BLANKS

CHECKPOINT_KEYS: Final = ("checkpoints", "key", "previousKeys", "everyMinutes", "origin")
DEFAULT_FILE: Final = "taskflow.checkpoints"

_PUBLIC_KEY: Final = re.compile(r"[^\s+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}")
_MOST_KEYS: Final = 100


@frozen(kw_only=True)
class DeclaredCheckpoints:
    """What `taskflow.audit` says of checkpoints as it is written."""

    file: Path
    every_minutes: float
    origin: str | None
    key: DeclaredKey | None
    previous_keys: tuple[str, ...]


@final
class SigningKey:
    """Where the key that signs is kept: its text is looked up when it is used, and not held.

    Only a key that is written in the configuration itself is held, since it is there anyway.
    """

    # APPSEC: not an attrs class, so that `attrs.asdict` and structured loggers find no fields.
    __slots__ = ("_environ", "_held", "_providers")

    def __init__(
        self, held: SecretRef | Sealed, providers: Providers, environ: Mapping[str, str]
    ) -> None:
        self._held = held
        self._providers = providers
        self._environ = environ

    def look_up(self) -> Resolution:
        """Return the key as a text, or why it is not at hand."""
        if isinstance(self._held, Sealed):
            return self._held
        return resolve_text(self._held, self._providers, self._environ)

    @property
    def place(self) -> str:
        """Return where the key is kept, which is not the key."""
        held = self._held
        return "inline" if isinstance(held, Sealed) else f"{held.source}:{held.provider}:{held.id}"

    def is_same_as(self, other: SigningKey) -> bool:
        """Say whether two keys are written alike, and kept at the same place."""
        match self._held, other._held:
            case Sealed() as own, Sealed() as others:
                return hmac.compare_digest(own.reveal().encode(), others.reveal().encode())
            case SecretRef() as ref, SecretRef() as others:
                return ref == others and self._provider(ref) == other._provider(ref)
            case _:
                return False

    def _provider(self, ref: SecretRef) -> Provider | None:
        return self._providers.by_name.get(ref.provider)

    def __repr__(self) -> str:
        return "SigningKey(***)"

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError("a secret is neither copied nor pickled")


@frozen(kw_only=True)
class CheckpointsConfig:
    """Where a log's checkpoints are appended, how often, as which log, and signed by which key.

    Without a key nobody appends any. `origin` None stands for the key's own name. `previous_keys`
    are public keys in whose place the key was put, the last one first.
    """

    file: Path
    every_minutes: float = 15.0
    origin: str | None = None
    key: SigningKey | None = field(default=None)
    previous_keys: tuple[str, ...] = ()

    def differs_from(self, other: CheckpointsConfig) -> bool:
        """Say whether anything is written in another way."""
        if self.key is None or other.key is None:
            return self != other
        return evolve(self, key=other.key) != other or not self.key.is_same_as(other.key)


def read_checkpoints(audit: Members, folder: Path, providers: Providers) -> DeclaredCheckpoints:
    """Read what `taskflow.audit` says of checkpoints; a relative file starts at `folder`."""
    origin = audit.get("origin")
    return DeclaredCheckpoints(
        file=folder / audit.text("checkpoints", default=DEFAULT_FILE),
        every_minutes=audit.minutes("everyMinutes", default=15.0, low=0.01, high=10_080),
        origin=None if origin is None else origin.literal_text(),
        key=_key(audit.get("key"), providers),
        previous_keys=tuple(
            _public_key(key)
            for key in audit.elements("previousKeys", of="public keys", at_most=_MOST_KEYS)
        ),
    )


def _key(written: Node | None, providers: Providers) -> DeclaredKey | None:
    held = None if written is None else read_secret_input(written)
    if written is None or held is None:
        return None
    refuse_placeholder(held, written)
    if isinstance(held, SecretRef):
        providers.check(held, written)
    return DeclaredKey(KeyId("signing"), held, written)


def _public_key(written: Node) -> str:
    """Read a public key by its form. APPSEC: a private one is refused, and not shown."""
    text = written.text()
    if text and not _PUBLIC_KEY.fullmatch(text):
        written.refuse(expected="a public key, as keygen printed it", found="another text")
    return text


def checkpoints_of(
    declared: DeclaredCheckpoints, providers: Providers, environ: Mapping[str, str]
) -> CheckpointsConfig:
    """Return where checkpoints go, with the key that can be looked up."""
    return CheckpointsConfig(
        file=declared.file,
        every_minutes=declared.every_minutes,
        origin=declared.origin,
        key=None if declared.key is None else _signing(declared.key, providers, environ),
        previous_keys=declared.previous_keys,
    )


def _signing(key: DeclaredKey, providers: Providers, environ: Mapping[str, str]) -> SigningKey:
    held = key.held if isinstance(key.held, SecretRef) else _inline(key)
    return SigningKey(held, providers, environ)


def _inline(key: DeclaredKey) -> Sealed:
    return Sealed(str(key.field.value).strip(BLANKS))
