"""The payload of a delivery: JSON, or a form where the route takes forms."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final, Literal, TypeAlias
from urllib.parse import parse_qsl

from adapters.webhooks.strict_json import Malformed, read_json
from adapters.webhooks.text import quoted, trim

FormKind: TypeAlias = Literal["fields", "payload"]
"""What a form is: an object of its fields, or the JSON in its field `payload`."""

FORM: Final = "application/x-www-form-urlencoded"
_MOST_FIELDS: Final = 1000
_PAYLOAD: Final = "payload"


def is_form(content_type: str) -> bool:
    """Say whether a Content-Type announces a form."""
    return trim(content_type.partition(";")[0]).lower() == FORM


def read_payload(body: bytes, content_type: str, form: FormKind | None) -> Any | Malformed:  # noqa: ANN401 - any JSON value
    """Return the payload that a body holds, or why it holds none; it never raises."""
    if form is None or not is_form(content_type):
        return read_json(body)
    fields = _read_form(body)
    if form == "fields" or isinstance(fields, Malformed):
        return fields
    if _PAYLOAD not in fields:
        return Malformed("the form has no field payload")
    payload = read_json(fields[_PAYLOAD].encode())
    return Malformed(f"payload: {payload.reason}") if isinstance(payload, Malformed) else payload


def _read_form(body: bytes) -> dict[str, str] | Malformed:
    if body.count(b"&") >= _MOST_FIELDS:
        return Malformed(f"the form has more than {_MOST_FIELDS:,} fields")
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(body),
            errors="strict",
        )
    except ValueError:
        return Malformed("the body is no form of UTF-8")
    fields = dict(pairs)
    if len(fields) != len(pairs):
        twice = next(
            name for name, count in Counter(name for name, _ in pairs).items() if count > 1
        )
        return Malformed(f"the field {quoted(twice)} is there twice")
    if any("\0" in text for pair in pairs for text in pair):
        return Malformed("the form has a NUL character")
    return fields
