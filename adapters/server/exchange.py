"""One request on its way through the server: head, body, permit."""

from __future__ import annotations

from threading import Lock

from attrs import Factory, define

from adapters.server.body import Body, ChunkedBody, SizedBody
from adapters.server.errors import BODY_TOO_LARGE, HttpError
from adapters.server.head import Head
from adapters.server.ports import Permit


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
        return self.head.said.version

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
    framing = head.said.framing
    if isinstance(framing, HttpError):
        return framing
    length, expectation = framing.length, framing.expectation
    if length is not None and length > body_limit:
        return BODY_TOO_LARGE
    if isinstance(expectation, HttpError):
        return expectation
    body = ChunkedBody(body_limit) if length is None else SizedBody(length)
    pending = length != 0
    return Exchange(head=head, body=body, pending=pending, awaits_continue=expectation and pending)
