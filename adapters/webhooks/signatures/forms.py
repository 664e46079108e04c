"""Where a signature stands in a request, how it is written, and what it signs: one form for all.

GitHub: docs.github.com, Validating webhook deliveries. Stripe: docs.stripe.com/webhooks/signatures.
Slack: docs.slack.dev, Verifying requests from Slack. Standard Webhooks 1.0: its specification.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, TypeAlias

from attrs import evolve, frozen

Encoding: TypeAlias = Literal["hex", "base64"]


@frozen(kw_only=True)
class SignatureForm:
    """A scheme of signatures; names of headers are in lower case.

    `header` has one signature behind `prefix`, or several items between `separator`, of which those
    with the prefix are signatures (with `public_prefix` if the key is a public one). The time
    stamp, in seconds, stands in a header of its own or in the item with `timestamp_prefix`; it may
    differ by `tolerance_seconds` from the clock, either way. `signed` is what is signed: `{id}`,
    `{timestamp}` and `{body}` stand in it for what was sent.
    """

    header: str
    prefix: str = ""
    public_prefix: str | None = None
    separator: str | None = None
    encoding: Encoding = "hex"
    timestamp_header: str | None = None
    timestamp_prefix: str | None = None
    tolerance_seconds: float = 300.0
    id_header: str | None = None
    signed: str = "{body}"


PRESETS: Final[Mapping[str, SignatureForm]] = {
    "github": SignatureForm(header="x-hub-signature-256", prefix="sha256="),
    "stripe": SignatureForm(
        header="stripe-signature",
        separator=",",
        prefix="v1=",
        timestamp_prefix="t=",
        signed="{timestamp}.{body}",
    ),
    "slack": SignatureForm(
        header="x-slack-signature",
        prefix="v0=",
        timestamp_header="x-slack-request-timestamp",
        signed="v0:{timestamp}:{body}",
    ),
    "standard-webhooks": SignatureForm(
        header="webhook-signature",
        separator=" ",
        prefix="v1,",
        public_prefix="v1a,",
        encoding="base64",
        id_header="webhook-id",
        timestamp_header="webhook-timestamp",
        signed="{id}.{timestamp}.{body}",
    ),
    "hmac-sha256": SignatureForm(header=""),
}
"""What each scheme is, before anything is set of it; the last one has no header of its own."""


def form_of(scheme: str, options: Mapping[str, Any]) -> SignatureForm:
    """Return the form of a scheme with what is set of it."""
    return evolve(PRESETS[scheme], **options)
