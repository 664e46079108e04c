"""Ed25519 keys in the text forms of signed notes, and signatures by them.

A verifier key is `<name>+<id>+<key>`: the id is 8 hexadecimal digits, the key is base64 of the byte
1 (Ed25519) and the 32 bytes of the public key (C2SP signed-note). A signer key puts `PRIVATE+KEY+`
in front and holds the 32 bytes of the private seed instead, as Go's golang.org/x/mod/sumdb/note
does.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error as BadBase64
from collections.abc import Sequence
from hashlib import sha256
from typing import Final, Self, final

from attrs import frozen
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from adapters.audit.pack.verify import is_weak
from domain.tlog.checkpoints import Unprovable

_PRIVATE: Final = "PRIVATE+KEY+"
_ED25519: Final = b"\x01"
_SEED_BYTES: Final = 32
_NAME: Final = re.compile(r"[^\s+\x00-\x1f\x7f-\x9f]{1,200}")
_FORM: Final = re.compile(rf"({_NAME.pattern})\+([0-9a-f]{{8}})\+([A-Za-z0-9+/]{{44}})")


def check_name(name: str) -> str:
    """Return a key's name if it can be one.

    Raises:
        Unprovable: if it has blanks or a plus, or is empty or very long.
    """
    if not _NAME.fullmatch(name):
        raise Unprovable("a key's name has 1 to 200 characters, and neither blanks nor a plus")
    return name


def decoded(text: str) -> bytes | None:
    """Return what a text is the one base64 form of (RFC 4648 §4), or None."""
    try:
        octets = b64decode(text, validate=True)
    except (BadBase64, ValueError):
        return None
    return octets if encoded(octets) == text else None


def encoded(octets: bytes) -> str:
    """Return the base64 form of some bytes (RFC 4648 §4)."""
    return b64encode(octets).decode("ascii")


@frozen
class Verifier:
    """A public key under a name."""

    name: str
    key: bytes

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a verifier key.

        Raises:
            Unprovable: if it is none.
        """
        if text.startswith(_PRIVATE):
            # APPSEC: the text is not shown: somebody has taken one key for the other.
            raise Unprovable("the public key is wanted, and this is the private one")
        name, key = _read(text, "the public key", "<name>+<8 hex digits>+<base64>")
        verifier = cls(name, key)
        if str(verifier) != text:
            raise Unprovable(f"the public key of {name} is mistyped: its id is not that of its key")
        if is_weak(key):
            # APPSEC: with such a key there are signatures that are good for any text.
            raise Unprovable(
                f"the public key of {name} is one with which anybody can sign anything"
            )
        return verifier

    @property
    def key_id(self) -> bytes:
        """Return the 4 bytes by which signatures refer to the key."""
        return sha256(f"{self.name}\n".encode() + _ED25519 + self.key).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{encoded(_ED25519 + self.key)}"

    def verifies(self, text: bytes, signature: bytes) -> bool:
        """Say whether the key has signed a text."""
        try:
            Ed25519PublicKey.from_public_bytes(self.key).verify(signature, text)
        except (InvalidSignature, ValueError):
            return False
        return True


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
        wanted = f"{_PRIVATE}<name>+<8 hex digits>+<base64>, as keygen writes it"
        bare = text.removeprefix(_PRIVATE)
        name, seed = _read(bare if bare != text else "", "the signing key", wanted)
        signer = cls(name, Ed25519PrivateKey.from_private_bytes(seed))
        if signer.secret_text() != text:
            raise Unprovable("the signing key is mistyped: its id is not that of its key")
        return signer

    def secret_text(self) -> str:
        """Return the signer key, to be written where only its owner reads."""
        seed = self._key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        verifier = self.verifier
        return f"{_PRIVATE}{verifier.name}+{verifier.key_id.hex()}+{encoded(_ED25519 + seed)}"

    def sign(self, text: bytes) -> bytes:
        """Return the signature of a text."""
        return self._key.sign(text)

    def __repr__(self) -> str:
        return f"Signer({self.verifier.name!r})"

    def __reduce__(self) -> str:
        raise TypeError("a signing key is neither copied nor pickled")


def _read(text: str, what: str, form: str) -> tuple[str, bytes]:
    matched = _FORM.fullmatch(text)
    octets = decoded(matched[3]) if matched else None
    if matched is None or octets is None or octets[:1] != _ED25519:
        raise Unprovable(f"{what} is not of the form {form}")
    return matched[1], octets[1:]
