"""One request on its way through the server: head, body, permit.

APPSEC: each rule of where a body ends (RFC 9112 §6) closes a shape of request smuggling, in which a
proxy before this server and the server itself would disagree about where the next request begins.
"""

from __future__ import annotations

import re
from threading import Lock
from typing import Final

from attrs import Factory, define

from adapters.server.body import Body, ChunkedBody, SizedBody
from adapters.server.errors import (
    BODY_TOO_LARGE,
    UNKNOWN_CODING,
    UNKNOWN_EXPECTATION,
    HttpError,
    bad_request,
)
from adapters.server.head import Head
from adapters.server.ports import Permit

# NOTE: 18 digits fit into the 64-bit integers of every proxy; Python refuses to read 5,000.
_LENGTH: Final = re.compile(r"[0-9]{1,18}")
_CODINGS: Final = re.compile(r"(?:[!#$%&'*+\-.^_`|~0-9a-z]+[ \t]*,[ \t]*)+chunked")
_HOST: Final = re.compile(r"[0-9A-Za-z\-._~%!$&'()*+,;=:\[\]]*")


@define(eq=False, kw_only=True)
class Exchange:
    """A request whose head is complete.

    One thread at a time owns it: the I/O thread until its body is complete, then the worker that
    runs the application. Its permit is released by whichever thread sends the end of its answer.
    """

    head: Head
    body: Body
    pending: bool
    """Whether the head announces a body."""
    awaits_continue: bool
    permit: Permit | None = None
    _lock: Lock = Factory(Lock)

    @property
    def command(self) -> str:
        """The method, by the name that waitress' task looks for."""
        return self.head.method

    @property
    def version(self) -> str:
        """The HTTP version, by the name that waitress' task looks for."""
        return self.head.version

    def release(self) -> None:
        """Release the permit, if there is one and it was not released before."""
        if self.permit is None:
            return
        with self._lock:
            permit, self.permit = self.permit, None
        if permit is not None:
            permit.release()


def open_exchange(head: Head, body_limit: int) -> Exchange | HttpError:
    """Begin the exchange that `head` asks for, or say why it cannot be."""
    body = _frame(head, body_limit)
    if isinstance(body, HttpError):
        return body
    expectation = _awaits_continue(head)
    if isinstance(expectation, HttpError):
        return expectation
    pending = body.take(bytearray()) is not True
    return Exchange(head=head, body=body, pending=pending, awaits_continue=expectation and pending)


def _frame(head: Head, limit: int) -> Body | HttpError:
    """Return the body, of at most `limit` bytes, that follows `head`."""
    return _host_fault(head) or _body(head, limit)


def _awaits_continue(head: Head) -> bool | HttpError:
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
