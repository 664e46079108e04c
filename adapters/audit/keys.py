"""Ed25519 keys in the text forms of signed notes, and signatures by them.

A verifier key is `<name>+<id>+<key>` (C2SP signed-note). A signer key puts `PRIVATE+KEY+` in front
and holds the 32 bytes of the private seed instead, as Go's golang.org/x/mod/sumdb/note does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self, final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from adapters.audit.pack.verifier.forms import Wrong, decode_base64, encode_base64
from adapters.audit.pack.verifier.keys import ED25519, KEY_NAME, PRIVATE, PublicKey, read_key_text
from domain.tlog.checkpoints import Unprovable


def check_name(name: str) -> str:
    """Return a key's name if it can be one.

    Raises:
        Unprovable: if it has blanks or a plus, or is empty or very long.
    """
    if not KEY_NAME.fullmatch(name):
        raise Unprovable("a key's name has 1 to 200 characters, and neither blanks nor a plus")
    return name


def decoded(text: str) -> bytes | None:
    """Return what a text is the one base64 form of (RFC 4648 §4), or None."""
    try:
        return decode_base64(text)
    except ValueError:
        return None


class Verifier(PublicKey):
    """A public key under a name."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a verifier key.

        Raises:
            Unprovable: if it is none.
        """
        try:
            return super().parse(text)
        except Wrong as fault:
            raise Unprovable(str(fault)) from fault


def named(verifiers: Sequence[Verifier]) -> str:
    """Return the names of some keys: those of one log mostly have the same."""
    return " and ".join(dict.fromkeys(verifier.name for verifier in verifiers))


@final
class Signer:
    """A private key under a name. It shows itself as its name only, and is never pickled."""

    # APPSEC: not an attrs class, so that `attrs.asdict` and structured loggers find no fields.
    __slots__ = ("_key", "verifier")

    def __init__(self, name: str, key: Ed25519PrivateKey) -> None:
        self._key = key
        public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.verifier = Verifier(name, public)

    @classmethod
    def generate(cls, name: str) -> Self:
        """Return a new key."""
        return cls(check_name(name), Ed25519PrivateKey.generate())

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a signer key. APPSEC: no message has any of its text.

        Raises:
            Unprovable: if it is none.
        """
        wanted = f"{PRIVATE}<name>+<8 hex digits>+<base64>, as keygen writes it"
        bare = text.removeprefix(PRIVATE)
        try:
            name, seed = read_key_text(bare if bare != text else "", "the signing key", wanted)
        except Wrong as fault:
            raise Unprovable(str(fault)) from fault
        signer = cls(name, Ed25519PrivateKey.from_private_bytes(seed))
        if signer.secret_text() != text:
            raise Unprovable("the signing key is mistyped: its id is not that of its key")
        return signer

    def secret_text(self) -> str:
        """Return the signer key, to be written where only its owner reads."""
        seed = self._key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        verifier = self.verifier
        return f"{PRIVATE}{verifier.name}+{verifier.key_id.hex()}+{encode_base64(ED25519 + seed)}"

    def sign(self, text: bytes) -> bytes:
        """Return the signature of a text."""
        return self._key.sign(text)

    def __repr__(self) -> str:
        return f"Signer({self.verifier.name!r})"

    def __reduce__(self) -> str:
        raise TypeError("a signing key is neither copied nor pickled")
