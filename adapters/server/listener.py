"""The listening socket, the loop that serves it, and the drain that ends it."""

from __future__ import annotations

import math
import socket
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, Final
from wsgiref.types import WSGIApplication

from waitress import wasyncore  # type: ignore[import-untyped]
from waitress.adjustments import Adjustments  # type: ignore[import-untyped]
from waitress.server import TcpWSGIServer  # type: ignore[import-untyped]

from adapters.server.acceptor import Acceptor
from adapters.server.channel import Channel
from adapters.server.completion import AsideJob
from adapters.server.held_answers import HeldAnswers
from adapters.server.poller import READ, WRITE, Poller
from adapters.server.ports import Terms
from adapters.server.sockets import BACKLOG, LOGGER, RECV_BYTES, listening_socket
from adapters.server.turns import Turns, guarded
from adapters.server.workers import Workers

TICK: Final = 0.2
"""Seconds between two looks at the deadlines."""

_NEVER_SPOOL: Final = 2**62


class Listener(TcpWSGIServer):  # type: ignore[misc]
    """Accepts connections and serves them until it is asked to stop.

    NOTE: waitress finds what is overdue by the wall clock; a clock that is set back would suspend
    every deadline, so `turn` does this by a monotonic one and `maintenance` does nothing.
    """

    channel_class = Channel
    logger = LOGGER

    def __init__(
        self, app: WSGIApplication, terms: Terms, shared: socket.socket | None = None
    ) -> None:
        self.terms = terms
        self._is_shared = shared is not None
        self.stopping = self.draining = self.cut_short = False
        self.each_tick: Callable[[], None] = lambda: None
        self.in_work = 0
        self._held = HeldAnswers(terms.options.waiting_bytes)
        self._with_workers: set[Channel] = set()
        self._poller = Poller()
        self._urgent_worker = Workers()
        self._acceptor = Acceptor(self, terms)
        self.crowd = self._acceptor.crowd
        self._turns = Turns(self, self._acceptor)
        self._callers_wait = False
        self._soon: deque[tuple[Channel, Callable[[], None]]] = deque()
        self._next_look = -math.inf
        self._awake = threading.RLock()
        self._deaf = self._woken = False
        sock = shared or listening_socket(terms.options.host, terms.options.port)
        super().__init__(
            app,
            _sock=sock,
            dispatcher=Workers(),
            adj=_adjustments(in_loop=terms.options.in_loop),
            sockinfo=(sock.family, sock.type, sock.proto, sock.getsockname()),
            bind_socket=False,
        )
        self._watch(self.trigger)

    # The loop

    def turn(self, seconds: float = TICK) -> None:
        """Wait up to `seconds` for sockets, serve them, and look at the deadlines."""
        timeout = 0 if self._soon or self._turns.are_waited_for() else seconds
        for waiting in (self, *self._with_workers):
            self._watch(waiting)
        for descriptor, events in self._poller.wait(timeout):
            if (ready := self._map.get(descriptor)) is not None:
                serve = self._turns.report if ready in self.crowd else self.serve
                serve(ready, events)
        if self._callers_wait:
            self._callers_wait = False
            guarded(self, self._acceptor.accept_all)
        self._woken = False  # before what others have asked for by now is looked at
        for _ in range(len(self._soon)):
            channel, act = self._soon.popleft()
            self.act_now(channel, act)
        self._turns.give(everybody=self.draining)
        if self.terms.clock() >= self._next_look:
            self._look_at_all(self.terms.clock())

    def _look_at_all(self, now: float) -> None:
        """Have every connection look at its deadlines."""
        self._next_look = now + TICK
        for channel in self.channels():
            self.act_now(channel, partial(channel.expire, now))
        if self._acceptor.room_for_known <= 0:
            for channel in self.channels():
                guarded(channel, partial(channel.make_room, now))
        self._acceptor.report(now)
        self.each_tick()

    def serve(self, ready: Any, events: int) -> None:  # noqa: ANN401 - waitress has no types
        """Have a socket do what it is ready for."""
        wasyncore.readwrite(ready, events)
        self._watch(ready)

    def _watch(self, dispatcher: Any) -> None:  # noqa: ANN401 - waitress has no types
        """Wait for what a connection, or the listening socket, wants now."""
        if (descriptor := dispatcher._fileno) is not None:  # noqa: SLF001 - waitress' own name
            events = READ if dispatcher.readable() else 0
            if dispatcher.writable() and not dispatcher.accepting:
                events |= WRITE
            self._poller.watch(descriptor, events)

    def forget(self, channel: Channel) -> None:
        """Wait no more for a connection that is about to be closed."""
        self._poller.forget(channel._fileno)  # noqa: SLF001 - waitress' own name
        self._with_workers.discard(channel)

    def channels(self) -> tuple[Channel, ...]:
        """Return the open connections."""
        return tuple(self.active_channels.values())

    def call_soon(self, channel: Channel, act: Callable[[], None]) -> None:
        """Have `channel` act in the I/O thread, after the sockets that are ready now.

        Any thread may call this. PERF: however many do so meanwhile, the loop is woken once.
        """
        self._soon.append((channel, act))
        if not self._woken:
            self._woken = True
            self.pull_trigger()

    def act_next(self, channel: Channel, act: Callable[[], None]) -> None:
        """Have `channel` act in the next turn, a stranger's in its own; only for the I/O thread."""
        if channel in self.crowd:
            self._turns.put(channel, act)
        else:
            self._soon.append((channel, act))

    def pull_trigger(self) -> None:
        """Wake the loop; any thread and any signal handler may call this, also after the end."""
        with self._awake:
            if not self._deaf:
                super().pull_trigger()

    def add_task(self, task: Channel) -> None:
        """Have the application run; the drain waits for it, even if the caller leaves."""
        self.in_work += 1
        if task.in_loop:
            task.service()
        else:
            self._with_workers.add(task)
            super().add_task(task)

    def worked(self, channel: Channel) -> None:
        """Note that a request is in work no more, whatever became of its caller."""
        self.in_work -= 1
        self._with_workers.discard(channel)

    def begin_aside(self, job: AsideJob, *, urgent: bool) -> None:
        """Have a worker do a job; any thread may call this."""
        dispatcher = self._urgent_worker if urgent else self.task_dispatcher
        dispatcher.add_task(job)

    def start_workers(self) -> None:
        """Start the threads that run the application, or what it puts off."""
        self.task_dispatcher.set_thread_count(self.terms.options.threads)
        self._urgent_worker.set_thread_count(int(self.terms.options.in_loop))

    def hold(self, channel: Channel) -> None:
        """Count an answer that waits for its caller."""
        self._held.add(channel)

    def maintenance(self, now: float) -> None:
        """Leave the deadlines to `turn`."""

    # Accepting

    def readable(self) -> bool:
        """Whether a connection may be accepted now."""
        return bool(self.accepting) and self._acceptor.is_ready()

    @property
    def keeps_connections(self) -> bool:
        """Whether a connection may wait for a next request; any thread may ask."""
        return not self.stopping and self._acceptor.room_for_known >= 0

    def handle_accept(self) -> None:
        """Accept the connections that wait, once all that was found in this turn is done.

        NOTE: a descriptor that was closed meanwhile is the next connection's; what the poll found
        of the one must not be taken for the other's.
        """
        self._callers_wait = True

    def open_channel(self, sock: socket.socket, address: Any) -> Channel:  # noqa: ANN401 - as waitress
        """Make a connection one of those that are served."""
        with suppress(OSError):  # the caller has gone: the first look finds out
            self.set_socket_options(sock)
        return self.channel_class(self, sock, address, self.adj, map=self._map)

    def act_now(self, channel: Channel, act: Callable[[], None]) -> None:
        """Have `channel` act, and wait for what it then wants."""
        guarded(channel, act)
        self._watch(channel)

    def handle_error(self) -> None:
        """Log a fault while a connection was accepted, and go on listening."""
        self.logger.exception("a connection could not be accepted")  # noqa: LOG004 - in an except

    def handle_close(self) -> None:
        """Go on listening: only `refuse_connections` closes the socket."""

    # The end

    def refuse_connections(self) -> None:
        """Accept the connections that wait in the backlog, then close the listening socket.

        Those of a shared socket wait for others: for a process beside this one, or the next.
        """
        if not self._is_shared:
            self._acceptor.accept_all(BACKLOG)
        self._poller.forget(self._fileno)
        wasyncore.dispatcher.close(self)

    def drain(self) -> bool:
        """Answer every accepted request; False if the drain ended before that."""
        self.draining = True
        self.refuse_connections()
        self.turn(0)  # what callers had sent by now is read, and so accepted
        for channel in self.channels():
            channel.drain()
            self._watch(channel)
        end = self.terms.clock() + self.terms.options.drain_seconds
        while (self.active_channels or self.in_work) and self.terms.clock() < end:
            if self.cut_short:
                break
            self.turn()
        return not self.in_work and not any(channel.owes for channel in self.channels())

    def shut(self, seconds: float) -> None:
        """Close every socket and give the workers up to `seconds` to end."""
        for channel in self.channels():
            channel.handle_close()
        for dispatcher in (self.task_dispatcher, self._urgent_worker):
            dispatcher.shutdown(cancel_pending=True, timeout=seconds)
        self._acceptor.close()
        with self._awake:
            self._deaf = True
            self._poller.close()
            self.close()


def _adjustments(*, in_loop: bool) -> Any:  # noqa: ANN401 - waitress has no types
    """Return waitress' settings; what is not here is decided by this room's own code.

    The I/O thread never waits for what was written before to be taken.
    """
    unbounded = {"outbuf_high_watermark": _NEVER_SPOOL} if in_loop else {}
    return Adjustments(
        sockets=[],
        backlog=BACKLOG,
        recv_bytes=RECV_BYTES,
        outbuf_overflow=_NEVER_SPOOL,
        log_socket_errors=False,
        clear_untrusted_proxy_headers=False,
        channel_request_lookahead=0,
        **unbounded,
    )
