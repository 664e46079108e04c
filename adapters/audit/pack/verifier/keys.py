"""Public keys in their text form (C2SP signed-note), and those that a pack was made for."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import NamedTuple, Self

from adapters.audit.pack.verifier.forms import (
    Unchecked,
    Wrong,
    Wrongs,
    decode_base64,
    encode_base64,
)
from adapters.audit.pack.verifier.pack_files import Pack

ID_BYTES, ED25519, PRIVATE = 4, b"\x01", "PRIVATE+KEY+"
KEY_NAME = re.compile(r"[^\s+\x00-\x1f\x7f-\x9f]{1,200}")
KEY = re.compile(rf"({KEY_NAME.pattern})\+([0-9a-f]{{8}})\+([A-Za-z0-9+/]{{44}})")
PRIME = (1 << 255) - 19
EIGHTH = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
SMALL_ORDER = {0, 1, PRIME - 1, EIGHTH, PRIME - EIGHTH}


class PublicKey(NamedTuple):
    """An Ed25519 key under a name; as a text it is `<name>+<id>+<key>`.

    The id is 8 hexadecimal digits, the key is base64 of the byte 1 (Ed25519) and 32 bytes.
    """

    name: str
    key: bytes

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a key; raise `Wrong` if the text is none."""
        if text.startswith(PRIVATE):
            # APPSEC: the text is not shown: somebody has taken one key for the other.
            raise Wrong("the public key is wanted, and this is the private one")
        name, octets = read_key_text(text, "the public key", "<name>+<8 hex digits>+<base64>")
        key = cls(name, octets)
        if str(key) != text:
            raise Wrong(f"the public key of {name} is mistyped: its id is not that of its key")
        if is_weak(octets):
            raise Wrong(f"the public key of {name} is one with which anybody can sign anything")
        return key

    @property
    def key_id(self) -> bytes:
        """Return the bytes by which signatures refer to the key."""
        return sha256(f"{self.name}\n".encode() + ED25519 + self.key).digest()[:ID_BYTES]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{encode_base64(ED25519 + self.key)}"

    def verifies(self, text: bytes, signature: bytes) -> bool:
        """Say whether the key has signed a text; this alone needs the package `cryptography`."""
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - all else works without it
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415 - the same

        try:
            Ed25519PublicKey.from_public_bytes(self.key).verify(signature, text)
        except (InvalidSignature, ValueError):
            return False
        return True


def read_key_text(text: str, what: str, form: str) -> tuple[str, bytes]:
    """Return the name and the 32 bytes of a key, public or private; its id is not looked at."""
    matched = KEY.fullmatch(text)
    try:
        octets = decode_base64(matched[3]) if matched else b""
    except ValueError:
        octets = b""
    if matched is None or octets[:1] != ED25519:
        raise Wrong(f"{what} is not of the form {form}")
    return matched[1], octets[1:]


def is_weak(key: bytes) -> bool:
    """Say whether an Ed25519 key is a point of small order, or not in its one form.

    With a point of order 1, 2, 4 or 8 there are signatures that are good for any text, or for one
    text in so many (RFC 8032 §5.1.3 on the form; the sign of x, the first bit, does not matter).
    """
    y = int.from_bytes(key, "little") & ((1 << 255) - 1)
    return y >= PRIME or y in SMALL_ORDER


def check_key(pack: Pack) -> str:
    """Check that the keys of the pack are among those that its reader was given."""
    for key in pack.keys:
        PublicKey.parse(key)
    named = ", ".join(pack.keys)
    if not pack.given_keys:
        raise Unchecked(f"compare it with the key that you were given (or: --key KEY): {named}")
    wrongs = Wrongs()
    for key in pack.keys:
        if key not in pack.given_keys:
            wrongs.add(f"the pack was made for another key: {key}")
    wrongs.check()
    return f"{named}, as given"
