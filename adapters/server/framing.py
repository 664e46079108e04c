"""Where the body of a request ends, as its head says (RFC 9112 §6).

APPSEC: each rule closes a shape of request smuggling, in which a proxy before this server and the
server itself would disagree about where the next request begins.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from attrs import frozen

from adapters.server.errors import UNKNOWN_CODING, UNKNOWN_EXPECTATION, HttpError, bad_request

# NOTE: 18 digits fit into the 64-bit integers of every proxy; Python refuses to read 5,000.
_LENGTH: Final = re.compile(r"[0-9]{1,18}")
_CODINGS: Final = re.compile(r"(?:[!#$%&'*+\-.^_`|~0-9a-z]+[ \t]*,[ \t]*)+chunked")
_HOST: Final = re.compile(r"[0-9A-Za-z\-._~%!$&'()*+,;=:\[\]]*")

FieldValues = Callable[[str], tuple[str, ...]]
"""Returns every value of a field (lower case), in the order sent."""


@frozen
class Framing:
    """The length of a body in bytes, None if it comes in chunks, and what is expected before it.

    `expectation` is whether the caller waits for `100 Continue` (RFC 9110 §10.1.1), or why that
    cannot be said.
    """

    length: int | None
    expectation: bool | HttpError


def read_framing(version: str, values: FieldValues) -> Framing | HttpError:
    """Read where a body ends, or say why nobody can."""
    length = _host_fault(version, values("host")) or _length(
        version, values("content-length"), values("transfer-encoding")
    )
    if isinstance(length, HttpError):
        return length
    return Framing(length, _expectation(version, values("expect")))


def _host_fault(version: str, hosts: tuple[str, ...]) -> HttpError | None:
    if len(hosts) > 1:
        return bad_request("The request has more than one Host")
    if not hosts and version == "1.1":
        return bad_request("The request has no Host")
    if hosts and not _HOST.fullmatch(hosts[0]):
        return bad_request("The Host is malformed")
    return None


def _length(
    version: str, lengths: tuple[str, ...], codings: tuple[str, ...]
) -> int | HttpError | None:
    if lengths and codings:
        return bad_request("The request has both Content-Length and Transfer-Encoding")
    if codings:
        return _coding_fault(version, codings)
    if len(lengths) > 1:
        return bad_request("Content-Length is repeated")
    if lengths and not _LENGTH.fullmatch(lengths[0]):
        return bad_request("Content-Length is malformed")
    return int(lengths[0]) if lengths else 0


def _coding_fault(version: str, codings: tuple[str, ...]) -> HttpError | None:
    value = codings[0].lower()
    if len(codings) > 1 or version == "1.0":
        return bad_request("Transfer-Encoding is repeated, or sent with HTTP/1.0")
    if value == "chunked":
        return None
    if _CODINGS.fullmatch(value) and value.count("chunked") == 1:
        return UNKNOWN_CODING
    return bad_request("Transfer-Encoding does not end in one chunked")


def _expectation(version: str, values: tuple[str, ...]) -> bool | HttpError:
    if not values or version == "1.0":
        return False
    if tuple(value.lower() for value in values) != ("100-continue",):
        return UNKNOWN_EXPECTATION
    return True
