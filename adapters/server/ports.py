"""What the server is given: who admits a request, who words a refusal, who makes ids."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias

from attrs import asdict, frozen

from adapters.server.crowd import Neighbourhood
from adapters.server.errors import INTERNAL_ERROR, HttpError
from adapters.server.head import Head
from adapters.server.options import ServerOptions
from adapters.server.sockets import LOGGER
from domain.flow.ids import RequestId

RawResponse: TypeAlias = tuple[int, tuple[tuple[str, str], ...], bytes]
"""Status, headers and body; the server adds Date, Content-Length and Connection."""

PiecewiseResponse: TypeAlias = tuple[int, tuple[tuple[str, str], ...], Sequence[bytes]]
"""The same with the body in pieces, of which a large one is sent from where it is."""

MakeResponse: TypeAlias = Callable[[], PiecewiseResponse]


class Permit(Protocol):
    """A place among the requests in flight."""

    @property
    def is_authenticated(self) -> bool:
        """Whether the head that was admitted says who asks, so that its connection is known."""

    @property
    def body_bounds(self) -> tuple[int, float] | None:
        """How long the body may be and take, in seconds, where that is less than for others."""

    def release(self) -> None:
        """Give the place back; the server calls this once, from any thread."""


Admit: TypeAlias = Callable[[Head], Permit | RawResponse | None]
"""Decides on a request when its head is complete, in the I/O thread: it must not block."""


@frozen(kw_only=True)
class Rejection:
    """What the server answers by itself: why, to which request, from which address.

    `peer` is the socket's other end, which behind a proxy is the proxy: what the head says of the
    caller may be what is wrong with it.
    """

    status: int
    code: str
    sentence: str
    request_id: RequestId
    peer: str


RenderError: TypeAlias = Callable[[Rejection], RawResponse]
"""Words a refusal of the server."""


@frozen(kw_only=True)
class Terms:
    """The options and callables under which every connection is served."""

    options: ServerOptions
    admit: Admit
    render_error: RenderError
    new_id: Callable[[], RequestId]
    clock: Callable[[], float]
    neighbourhood: Neighbourhood

    def verdict(self, head: Head) -> Permit | RawResponse | None:
        """Admit a request, or answer that it cannot be."""
        try:
            return self.admit(head)
        except Exception:  # noqa: BLE001 - whatever it is, it is logged and answered 500
            extra = {"request_id": head.request_id}
            LOGGER.exception("admission of request %s failed", head.request_id, extra=extra)
            return self.response_to(INTERNAL_ERROR, head.request_id, head.peer)

    def response_to(self, error: HttpError, request_id: RequestId, peer: str) -> RawResponse:
        """Answer an error."""
        refused = asdict(error) | {"status": error.status}
        return self.render_error(Rejection(**refused, request_id=request_id, peer=peer))
