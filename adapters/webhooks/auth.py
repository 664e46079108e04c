"""Who asks: the secret that a request presents, and the key that it is."""

from __future__ import annotations

from typing import Final

from adapters.webhooks.request_context import RequestHead
from adapters.webhooks.routes import Identify, KeyNotValid
from adapters.webhooks.text import trim
from domain.flow.ids import KeyId

_BEARER: Final = "bearer "


def authenticate(head: RequestHead, identify: Identify) -> KeyId | KeyNotValid | None:
    """Return the id of the key that a request presents, why it is not valid, or None."""
    presented = _presented(head)
    if not presented:
        return None
    found = identify(presented)
    if found is None and (trimmed := trim(presented)) != presented:
        # NOTE: as Latin-1, a no-break space at the end is blank; as UTF-8, it may be half a letter.
        return identify(trimmed)
    return found


def _presented(head: RequestHead) -> str:
    # APPSEC: a Bearer header wins, also when it is wrong; only without one the other is read.
    authorization = head.value("authorization") or ""
    if trim(authorization).lower().startswith(_BEARER):
        return authorization[len(_BEARER) :].strip(" \t")
    return head.value("x-openclaw-webhook-secret") or ""
