"""The checkpoints of the log: where they are kept, how often one is appended, and who signs."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, final

from attrs import evolve, frozen

from adapters.settings.diagnostics import ConfigPath
from adapters.settings.hidden import Hidden
from adapters.settings.nodes import Node
from adapters.settings.providers import Provider, Providers
from adapters.settings.references import DeclaredSecret, SecretRef
from adapters.settings.secret_lookup import look_up_text
from adapters.settings.secret_text import Resolution, Sealed
from adapters.settings.structure import Between, Each, Matching
from domain.flow.values import BLANKS

# APPSEC: by its form, so that a private one is refused, and not shown.
_PUBLIC_KEY: Final = Matching(
    re.compile(r"[^\s+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}"),
    "a public key, as keygen printed it",
    "another text",
)


@final
class SigningKey(Hidden):
    """Where the key that signs is kept: its text is looked up when it is used, and not held.

    Only a key that is written in the configuration itself is held, since it is there anyway.
    """

    __slots__ = ("_held", "_providers", "path")

    def __init__(self, node: Node, declared: DeclaredSecret, providers: Providers) -> None:
        self._held = declared.ref or Sealed(str(node.value).strip(BLANKS))
        self._providers = providers
        self.path: ConfigPath = node.path

    def look_up(self, environ: Mapping[str, str]) -> Resolution:
        """Return the key as a text, or why it is unresolved."""
        if isinstance(self._held, Sealed):
            return self._held
        return look_up_text(self._held, self._providers, environ)

    @property
    def ref(self) -> SecretRef | None:
        """Return the reference to where the key is kept, None if it is written here."""
        return self._held if isinstance(self._held, SecretRef) else None

    @property
    def place(self) -> str:
        """Return where the key is kept, which is not the key."""
        return f"{self.ref.source}:{self.ref.provider}:{self.ref.id}" if self.ref else "inline"

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


def is_same_key(own: SigningKey | None, other: SigningKey | None) -> bool:
    """Say whether two keys, if there are any, are written alike, and kept at the same place."""
    return own is other if own is None or other is None else own.is_same_as(other)


@frozen(kw_only=True)
class CheckpointsConfig:
    """Where a log's checkpoints are appended, how often, as which log, and signed by which key.

    Without a key nobody appends any. `origin` None stands for the key's own name; behind it stands
    the name of the `shard`, if the log is that of one. `previous_keys` are public keys in whose
    place the key was put, the last one first.
    """

    file: Path
    every_minutes: Annotated[float, Between(0.01, 10_080, "minutes")] = 15.0
    origin: str | None = None
    key: SigningKey | None = None
    previous_keys: Annotated[
        tuple[str, ...], Each(Annotated[str, _PUBLIC_KEY], "public keys", 100)
    ] = ()
    shard: str | None = None

    def of_shard(self, name: str) -> CheckpointsConfig:
        """Return this for the log of a shard, which has a file and an origin of its own."""
        file = self.file.with_name(f"{self.file.stem}.{name}{self.file.suffix}")
        return evolve(self, file=file, shard=name)

    def differs_from(self, other: CheckpointsConfig) -> bool:
        """Say whether anything is written in another way."""
        return evolve(self, key=other.key) != other or not is_same_key(self.key, other.key)
