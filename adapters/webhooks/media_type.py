"""Whether a request's body is announced as JSON, and what is announced instead."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from adapters.webhooks.mapping.payloads import FORM, is_form
from adapters.webhooks.request_context import RequestHead
from adapters.webhooks.text import quoted, trim

_JSON: Final = "application/json"


def media_type_fault(head: RequestHead, *, takes_forms: bool = False) -> str | None:
    """Return what is wrong with a request's Content-Type or Content-Encoding.

    NOTE: parameters are ignored, a charset too, as in the reference: the body itself shows it.
    """
    content_type = head.value("content-type") or ""
    if not (_is_json(content_type) or (takes_forms and is_form(content_type))):
        expected = f"{FORM}, {_JSON}" if takes_forms else _JSON
        sent = _sent(head.values("content-type"))
        return f"expected {expected} or application/*+json, got {sent}"
    coding = head.value("content-encoding") or ""
    if coding.lower() not in {"", "identity"}:
        return f"expected a body without content coding, got Content-Encoding {quoted(coding)}"
    return None


def _is_json(content_type: str) -> bool:
    if content_type == _JSON:
        return True
    kind = trim(content_type.partition(";")[0]).lower()
    return kind == _JSON or kind.endswith("+json")


def _sent(content_types: Sequence[str]) -> str:
    if not content_types:
        return "no Content-Type"
    shown, count = quoted(content_types[0]), len(content_types)
    return f"{shown}, the first of {count} Content-Type fields" if count > 1 else shown
