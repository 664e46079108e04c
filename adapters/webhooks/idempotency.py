"""Idempotency keys: a caller that sends one may send its request again without harm."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Final

from adapters.webhooks.fields import Issue
from domain.records import RequestKey

_KEY: Final = re.compile(r"[!-~]{1,255}")


def request_key(route_id: str, keys: Sequence[str], body: bytes) -> RequestKey | Issue | None:
    """Return the key of a request as its headers give it, if they do; `body` is the raw one."""
    if not keys:
        return None
    if len(keys) > 1:
        return Issue(f"Idempotency-Key: Invalid input: expected one header, received {len(keys)}")
    if not _KEY.fullmatch(keys[0]):
        return Issue("Idempotency-Key: Invalid input: expected 1 to 255 visible ASCII characters")
    return RequestKey(route_id=route_id, key=keys[0], request_hash=hashlib.sha256(body).hexdigest())
