"""A secret that can be compared and never be read back."""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Final, NoReturn

from adapters.settings.hidden import Hidden
from adapters.settings.placeholders import is_placeholder, is_quoted

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")

SHORT: Final = 16
"""Secrets of fewer characters than this are advised against."""


class Secret(Hidden):
    """Holds the digests of a secret; the secret itself is forgotten at once.

    It compares by identity. It holds no lock and no state, so any number of threads may use it.
    """

    __slots__ = ("_digests", "is_placeholder", "is_quoted", "is_sendable", "is_short")

    _digests: tuple[bytes, ...]
    is_short: bool
    """Whether the secret has fewer than 16 characters."""
    is_sendable: bool
    """Whether the secret can stand in an HTTP header: it has no control characters."""
    is_placeholder: bool
    """Whether the secret is visibly none, but what a template leaves."""
    is_quoted: bool
    """Whether the secret begins and ends with the same quote."""

    def __init__(self, text: str) -> None:
        object.__setattr__(self, "_digests", _digests(text))
        object.__setattr__(self, "is_short", len(text) < SHORT)
        object.__setattr__(self, "is_sendable", not _CONTROL.search(text))
        object.__setattr__(self, "is_placeholder", is_placeholder(text))
        object.__setattr__(self, "is_quoted", is_quoted(text))

    def matches(self, presented: str) -> bool:
        """Return whether a caller presented this secret, in constant time.

        `presented` is a header's value as WSGI hands it over: bytes decoded as Latin-1, trimmed.
        A secret beyond ASCII matches as UTF-8 and as Latin-1 bytes.
        """
        digest = hashlib.sha256(_octets(presented)).digest()
        # APPSEC: every digest is compared before any result is looked at.
        results = [hmac.compare_digest(digest, own) for own in self._digests]
        return any(results)

    def is_same_as(self, other: Secret) -> bool:
        """Return whether two secrets are the same text, for advice at start."""
        return hmac.compare_digest(self._digests[0], other._digests[0])

    def fingerprint(self, salt: bytes) -> str:
        """Return a digest that tells this secret from others, and is slow to make.

        PERF: 40 ms and 16 MiB, on purpose: it bounds how many candidates a reader can try.
        """
        # APPSEC: scrypt (RFC 7914) and a salt of the caller's: a plain SHA-256 of a weak secret is
        # found in a list, and a thousand million candidates a second are tried on it.
        digest = hashlib.scrypt(self._digests[0], salt=salt, n=1 << 14, r=8, p=1, dklen=16)
        return f"scrypt:{digest.hex()}"

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("a secret does not change")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError("a secret does not change")


def _digests(text: str) -> tuple[bytes, ...]:
    """Return the SHA-256 of the secret as UTF-8, then as Latin-1 where that is possible."""
    wire = [text.encode()]
    if not text.isascii() and max(text) <= "\xff":
        wire.append(text.encode("latin-1"))
    return tuple(hashlib.sha256(octets).digest() for octets in wire)


def _octets(presented: str) -> bytes:
    """Return the bytes that were on the wire; text that no header can hold matches nothing."""
    return presented.encode("latin-1", "backslashreplace")
