"""A request as far as its head alone decides on it."""

from __future__ import annotations

from typing import TypeAlias

from attrs import frozen

from adapters.server.errors import BODY_TOO_LARGE, HttpError
from adapters.server.exchange import Exchange, open_exchange
from adapters.server.head import Head, read_head, take_head
from adapters.server.ports import Permit, RawResponse, Terms
from adapters.server.responses import whole_response
from adapters.server.sockets import LOGGER
from domain.flow.lean_frozen import lean_frozen


@frozen
class FaultyRequest:
    """A request that the server itself refuses; its head may be unknown."""

    error: HttpError
    head: Head | None = None

    def answer(self, peer: str, terms: Terms) -> bytes:
        """Return the answer, after which its connection ends."""
        error, head = self.error, self.head
        request_id = terms.new_id() if head is None else head.request_id
        extra = {"request_id": request_id, "status": error.status, "code": error.code}
        LOGGER.debug("refused %s: %d %s", request_id, error.status, error.code, extra=extra)
        response = terms.response_to(error, request_id, peer)
        return whole_response(response, "" if head is None else head.method, None)


@lean_frozen
class JudgedRequest:
    """A request that was let in, or has its answer."""

    exchange: Exchange
    verdict: Permit | RawResponse | None

    @property
    def is_authenticated(self) -> bool:
        """Whether the head says who asks, who may."""
        verdict = self.verdict
        return not (verdict is None or isinstance(verdict, tuple)) and verdict.is_authenticated

    @property
    def is_ready(self) -> bool:
        """Whether it was let in, and is complete without a body."""
        return not (isinstance(self.verdict, tuple) or self.exchange.pending)


RequestOnHead: TypeAlias = JudgedRequest | FaultyRequest


def judge_head(raw: bytes | HttpError, peer: str, terms: Terms) -> RequestOnHead:
    """Decide on a request by the bytes of its whole head, if they can be one."""
    head = raw if isinstance(raw, HttpError) else read_head(raw, peer=peer, new_id=terms.new_id)
    if isinstance(head, HttpError):
        return FaultyRequest(head)
    exchange = open_exchange(head, terms.options.limits.body_bytes)
    if isinstance(exchange, HttpError):
        return FaultyRequest(exchange, head)
    return JudgedRequest(exchange, terms.verdict(head))


def judge_first(inbox: bytearray, peer: str, terms: Terms) -> RequestOnHead | None:
    """Take a whole head from what came first over a connection, and decide; None without one."""
    raw = take_head(inbox, terms.options.head_bytes) if inbox else None
    return None if raw is None else judge_head(raw, peer, terms)


def last_answer(
    request: RequestOnHead | None, inbox: bytearray, peer: str, terms: Terms
) -> bytes | None:
    """Return the answer to a request that is not let in, if its connection may end with it.

    It may not where the rest of a body is still to come: a socket that is closed with unread bytes
    is reset, which takes the answer away. Who waits for 100 Continue sends nothing more.
    """
    match request:
        case FaultyRequest(error):
            return None if error is BODY_TOO_LARGE else request.answer(peer, terms)
        case JudgedRequest(exchange, tuple(verdict)) if _is_over(exchange, inbox):
            return whole_response(verdict, exchange.head.method, None)
        case _:
            return None


def _is_over(exchange: Exchange, inbox: bytearray) -> bool:
    if not exchange.awaits_continue:
        progress = exchange.body.take(inbox)
        if isinstance(progress, HttpError):  # nobody knows where such a body ends
            return True
        exchange.pending = not progress
    return not inbox and (exchange.awaits_continue or not exchange.pending)
