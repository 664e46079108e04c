"""A caller's socket: which phase it is in, when that must end, and how to part without a reset."""

from __future__ import annotations

import math
import socket
from collections.abc import Callable
from typing import Any, Final, Protocol

from waitress.channel import HTTPChannel  # type: ignore[import-untyped]

from adapters.server.crowd import Crowd
from adapters.server.options import ServerOptions
from adapters.server.phase import Phase
from adapters.server.ports import Terms
from adapters.server.sockets import LOGGER, reset


class ConnectionHost(Protocol):
    """What a connection needs of the listener that accepted it."""

    terms: Terms
    draining: bool
    keeps_connections: bool
    crowd: Crowd

    def call_soon(self, channel: Any, act: Callable[[], None]) -> None:  # noqa: ANN401 - a channel
        """Have something done for a channel in the I/O thread."""

    def act_next(self, channel: Any, act: Callable[[], None]) -> None:  # noqa: ANN401 - a channel
        """The same, where the I/O thread itself asks for it."""

    def add_task(self, task: Any) -> None:  # noqa: ANN401 - waitress has no types
        """Have the application run for a channel."""

    def begin_aside(self, job: Any, *, urgent: bool) -> None:  # noqa: ANN401 - a job
        """Have a worker thread do a job."""

    def worked(self, channel: Any) -> None:  # noqa: ANN401 - a channel
        """Note that a channel's request is in work no more."""

    def forget(self, channel: Any) -> None:  # noqa: ANN401 - a channel
        """Wait no more for a channel that is about to be closed."""

    def hold(self, channel: Any) -> None:  # noqa: ANN401 - a channel
        """Count an answer that waits for its caller, and keep what waits in all within bounds."""


_SEND_BYTES: Final = 65_536
"""Most that is given to the system at a time."""

_LONG: Final = 5.0
"""Seconds that a connection may be idle while all are in use."""

_SHORT: Final = 1.0
"""Seconds that a drain waits for a caller that has its answer to close."""


