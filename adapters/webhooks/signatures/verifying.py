"""Is a request signed by a key? Whatever was sent, the answer is yes or no; nothing is raised."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

from attrs import frozen

from adapters.webhooks.request_context import RequestHead
from adapters.webhooks.signatures.forms import Encoding, SignatureForm
from domain.flow.values import Timestamp

MOST_ITEMS: Final = 16
"""PERF: each of them may be a signature, and one of Ed25519 takes 0.1 ms to verify."""

_PARTS: Final = re.compile(r"\{(id|timestamp|body)\}")
_HEX: Final = re.compile(r"(?:[0-9a-f]{2})+", re.ASCII)
_SECONDS: Final = re.compile(r"[0-9]{1,12}", re.ASCII)
# APPSEC: without the signs that stand between the parts of what is signed, so that one signed text
# cannot be split in two ways.
_ID: Final = re.compile(r"[A-Za-z0-9_/+=@~-]{1,255}", re.ASCII)


class VerificationKey(Protocol):
    """A key that verifies signatures and shows nothing."""

    @property
    def is_public(self) -> bool:
        """Whether it is the public half of a pair."""

    def verifies(self, message: bytes, signatures: Sequence[bytes]) -> bool:
        """Return whether one of some signatures is the key's; all are compared."""


@frozen
class _Sent:
    """What a request has that a signature needs."""

    items: Sequence[str]
    signed: Mapping[str, bytes]


def is_signed_by(
    key: VerificationKey, form: SignatureForm, head: RequestHead, body: bytes, at: Timestamp
) -> bool:
    """Return whether a request is signed by a key, at about a moment."""
    sent = _read(form, head, body, at)
    prefix = form.public_prefix if key.is_public else form.prefix
    if sent is None or prefix is None:
        return False
    texts = [item.removeprefix(prefix) for item in sent.items if item.startswith(prefix)]
    found = [_DECODERS[form.encoding](text) for text in texts]
    literals = _PARTS.split(form.signed)
    message = b"".join(
        sent.signed[part] if number % 2 else part.encode() for number, part in enumerate(literals)
    )
    return key.verifies(message, [signature for signature in found if signature is not None])


def _read(form: SignatureForm, head: RequestHead, body: bytes, at: Timestamp) -> _Sent | None:
    header = _only(head.values(form.header))
    items = [header or ""] if form.separator is None else (header or "").split(form.separator)
    if not header or len(items) > MOST_ITEMS:
        return None
    signed = {"body": body}
    for name, text, pattern in (
        ("id", _identifier(form, head), _ID),
        ("timestamp", _stamp(form, head, items), _SECONDS),
    ):
        if text is None or (text and not pattern.fullmatch(text)):
            return None
        signed[name] = text.encode()
    stamp = signed["timestamp"]
    if stamp and abs(at - int(stamp) * 1000) > form.tolerance_seconds * 1000:
        return None
    return _Sent(items, signed)


# Each of these returns "" where the form has no such part, and None where the request lacks it.


def _identifier(form: SignatureForm, head: RequestHead) -> str | None:
    return "" if form.id_header is None else _only(head.values(form.id_header))


def _stamp(form: SignatureForm, head: RequestHead, items: Sequence[str]) -> str | None:
    if form.timestamp_header is not None:
        return _only(head.values(form.timestamp_header))
    prefix = form.timestamp_prefix
    if prefix is None:
        return ""
    return _only([item.removeprefix(prefix) for item in items if item.startswith(prefix)])


def _only(values: Sequence[str]) -> str | None:
    """Return the only value. APPSEC: of two, another reader may take the other one."""
    return values[0] or None if len(values) == 1 else None


def _from_hex(text: str) -> bytes | None:
    # APPSEC: one spelling only, and so for base64: whatever was changed on the way is refused.
    return bytes.fromhex(text) if _HEX.fullmatch(text) else None


def _from_base64(text: str) -> bytes | None:
    try:
        octets = base64.b64decode(text, validate=True)
    except ValueError:  # beyond ASCII, or no base64
        return None
    return octets if base64.b64encode(octets).decode() == text else None


_DECODERS: Final[Mapping[Encoding, Callable[[str], bytes | None]]] = {
    "hex": _from_hex,
    "base64": _from_base64,
}
