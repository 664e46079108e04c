"""How a connection's request is answered by the application, and its permit released."""

from __future__ import annotations

from functools import partial
from typing import Any

from adapters.server.connection import ClientConnection
from adapters.server.exchange import Exchange
from adapters.server.phase import Phase
from adapters.server.task import AppTask


class AnsweringConnection(ClientConnection):
    """Has the application run for a request; `service` in a worker, or in the I/O thread."""

    requests: list[Exchange]

    def __init__(self, *given: Any, **named: Any) -> None:  # noqa: ANN401 - as waitress calls it
        super().__init__(*given, **named)
        self._ending: Exchange | None = None

    def authenticated(self) -> None:
        """Take the caller for known from now; the application calls this, in any thread."""
        if self in self.server.crowd:
            self.server.call_soon(self, partial(self.server.crowd.leave, self))

    def service(self) -> None:
        """Run the application for the request that was read, in a worker or the I/O thread."""
        exchange = self.requests[0]
        task, closing = AppTask(self, exchange), True
        try:
            task.service()
            closing = task.close_on_finish
        finally:
            if not task.is_put_off:
                self.work_ended(exchange, closing=closing)

    def work_ended(self, exchange: Exchange, *, closing: bool) -> None:
        """Go on after an answer was written, or could not be."""
        if self.in_loop:
            self._answered(exchange, closing=closing)
            return
        if not self.total_outbufs_len:
            exchange.release()
        self.server.call_soon(self, partial(self._answered, exchange, closing=closing))

    def end_answer(self, exchange: Exchange) -> None:
        """Keep a request's permit until what is written from now on is all but taken."""
        self._ending = exchange

    def release_ending(self) -> None:
        """Release the permit of the answer under way."""
        ending, self._ending = self._ending, None
        if ending is not None:
            ending.release()

    def send(self, data: bytes, do_close: bool = True) -> int:  # noqa: FBT001, FBT002 - as waitress
        """Give bytes to the system; release the permit of the answer that ends with them."""
        if self.total_outbufs_len <= len(data):
            self.release_ending()
        return int(super().send(data, do_close))

    def _answered(self, exchange: Exchange, *, closing: bool) -> None:
        self.requests = []
        self.server.worked(self)
        if self.phase is Phase.CLOSED or not self.total_outbufs_len:
            exchange.release()
        else:
            self.end_answer(exchange)
            self.server.hold(self)
        if self.phase is Phase.CLOSED:
            return
        self.answered(closing=closing)

    def answered(self, *, closing: bool) -> None:
        """Go on after an answer, on a connection that is open."""

    def cancel(self) -> None:
        """Give up a request that no worker has begun; waitress calls this at the end of a drain."""
        self.requests = []  # no worker owns it now
        self.handle_close()
