"""Idempotency keys: a caller that sends one may send its request again without harm."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Final

from adapters.webhooks.fields import Issue
from domain.application.recorded_events import RequestKey
from domain.flow.ids import RouteId

_BARE: Final = re.compile(r"[!#-~][!-~]*")
_CHARACTERS: Final = r'(?:[ !#-\[\]-~]|\\["\\])*'
_PARAMETERS: Final = (
    r"(?:; *[a-z*][a-z0-9_.*-]*(?:="
    rf'(?:"{_CHARACTERS}"|[A-Za-z*][!#$%&\'*+.^_`|~:/0-9A-Za-z-]*|-?[0-9]{{1,15}}(?:\.[0-9]{{1,3}})?'
    r'|:[0-9A-Za-z+/=]*:|\?[01]|@-?[0-9]{1,15}|%"[ !#-~]*"))?)*'
)
_QUOTED: Final = re.compile(rf'"({_CHARACTERS})"{_PARAMETERS}')
"""A string as an item with parameters, which say nothing here (RFC 9651 §3.3.3 and §3.1.2)."""
_MOST: Final = 255
_ITS_CHARACTERS: Final = _CHARACTERS.removesuffix("*") + f"{{1,{_MOST}}}"
KEY_PATTERN: Final = (
    rf'^(?:{_BARE.pattern.removesuffix("*")}{{0,{_MOST - 1}}}|"{_ITS_CHARACTERS}"{_PARAMETERS})$'
)
"""The same for machines that know JSON Schema."""

_WORDS: Final = "Idempotency-Key: Invalid input: expected"


def request_key(route_id: RouteId, keys: Sequence[str], body: bytes) -> RequestKey | Issue | None:
    """Return the key of a request as its headers give it, if they do; `body` is the raw one."""
    if not keys:
        return None
    if len(keys) > 1:
        return Issue(f"{_WORDS} one header, received {len(keys)}")
    text = _text(keys[0])
    if isinstance(text, Issue):
        return text
    spellings = _spellings(text, keys[0])
    return RequestKey(
        route_id=route_id,
        key=spellings[0],
        request_hash=hashlib.sha256(body).hexdigest(),
        aliases=spellings[1:],
    )


def delivery_key(route_id: RouteId, delivery_id: str, document: bytes) -> RequestKey:
    """Return the key of a delivery by its sender's id; `document` is what it was mapped to.

    NOTE: senders may write an event anew for each attempt, so it is not the raw body that has to
    be the same. An id that no header could hold is kept as its digest.
    """
    fits = len(delivery_id) <= _MOST and _BARE.fullmatch(delivery_id)
    key = delivery_id if fits else f"sha256:{hashlib.sha256(delivery_id.encode()).hexdigest()}"
    digest = hashlib.sha256(document).hexdigest()
    return RequestKey(route_id=route_id, key=key, request_hash=digest)


def _text(sent: str) -> str | Issue:
    """Return what a key says: a string of Structured Fields, or any visible ASCII as it is."""
    quoted = _QUOTED.fullmatch(sent)
    if sent.startswith('"') and quoted is None:
        return Issue(f"{_WORDS} a string as in RFC 9651, received an opening quote and no such end")
    text = sent if quoted is None else re.sub(r"\\(.)", r"\1", quoted[1])
    if not (0 < len(text) <= _MOST) or (quoted is None and not _BARE.fullmatch(text)):
        return Issue(f"{_WORDS} 1 to {_MOST} visible ASCII characters")
    return text


def _spellings(text: str, sent: str) -> tuple[str, ...]:
    """Return how a key is stored, and then how earlier releases may have stored it: as sent.

    NOTE: a key that begins with a quote itself is stored quoted, so that a stored text that begins
    with one is always a quoted key.
    """
    quoted = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    stored = quoted if text.startswith('"') else text
    return tuple(dict.fromkeys((stored, sent, quoted)))
