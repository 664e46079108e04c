"""Which key a request is signed by: the keys of the settings, in the forms of the webhooks."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TypeAlias

from adapters.settings import InvalidKey, RouteConfig, RouteKey, SignatureKey
from adapters.settings.routes_config import valid_key
from adapters.webhooks.request_context import RequestHead
from adapters.webhooks.routes import Verify
from adapters.webhooks.signatures.forms import SignatureForm, form_of
from adapters.webhooks.signatures.verifying import is_signed_by
from domain.application.ports import Clock
from domain.flow.ids import KeyId

_Signer: TypeAlias = tuple[RouteKey, SignatureKey, SignatureForm]


def verify_of(route: RouteConfig, clock: Clock) -> Verify | None:
    """Return what verifies the requests of a route, or None if they carry its secret."""
    signers: list[_Signer] = [
        (key, key.secret, form_of(key.signature.scheme, key.signature.options))
        for key in route.keys
        if key.signature is not None and isinstance(key.secret, SignatureKey)
    ]
    return partial(_signer, signers, clock) if signers else None


def _signer(
    signers: Sequence[_Signer], clock: Clock, head: RequestHead, body: bytes
) -> KeyId | InvalidKey | None:
    at = clock()
    # APPSEC: a list, not a generator: every key is tried before the first match is taken.
    return valid_key(
        [key for key, secret, form in signers if is_signed_by(secret, form, head, body, at)], at
    )
