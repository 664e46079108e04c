"""Keys that verify the signatures of requests: each is a secret that no caller ever presents."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from typing import final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from adapters.settings.secret import Secret


class SignatureKey(Secret):
    """A secret that verifies signatures. APPSEC: presented as a bearer's, it matches nothing."""

    __slots__ = ()

    is_public = False
    """Whether the key can only verify, and not sign."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        object.__setattr__(self, "is_sendable", True)

    def matches(self, presented: str) -> bool:  # noqa: ARG002 - whatever it is
        """Return False: who has the key signs with it, and does not send it."""
        return False

    def verifies(self, message: bytes, signatures: Sequence[bytes]) -> bool:
        """Return whether one of some signatures is the key's, of a message; all are compared."""
        raise NotImplementedError


@final
class HmacKey(SignatureKey):
    """A key of HMAC-SHA256 (RFC 2104)."""

    # APPSEC: it must stay in memory, but as the state of a MAC: no attribute holds its octets.
    __slots__ = ("_mac",)

    _mac: hmac.HMAC

    def __init__(self, text: str, octets: bytes) -> None:
        super().__init__(text)
        object.__setattr__(self, "_mac", hmac.new(octets, digestmod=hashlib.sha256))

    def verifies(self, message: bytes, signatures: Sequence[bytes]) -> bool:
        """Return whether one of some signatures is the key's, of a message; all are compared."""
        mac = self._mac.copy()
        mac.update(message)
        expected = mac.digest()
        # APPSEC: every signature is compared before any result is looked at.
        results = [hmac.compare_digest(expected, signature) for signature in signatures]
        return any(results)


@final
class Ed25519Key(SignatureKey):
    """A public key of Ed25519 (RFC 8032), of 32 octets."""

    __slots__ = ("_key",)

    _key: Ed25519PublicKey
    is_public = True

    def __init__(self, text: str, octets: bytes) -> None:
        super().__init__(text)
        object.__setattr__(self, "_key", Ed25519PublicKey.from_public_bytes(octets))

    def verifies(self, message: bytes, signatures: Sequence[bytes]) -> bool:
        """Return whether one of some signatures is the key's, of a message; all are tried."""
        results = [self._has_signed(message, signature) for signature in signatures]
        return any(results)

    def _has_signed(self, message: bytes, signature: bytes) -> bool:
        try:
            self._key.verify(signature, message)
        except InvalidSignature:
            return False
        return True