class ClientConnection(HTTPChannel):  # type: ignore[misc]
    """A socket that waitress reads and writes, with deadlines; it knows no request."""

    logger = LOGGER
    server: ConnectionHost

    def __init__(
        self,
        server: ConnectionHost,
        sock: socket.socket,
        addr: tuple[Any, ...],
        adj: Any,  # noqa: ANN401 - waitress has no types
        map: dict[int, Any] | None = None,  # noqa: A002 - waitress passes it by this name
    ) -> None:
        super().__init__(server, sock, addr, adj, map=map)
        self.in_loop = self.options.in_loop
        self.sendbuf_len = _SEND_BYTES
        self.held_bytes = 0
        self._answer_due = math.inf
        self._waiting = 0
        self._waiting_since = 0.0
        self._swallowed = 0
        self.has_ended = False
        self.enter(Phase.IDLE, self.options.kept_seconds)

    @property
    def options(self) -> ServerOptions:
        """What is allowed now; limits may change while the connection is open."""
        return self.server.terms.options

    def enter(self, phase: Phase, seconds: float = math.inf) -> None:
        """Be in `phase`, for `seconds` at most."""
        self.phase = phase
        lasts = seconds < math.inf
        self._deadline = self.server.terms.clock() + seconds if lasts else math.inf

    # Reading

    def handle_read(self) -> None:
        """Take in what has come; no bytes mean that the caller will send no more.

        NOTE: that is no reason to close: a caller that has shut its side may still read.
        """
        if self.phase is Phase.CLOSED:
            return
        try:
            data = self.socket.recv(self.adj.recv_bytes)
        except BlockingIOError:  # nothing has come yet
            return
        except OSError:  # the caller has gone
            self.handle_close()
            return
        if data:
            self.received(data)
        else:
            self.has_ended = True
            self.end_of_input()

    def end_of_input(self) -> None:
        """Close, as no request can come any more; an answer that waits is given first."""
        if self.total_outbufs_len:
            self.part()
        else:
            self.handle_close()

    # Writing

    def write_soon(self, data: Any) -> int:  # noqa: ANN401 - bytes, or a buffer of waitress
        """Send bytes as soon as the caller takes them; the first ones begin an answer's time.

        `held_bytes` is what an answer takes of our memory until all of it was taken.
        """
        if self.total_outbufs_len:
            self.held_bytes += len(data)
            return int(super().write_soon(data))
        self.held_bytes = len(data)
        if self.in_loop and isinstance(data, bytes):
            # PERF: most answers are sent here as they are, and never enter a buffer.
            data = data[self._send_now(data) :]
        if data:
            self._answer_due = self.server.terms.clock() + self.options.answer_seconds
        return int(super().write_soon(data))

    def _send_now(self, data: bytes) -> int:
        if not self.connected:
            return 0
        try:
            return int(self.send(data, do_close=False))
        except OSError:  # the next look at the socket says so again
            return 0

    def handle_write(self) -> None:
        """Send what waits, then do what waited for that."""
        # NOTE: one look of the poll may report both that the caller is gone and that it may write.
        if self.phase is not Phase.CLOSED:
            super().handle_write()
        if self.phase is Phase.CLOSED or self.total_outbufs_len:
            return
        if self.phase is Phase.FLUSHING:
            self._linger()
        else:
            self.answer_taken()

    def answer_taken(self) -> None:
        """Go on after the caller took all that waited for it."""

    # Parting

    def part(self) -> None:
        """Close once the last answer is taken and the caller has closed, or had time to.

        NOTE: closing a socket on which unread bytes lie resets it, and a reset takes the answer
        away from a caller that is still sending.
        """
        self.enter(Phase.FLUSHING)
        if not self.total_outbufs_len:
            self._linger()

    def _linger(self) -> None:
        if self.has_ended:  # nothing unread is left, and nothing can come
            self.handle_close()
            return
        self.linger_on()
        self.server.crowd.part(self)
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:  # the caller has gone
            self.handle_close()

    def linger_on(self) -> None:
        """Give the caller its time to close, from now; a drain waits less for who does not."""
        seconds = self.options.linger_seconds
        self.enter(Phase.LINGERING, min(seconds, _SHORT) if self.server.draining else seconds)

    def swallow(self, count: int) -> None:
        """Count bytes that nobody looks at, and close if they do not end."""
        self._swallowed += count
        if self._swallowed > self.options.linger_bytes:
            self.handle_close()

    def handle_close(self) -> None:
        """Close the socket at once."""
        self.phase = Phase.CLOSED
        self.server.crowd.leave(self)
        super().handle_close()

    def del_channel(self, map: dict[int, Any] | None = None) -> None:  # noqa: A002 - as waitress
        """Leave the loop."""
        self.server.forget(self)
        super().del_channel(map)

    def give_way(self) -> None:
        """Close at once for the sake of others."""
        if self.phase in {Phase.IDLE, Phase.HEAD} and self.server.crowd.is_headless(self):
            reset(self.socket)  # no answer is under way that this could take away
        self.handle_close()

    def handle_error(self) -> None:
        """Log an exception of ours in the I/O thread and close the connection."""
        self.logger.exception("a connection failed")  # noqa: LOG004 - in an except
        self.handle_close()

    def handle_expt(self) -> None:
        """Close on urgent data: nobody reads it, and the poll would report it for ever."""
        self.handle_close()

    # Time

    def make_room(self, now: float) -> None:
        """Close, if nothing has come for long while others may wait for a connection."""
        idle = self.options.kept_seconds - (self._deadline - now)
        if self.phase is Phase.IDLE and not self.total_outbufs_len and idle >= _LONG:
            self.handle_close()

    def expire(self, now: float) -> None:
        """Act if a deadline has passed."""
        if self._stalls(now) or (self.total_outbufs_len and now >= self._answer_due):
            self.handle_close()
        elif now >= self._deadline:
            self.overdue()

    def overdue(self) -> None:
        """End the phase whose time is over."""
        self.handle_close()

    def _stalls(self, now: float) -> bool:
        """Whether an answer waits and none of it was taken for `write_seconds`."""
        waiting = self.total_outbufs_len
        if not waiting or waiting != self._waiting:
            self._waiting, self._waiting_since = waiting, now
        return bool(now - self._waiting_since >= self.options.write_seconds)
