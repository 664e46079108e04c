"""One connection's requests, one after the other: read, admitted, handed over, answered.

The phases and their order stand in `phase`. All of this happens in the I/O thread.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, ClassVar, assert_never

from adapters.server import errors
from adapters.server.answering import AnsweringConnection
from adapters.server.errors import HttpError
from adapters.server.exchange import Exchange
from adapters.server.head import BLANK_LINE, begins_request, take_head
from adapters.server.judged import FaultyRequest, RequestOnHead, judge_head
from adapters.server.phase import READ_ALWAYS, SWALLOWING, Phase
from adapters.server.ports import RawResponse
from adapters.server.responses import CONTINUE, whole_response


class Channel(AnsweringConnection):
    """What happens to the bytes of a connection in each of its phases."""

    def __init__(self, *given: Any, **named: Any) -> None:  # noqa: ANN401 - as waitress calls it
        super().__init__(*given, **named)
        self._inbox = bytearray()
        self._exchange: Exchange | None = None
        self._has_turn_coming = False

    # Reading

    def readable(self) -> bool:
        """Whether bytes are welcome: not while an answer is made, or waits to be taken."""
        if self.phase in READ_ALWAYS:
            return not self.has_ended
        # NOTE: the caller's end may come right behind requests that still wait in the inbox.
        busy = self.requests or self.total_outbufs_len or self._has_turn_coming
        return not (self.will_close or busy)

    def received(self, data: bytes) -> None:
        """Take in bytes from the socket."""
        if self.phase in SWALLOWING:
            self.swallow(len(data))
        else:
            self._inbox += data
            self.advance()

    def end_of_input(self) -> None:
        """Answer a request that was cut off, and close."""
        if not self._break_off(errors.HEAD_CUT_OFF, errors.BODY_CUT_OFF):
            super().end_of_input()

    def answer_taken(self) -> None:
        """Read the next request, which an answer under way had kept waiting."""
        if self.phase is Phase.IDLE:
            self.enter(Phase.IDLE, self.options.kept_seconds)
            self.advance()

    def advance(self) -> None:
        """Go on as far as the bytes that are here allow."""
        while (step := self._STEPS.get(self.phase)) and step(self):
            pass

    # Each step says whether the next one may follow at once.

    def _await_request(self) -> bool:
        if not begins_request(self._inbox) or self.total_outbufs_len:
            return False
        # PERF: most heads come whole, and need no deadline.
        is_whole = BLANK_LINE in self._inbox
        self.enter(Phase.HEAD, math.inf if is_whole else self.options.limits.head_seconds)
        return True

    def _read_head(self) -> bool:
        raw = take_head(self._inbox, self.options.head_bytes)
        if raw is None:
            return False
        if not isinstance(raw, HttpError):
            self.server.crowd.head_arrived(self)
        return self._go_by(judge_head(raw, self.addr[0], self.server.terms))

    def take_up(self, inbox: bytearray, request: RequestOnHead | None) -> None:
        """Begin with what has come, or with what follows a head that was judged before."""
        self._inbox += inbox
        if request is None or self._go_by(request):
            self.advance()

    def _go_by(self, request: RequestOnHead) -> bool:
        if isinstance(request, FaultyRequest):
            return self._refuse(request)
        exchange, verdict = request.exchange, request.verdict
        if isinstance(verdict, tuple):
            return self._turn_away(exchange, verdict)
        if request.is_authenticated:
            self.server.crowd.leave(self)
        exchange.permit = verdict
        self._exchange = exchange
        seconds = self.options.limits.body_seconds
        if verdict is not None and verdict.body_bounds is not None:
            most, seconds = verdict.body_bounds
            exchange.body.bound(most)
        self.enter(Phase.BODY, seconds)
        return True

    def _turn_away(self, exchange: Exchange, answer: RawResponse) -> bool:
        """Answer a request by its head alone; keep the connection where its end is certain."""
        # NOTE: who waits for 100 Continue may send the body or not, so its end is unknown.
        keep = exchange.head.said.keeps_alive and not exchange.awaits_continue
        seconds = self.options.idle_seconds if keep and self.server.keeps_connections else None
        self.write_soon(whole_response(answer, exchange.head.method, seconds))
        if seconds is None:
            return self._end()
        if exchange.pending:
            self._exchange = exchange
            self.enter(Phase.DISCARD, self.options.limits.body_seconds)
            return True
        return self._go_on_later()

    def _read_body(self) -> bool:
        exchange = self._current()
        progress = exchange.body.take(self._inbox)
        if isinstance(progress, HttpError):
            return self._refuse(FaultyRequest(progress, exchange.head))
        if progress:
            self.enter(Phase.WORK)
            self.requests = [exchange]
            self.server.add_task(self)
        elif exchange.awaits_continue:
            exchange.awaits_continue = False
            self.write_soon(CONTINUE)
        return False

    def _discard_body(self) -> bool:
        exchange = self._current()
        progress = exchange.body.take(self._inbox)
        exchange.body.content.clear()
        if isinstance(progress, HttpError):
            return self._end()
        return bool(progress) and self._go_on_later()

    def _go_on_later(self) -> bool:
        """Return to IDLE, and let the other connections have their turn first."""
        self._rest()
        self._has_turn_coming = True
        self.server.act_next(self, self._take_turn)
        return False

    def _take_turn(self) -> None:
        self._has_turn_coming = False
        self.advance()

    def _rest(self) -> None:
        self._exchange = None
        # NOTE: waitress' output buffer grows for ever if the next answer is appended to it; at the
        # watermark it takes a new one.
        self.current_outbuf_count = self.adj.outbuf_high_watermark
        self.enter(Phase.IDLE, self.options.kept_seconds)

    _STEPS: ClassVar[Mapping[Phase, Callable[[Channel], bool]]] = {
        Phase.IDLE: _await_request,
        Phase.HEAD: _read_head,
        Phase.BODY: _read_body,
        Phase.DISCARD: _discard_body,
    }

    # Going on

    def answered(self, *, closing: bool) -> None:
        """Go on to the next request, or end."""
        self._rest()
        if closing:
            self._end()
        elif self.server.draining:
            self._look_once_more()
        elif not self._inbox:
            pass
        elif self.in_loop:
            self._go_on_later()
        else:
            self.advance()

    def _look_once_more(self) -> None:
        """Take in a request that was sent before its caller could know of the drain, or end.

        NOTE: a caller may have its answer, and send its next request, before this thread knows that
        the worker is done.
        """
        with suppress(OSError):  # nothing has come, or the caller has gone
            self._inbox += self.socket.recv(self.adj.recv_bytes)
        self.advance()
        if self.phase in {Phase.IDLE, Phase.HEAD}:
            self._end()

    # Refusing and ending

    def _break_off(self, in_head: HttpError, in_body: HttpError) -> bool:
        """Refuse the request that is being read; False if none is."""
        if self.phase is Phase.HEAD:
            self._refuse(FaultyRequest(in_head))
        elif self.phase is Phase.BODY:
            self._refuse(FaultyRequest(in_body, self._current().head))
        else:
            return False
        return True

    def _refuse(self, request: FaultyRequest) -> bool:
        """Answer an error, and end."""
        self._release()
        self.write_soon(request.answer(self.addr[0], self.server.terms))
        return self._end()

    def _end(self) -> bool:
        self._inbox.clear()
        self._exchange = None
        self.part()
        return False

    def overdue(self) -> None:
        """End the phase whose time is over, with an answer where one is due."""
        # NOTE: while the answer before is still being taken, the connection is not idle.
        is_busy = self.phase is Phase.IDLE and self.total_outbufs_len
        if not (is_busy or self._break_off(errors.HEAD_TIMEOUT, errors.BODY_TIMEOUT)):
            super().overdue()

    def handle_close(self) -> None:
        """Close the socket at once."""
        self._release()
        self._inbox.clear()
        super().handle_close()

    def _release(self) -> None:
        """Release the permit unless a worker owns the request: it releases when it ends."""
        self.release_ending()
        if self._exchange is not None and not self.requests:
            self._exchange.release()

    def drain(self) -> None:
        """End, unless a request was accepted here that has no answer yet."""
        match self.phase:
            case Phase.IDLE | Phase.HEAD if not self.total_outbufs_len:
                self.handle_close()
            case Phase.IDLE | Phase.HEAD | Phase.DISCARD:
                self._end()
            case Phase.LINGERING:
                self.linger_on()
            case Phase.BODY | Phase.WORK | Phase.FLUSHING | Phase.CLOSED:
                pass
            case _:
                assert_never(self.phase)

    @property
    def owes(self) -> bool:
        """Whether an answer is still to be made, by no worker yet, or still to be taken."""
        return self.phase is Phase.BODY or bool(self.total_outbufs_len)

    def _current(self) -> Exchange:
        if self._exchange is None:
            raise RuntimeError("no request is under way on this connection")
        return self._exchange
