"""The listening socket, the loop that serves it, and the drain that ends it."""

from __future__ import annotations

import errno
import logging
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
from waitress.task import ThreadedTaskDispatcher  # type: ignore[import-untyped]

from adapters.server.channel import Channel
from adapters.server.completion import AsideJob
from adapters.server.crowd import Crowd, kept_of
from adapters.server.poller import READ, WRITE, Poller
from adapters.server.ports import Terms
from adapters.server.sockets import BACKLOG, LOGGER, RECV_BYTES, arrived, listening_socket, reset

TICK: Final = 0.2
"""Seconds between two looks at the deadlines."""

_AT_ONCE: Final = 128
_NEVER_SPOOL: Final = 2**62
_WARN_SECONDS: Final = 60.0
_OUT_OF_RESOURCES: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class Workers(ThreadedTaskDispatcher):  # type: ignore[misc]
    """The threads that run the application."""

    logger = LOGGER
    # NOTE: waitress warns of every request that finds all workers busy; a queue is for that.
    queue_logger = logging.getLogger("taskflow.server.queue")
    queue_logger.setLevel(logging.CRITICAL)


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
        self._held: set[Channel] = set()
        self._with_workers: set[Channel] = set()
        self._poller = Poller()
        self._urgent_worker = Workers()
        self.crowd = Crowd(terms.options, terms.neighbourhood)
        self._gave_way = 0
        self._callers_wait = False
        self._soon: deque[tuple[Channel, Callable[[], None]]] = deque()
        self._next_look = self._accept_after = self._next_warning = self._next_count = -math.inf
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
        timeout = 0 if self._soon else seconds
        for waiting in (self, *self._with_workers):
            self._watch(waiting)
        for descriptor, events in self._poller.wait(timeout):
            if (ready := self._map.get(descriptor)) is not None:
                wasyncore.readwrite(ready, events)
                self._watch(ready)
        if self._callers_wait:
            _guarded(self, self._accept_some)
        self._woken = False  # before what others have asked for by now is looked at
        for _ in range(len(self._soon)):
            channel, act = self._soon.popleft()
            _guarded(channel, act)
            self._watch(channel)
        now = self.terms.clock()
        if now >= self._next_look:
            self._next_look = now + TICK
            for channel in self.channels():
                _guarded(channel, partial(channel.expire, now))
                self._watch(channel)
            if self._room_for_known <= 0:
                for channel in self.channels():
                    _guarded(channel, partial(channel.make_room, now))
            self._report(now)
            self.each_tick()

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
        """Have `channel` act in the next turn; only the I/O thread may call this."""
        self._soon.append((channel, act))

    def pull_trigger(self) -> None:
        """Wake the loop; any thread and any signal handler may call this, also after the end."""
        with self._awake:
            if not self._deaf:
                super().pull_trigger()

    def add_task(self, task: Channel) -> None:
        """Have the application run; the drain waits for it, even if the caller leaves."""
        self.in_work += 1
        if self.terms.options.in_loop:
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
        """Count an answer that waits; where too much waits in all, close who has most to take.

        NOTE: a caller that reads slowly has less to take with each look than one that never reads.
        """
        self._held = {held for held in (*self._held, channel) if held.total_outbufs_len}
        excess = sum(held.held_bytes for held in self._held) - self.terms.options.waiting_bytes
        while excess > 0 and len(self._held) > 1:
            most = max(self._held, key=lambda held: int(held.total_outbufs_len))
            self.logger.info("too many answers wait to be taken: one is given up")
            excess -= most.held_bytes
            self._held.discard(most)
            most.handle_close()

    def maintenance(self, now: float) -> None:
        """Leave the deadlines to `turn`."""

    # Accepting

    def readable(self) -> bool:
        """Whether there is room for one more connection."""
        now = self.terms.clock()
        full = not self._has_room()
        if full and now >= self._next_warning:
            self._next_warning = now + _WARN_SECONDS
            self.logger.warning("all %d connections are in use", len(self.active_channels))
        return self.accepting and not full and now >= self._accept_after

    @property
    def keeps_connections(self) -> bool:
        """Whether a connection may wait for a next request; any thread may ask."""
        return not self.stopping and self._room_for_known >= 0

    @property
    def _room_for_known(self) -> int:
        """How many places are free of those that are not kept for newcomers."""
        places, known = self.terms.options.connections, len(self.active_channels) - len(self.crowd)
        return places - kept_of(places) - known

    def _has_room(self) -> bool:
        """Whether a place is free, or somebody would give way."""
        is_full = len(self.active_channels) >= self.terms.options.connections
        return not is_full or self.crowd.first() is not None

    def handle_accept(self) -> None:
        """Take in the connections that wait, once all that was found in this turn is done.

        NOTE: to take one in closes another, whose descriptor the next one has; what the poll found
        of the one must not be taken for the other's.
        """
        self._callers_wait = True

    def _accept_some(self) -> None:
        """Take in connections that wait, but not so many that those who are here must wait."""
        self._callers_wait = False
        per_address = self.terms.options.connections_per_address
        for _ in range(min(_AT_ONCE, max(1, per_address // 2))):
            if not (self._has_room() and self._accept_one()):
                return

    def _accept_one(self) -> bool:
        """Take in one connection; False if none waits, or the system cannot give it now."""
        accepted = self.accept()
        if accepted is None:
            return False
        sock, (peer, *_) = accepted
        now, came = self.terms.clock(), arrived(sock)
        has_head = b"\r\n\r\n" in came
        if came and not has_head and self._is_hurried(peer, now):
            self._gave_way += 1
            reset(sock)
            return True
        with suppress(OSError):  # the caller has gone: the first look finds out
            self.set_socket_options(sock)
        channel = self.channel_class(self, *accepted, self.adj, map=self._map)
        self.crowd.enter(channel, now)
        if has_head:
            self.crowd.head_arrived(channel)
        self._make_place_for(channel)
        # NOTE: what it has sent by now is read before the next ones are taken in, so that a caller
        # that sends its request at once is served in any crowd.
        self._soon.append((channel, channel.handle_read))
        return True

    def _is_hurried(self, peer: str, now: float) -> bool:
        is_full = len(self.active_channels) >= self.terms.options.connections
        return self.crowd.is_hurried(peer, now) or (is_full and self.crowd.are_all_hurried(now))

    def _make_place_for(self, newcomer: Channel) -> None:
        first = self.crowd.first_beside(newcomer)
        if first is None and len(self.active_channels) > self.terms.options.connections:
            first = self.crowd.first(newcomer)
        if first is not None:
            self._gave_way += 1
            first.give_way()

    def _report(self, now: float) -> None:
        if self._gave_way and now >= self._next_count:
            self._next_count = now + _WARN_SECONDS
            self.logger.warning("%d unauthenticated connections gave way", self._gave_way)
            self._gave_way = 0

    def accept(self) -> tuple[socket.socket, Any] | None:
        """Accept a connection, if one waits and the system can give it a descriptor."""
        try:
            accepted: tuple[socket.socket, Any] | None = super().accept()
        except OSError as error:
            if error.errno in _OUT_OF_RESOURCES:
                self.logger.warning("no further connection for now: %s", error.strerror)
                self._accept_after = self.terms.clock() + 5 * TICK
            return None
        return accepted

    def handle_error(self) -> None:
        """Log a fault while a connection was accepted, and go on listening."""
        self.logger.exception("a connection could not be accepted")  # noqa: LOG004 - in an except

    def handle_close(self) -> None:
        """Go on listening: only `refuse_connections` closes the socket."""

    # The end

    def refuse_connections(self) -> None:
        """Take in the connections that wait in the backlog, then close the listening socket.

        Those of a shared socket wait for others: for a process beside this one, or the next.
        """
        others = 0 if self._is_shared else BACKLOG + 1  # some may go on connecting for ever
        for _ in range(others):
            if not (self.accepting and self._accept_one()):
                break
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
        with self._awake:
            self._deaf = True
            self._poller.close()
            self.close()


def _guarded(channel: Channel | Listener, act: Callable[[], None]) -> None:
    """Let `channel` act; a fault of ours on one connection does not end the others."""
    try:
        act()
    except Exception:  # noqa: BLE001 - whatever it is, it is logged and the connection closed
        channel.handle_error()


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
