"""Senders who sign, with the libraries of their vendors; and a gateway whose routes they use."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeAlias

from attrs import evolve, frozen
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from slack_sdk.signature import SignatureVerifier
from standardwebhooks import Webhook
from stripe import WebhookSignature

from adapters.composition.signatures import verify_of
from domain.application.limits import Limits
from domain.flow.ids import RouteId
from tests.settings.workbench import loaded, the_route, with_routes
from tests.webhooks.gateway import Gateway

HeadersSent: TypeAlias = list[tuple[str, str]]

SECRET: Final = "shared-with-the-sender-7d3f"
WHSEC: Final = "whsec_" + base64.b64encode(b"0123456789abcdefghijklmnopqrstuv").decode()
SEED: Final = base64.b64decode("VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk=")
"""The private key of the test of Standard Webhooks' own library for Go."""


@frozen
class Sender:
    """A scheme as it is configured, the key as it is configured, and what signs a body."""

    auth: Mapping[str, Any]
    secret: str
    sign: Callable[[bytes, int], HeadersSent]


def public_key() -> str:
    """Return the public key of the seed, as a configuration has it."""
    public = Ed25519PrivateKey.from_private_bytes(SEED).public_key()
    return "whpk_" + base64.b64encode(public.public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()


def by_hand(key: str, message: bytes) -> hmac.HMAC:
    """Return the MAC of a sender that has no library of its own."""
    return hmac.new(key.encode(), message, hashlib.sha256)


def github(body: bytes, _: int) -> HeadersSent:
    return [("X-Hub-Signature-256", f"sha256={by_hand(SECRET, body).hexdigest()}")]


def stripe(body: bytes, at: int) -> HeadersSent:
    signed = WebhookSignature.generate_signature_header(body.decode(), SECRET, at)
    return [("Stripe-Signature", signed)]


def slack(body: bytes, at: int) -> HeadersSent:
    signed = SignatureVerifier(SECRET).generate_signature(timestamp=str(at), body=body)
    assert signed is not None
    return [("X-Slack-Request-Timestamp", str(at)), ("X-Slack-Signature", signed)]


def standard(body: bytes, at: int) -> HeadersSent:
    moment = datetime.fromtimestamp(at, UTC)
    signed = Webhook(WHSEC).sign("msg_1", moment, body.decode())
    return webhook_headers(at, signed)


def standard_public(body: bytes, at: int) -> HeadersSent:
    message = b"msg_1.%d.%b" % (at, body)
    signature = Ed25519PrivateKey.from_private_bytes(SEED).sign(message)
    return webhook_headers(at, f"v1a,{base64.b64encode(signature).decode()}")


def webhook_headers(at: int, signature: str, message_id: str = "msg_1") -> HeadersSent:
    return [
        ("webhook-id", message_id),
        ("webhook-timestamp", str(at)),
        ("webhook-signature", signature),
    ]


def own_form(body: bytes, at: int) -> HeadersSent:
    signature = by_hand(SECRET, b"%d|%b" % (at, body)).digest()
    return [("X-Sign", f"at={at};hmac {base64.b64encode(signature).decode()}")]


SENDERS: Final[Mapping[str, Sender]] = {
    "github": Sender({"scheme": "github"}, SECRET, github),
    "stripe": Sender({"scheme": "stripe"}, SECRET, stripe),
    "slack": Sender({"scheme": "slack"}, SECRET, slack),
    "standard-webhooks": Sender({"scheme": "standard-webhooks"}, WHSEC, standard),
    "standard-webhooks-v1a": Sender({"scheme": "standard-webhooks"}, public_key(), standard_public),
    "hmac-sha256": Sender(
        {
            "scheme": "hmac-sha256",
            "header": "X-Sign",
            "separator": ";",
            "prefix": "hmac ",
            "encoding": "base64",
            "timestampPrefix": "at=",
            "signed": "{timestamp}|{body}",
        },
        SECRET,
        own_form,
    ),
}
STAMPED: Final = tuple(name for name in SENDERS if name != "github")


def signed_gateway(folder: Path, limits: Limits | None = None, **fields: object) -> Gateway:
    """Return a gateway whose route `zapier` is as a configuration says it, beside `twin`."""
    config = {"sessionKey": "agent:main:main", **fields}
    route = the_route(loaded(folder, with_routes({"zapier": config})))
    gateway = Gateway(limits=limits or Limits(rate_requests=1_000_000))
    served = evolve(
        gateway.route(RouteId("zapier")),
        identify=lambda presented: route.identify(presented, gateway.now),
        verify=verify_of(route, lambda: gateway.now),
        may={key.key_id: key.may for key in route.keys if key.may is not None},
    )
    table = gateway.table([served, gateway.route(RouteId("twin"))])
    gateway.admission.swap(evolve(table, limits=gateway.limits))
    return gateway


def gateway_of(sender: Sender, folder: Path, limits: Limits | None = None) -> Gateway:
    """Return a gateway with a route of one sender."""
    return signed_gateway(folder, limits, secret=sender.secret, auth=sender.auth)


def deliver(gateway: Gateway, headers: HeadersSent, body: bytes) -> tuple[int, bytes]:
    """Hand a request over, head first, as our own server does; return the status and the body."""
    permit = gateway.admit(headers=[("Content-Type", "application/json"), *headers])
    if isinstance(permit, tuple):
        return permit[0], permit[2]
    try:
        return gateway.run_admitted(permit, body)
    finally:
        permit.release()
