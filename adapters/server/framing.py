"""Where a request ends: the body that its head announces (RFC 9112 §6), or why that is unclear.

APPSEC: each rule closes a shape of request smuggling, in which a proxy before this server and the
server itself would disagree about where the next request begins.
"""

from __future__ import annotations

import re
from typing import Final

from adapters.server.body import Body, ChunkedBody, SizedBody
from adapters.server.errors import (
    BODY_TOO_LARGE,
    UNKNOWN_CODING,
    UNKNOWN_EXPECTATION,
    HttpError,
    bad_request,
)
from adapters.server.head import Head

# NOTE: 18 digits fit into the 64-bit integers of every proxy; Python refuses to read 5,000.
_LENGTH: Final = re.compile(r"[0-9]{1,18}")
_CODINGS: Final = re.compile(r"(?:[!#$%&'*+\-.^_`|~0-9a-z]+[ \t]*,[ \t]*)+chunked")
_HOST: Final = re.compile(r"[0-9A-Za-z\-._~%!$&'()*+,;=:\[\]]*")


def frame(head: Head, limit: int) -> Body | HttpError:
    """Return the body, of at most `limit` bytes, that follows `head`."""
    return _host_fault(head) or _body(head, limit)


def awaits_continue(head: Head) -> bool | HttpError:
    """Whether the caller waits for `100 Continue` before its body (RFC 9110 §10.1.1)."""
    values = head.values("expect")
    if not values or head.version == "1.0":
        return False
    if tuple(value.lower() for value in values) != ("100-continue",):
        return UNKNOWN_EXPECTATION
    return True


def _host_fault(head: Head) -> HttpError | None:
    hosts = head.values("host")
    if len(hosts) > 1:
        return bad_request("The request has more than one Host")
    if not hosts and head.version == "1.1":
        return bad_request("The request has no Host")
    if hosts and not _HOST.fullmatch(hosts[0]):
        return bad_request("The Host is malformed")
    return None


def _body(head: Head, limit: int) -> Body | HttpError:
    lengths, codings = head.values("content-length"), head.values("transfer-encoding")
    if lengths and codings:
        return bad_request("The request has both Content-Length and Transfer-Encoding")
    if codings:
        return _coding_fault(head.version, codings) or ChunkedBody(limit)
    return _sized(lengths, limit)


def _coding_fault(version: str, codings: tuple[str, ...]) -> HttpError | None:
    value = codings[0].lower()
    if len(codings) > 1 or version == "1.0":
        return bad_request("Transfer-Encoding is repeated, or sent with HTTP/1.0")
    if value == "chunked":
        return None
    if _CODINGS.fullmatch(value) and value.count("chunked") == 1:
        return UNKNOWN_CODING
    return bad_request("Transfer-Encoding does not end in one chunked")


def _sized(lengths: tuple[str, ...], limit: int) -> SizedBody | HttpError:
    if len(lengths) > 1:
        return bad_request("Content-Length is repeated")
    if lengths and not _LENGTH.fullmatch(lengths[0]):
        return bad_request("Content-Length is malformed")
    length = int(lengths[0]) if lengths else 0
    return BODY_TOO_LARGE if length > limit else SizedBody(length)
