"""A request as far as its head alone decides on it."""

from __future__ import annotations

from typing import TypeAlias

from attrs import frozen

from adapters.server.errors import HttpError
from adapters.server.exchange import Exchange, open_exchange
from adapters.server.head import Head, read_head
from adapters.server.ports import Permit, RawResponse, Terms
from adapters.server.responses import whole_response


@frozen
class FaultyRequest:
    """A request that the server itself refuses; its head may be unknown."""

    error: HttpError
    head: Head | None = None

    def last_answer(self, _inbox: bytearray) -> None:
        """Leave the answer to the channel, which waits until the caller has read it."""


@frozen
class JudgedRequest:
    """A request that was let in, or has its answer."""

    exchange: Exchange
    verdict: Permit | RawResponse | None

    def last_answer(self, inbox: bytearray) -> bytes | None:
        """Return the answer to a request that is not let in, if the connection may end with it.

        It may if nothing of the request is still to come: a socket that is closed with unread bytes
        is reset, which takes the answer away. Who waits for 100 Continue sends nothing more.
        """
        if not isinstance(self.verdict, tuple):
            return None
        exchange = self.exchange
        is_whole = exchange.awaits_continue or exchange.body.take(inbox) is True
        is_last = is_whole and not inbox
        return whole_response(self.verdict, exchange.head.method, None) if is_last else None


RequestOnHead: TypeAlias = JudgedRequest | FaultyRequest


def judge(raw: bytes, peer: str, terms: Terms) -> RequestOnHead:
    """Decide on a request by the bytes of its whole head."""
    head = read_head(raw, peer=peer, new_id=terms.new_id)
    if isinstance(head, HttpError):
        return FaultyRequest(head)
    exchange = open_exchange(head, terms.options.limits.body_bytes)
    if isinstance(exchange, HttpError):
        return FaultyRequest(exchange, head)
    return JudgedRequest(exchange, terms.verdict(head))
