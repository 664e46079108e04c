"""The head of a request: as much of it as decides whether its body is worth reading."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from attrs import field, frozen

_VARIABLES: Final = {
    "content-length": "CONTENT_LENGTH",
    "content-type": "CONTENT_TYPE",
    "content-encoding": "HTTP_CONTENT_ENCODING",
    "authorization": "HTTP_AUTHORIZATION",
    "x-openclaw-webhook-secret": "HTTP_X_OPENCLAW_WEBHOOK_SECRET",
    "x-forwarded-for": "HTTP_X_FORWARDED_FOR",
    "idempotency-key": "HTTP_IDEMPOTENCY_KEY",
}
"""The headers that are read, and where WSGI keeps them; all others are ignored."""

_MOST_DIGITS: Final = 18


@frozen(kw_only=True)
class RequestHead:
    """A request before its body. Values of headers are Latin-1 text, "" where one is absent.

    A repeated `Authorization` or `Content-Type` is its first value; other repeats are joined by
    commas, but for the idempotency keys, which are kept apart, as the content types are.
    """

    method: str
    path: str
    peer: str
    content_length: int | None
    content_types: Sequence[str]
    content_encoding: str
    authorization: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    forwarded_for: str
    idempotency_keys: Sequence[str]

    @property
    def content_type(self) -> str:
        """The type that counts."""
        return self.content_types[0] if self.content_types else ""


def read_head(
    method: str, target: str, headers: Iterable[tuple[str, str]], peer: str
) -> RequestHead:
    """Read a head from a method, a raw request target, and the headers in the order sent."""
    values: dict[str, list[str]] = {}
    for name, value in headers:
        known = name.lower()
        if known in _VARIABLES:
            values.setdefault(known, []).append(value.strip(" \t"))
    return _head(method, target, values, peer)


def head_of(environ: Mapping[str, Any]) -> RequestHead:
    """Read a head from a WSGI environment (PEP 3333).

    NOTE: WSGI joins repeated headers, so here the first value cannot be told from the rest; and
    where a server does not keep the raw target, the path is the decoded one.
    """
    target = environ.get("REQUEST_URI") or environ.get("RAW_URI") or environ["PATH_INFO"]
    values = {
        name: (environ[variable].strip(" \t"),)
        for name, variable in _VARIABLES.items()
        if variable in environ
    }
    return _head(environ["REQUEST_METHOD"], target, values, environ.get("REMOTE_ADDR", ""))


def _head(method: str, target: str, values: Mapping[str, Sequence[str]], peer: str) -> RequestHead:
    return RequestHead(
        method=method,
        path=target.partition("?")[0],
        peer=peer,
        content_length=read_length(_first(values, "content-length")),
        content_types=values.get("content-type", ()),
        content_encoding=_joined(values, "content-encoding"),
        authorization=_first(values, "authorization"),
        webhook_secret=_joined(values, "x-openclaw-webhook-secret"),
        forwarded_for=_joined(values, "x-forwarded-for"),
        idempotency_keys=values.get("idempotency-key", ()),
    )


def _first(values: Mapping[str, Sequence[str]], name: str) -> str:
    return values[name][0] if name in values else ""


def _joined(values: Mapping[str, Sequence[str]], name: str) -> str:
    return ", ".join(values[name]) if name in values else ""


def read_length(text: str) -> int | None:
    """Return a declared length in bytes, or None; what is no length is the server's to refuse."""
    if not (text.isascii() and text.isdigit()):
        return None
    # NOTE: Python refuses to read very long integers; this one is too large by far, and enough.
    return int(text) if len(text) <= _MOST_DIGITS else int("9" * _MOST_DIGITS)
