"""New connections: accepted as they come, taken in by turns, refused in the time that is left.

The system's queue knows no order but that of arrival: who connects waits behind all that one
address has there. So connections wait here, unread, and are taken in one of each address after the
other. Those of a trusted proxy, which have no neighbourhood, each have a turn of their own.

In a crowd, a connection is taken in at once if its first request says who asks. All others wait
again, for the little time that is left for them, and have no place if they are refused. So
strangers that open again whatever is closed wait for each other, and nobody who is known for them.
"""

from __future__ import annotations

import errno
import math
import socket
from collections.abc import Callable, Hashable, Mapping
from contextlib import suppress
from enum import Enum, auto
from functools import partial
from socket import MSG_DONTWAIT
from typing import Any, Final, Protocol

from attrs import evolve, frozen

from adapters.server.crowd import Crowd, kept_of
from adapters.server.fair_queue import FairQueue, FairQueues
from adapters.server.judged import JudgedRequest, RequestOnHead, judge_first, last_answer
from adapters.server.ports import Terms
from adapters.server.sockets import LOGGER, received, reset, room_for_arrivals

_AT_ONCE: Final = 1_024
_MANY: Final = 64
_PAUSE_SECONDS: Final = 1.0
_WARN_SECONDS: Final = 60.0
_OUT_OF_RESOURCES: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class AcceptingHost(Protocol):
    """What accepting needs of the listener."""

    terms: Terms
    active_channels: Mapping[int, Any]

    def accept(self) -> tuple[socket.socket, Any] | None:
        """Accept a connection, if one waits."""

    def open_channel(self, sock: socket.socket, address: Any) -> Any:  # noqa: ANN401 - a channel
        """Make a connection one of those that are served."""

    def act_now(self, channel: Any, act: Callable[[], None]) -> None:  # noqa: ANN401 - a channel
        """Have a channel act, and wait for what it then wants."""


@frozen
class _Arrival:
    sock: socket.socket
    address: Any
    name: str | None
    turn: Hashable
    is_late: bool = False


class _Kind(Enum):
    """Those of a crowd, each of which waits for none of the others."""

    PROBE = auto()
    REFUSED = auto()
    NO_REQUEST = auto()


@frozen
class _Settling:
    sock: socket.socket
    act: Callable[[], None]


class Acceptor:
    """Takes in connections, and decides who makes room for whom."""

    def __init__(self, host: AcceptingHost, terms: Terms) -> None:
        self._host = host
        self.crowd = Crowd(terms.options)
        self._arrived: FairQueue[_Arrival] = FairQueue()
        self._unknown: FairQueues[_Settling] = FairQueues(_Kind)
        self._most_waiting = room_for_arrivals(terms.options.connections)
        self._gave_way = 0
        self._accept_after = self._next_warning = self._next_count = -math.inf

    # Room

    @property
    def room_for_known(self) -> int:
        """How many places are free of those that are not kept for newcomers."""
        places, known = self._places, len(self._host.active_channels) - len(self.crowd)
        return places - kept_of(places) - known

    @property
    def _places(self) -> int:
        return self._host.terms.options.connections

    def _is_full(self) -> bool:
        return len(self._host.active_channels) >= self._places

    def has_room(self) -> bool:
        """Whether a place is free, or somebody would give way."""
        return not self._is_full() or self.crowd.first() is not None

    # Accepting

    def is_ready(self) -> bool:
        """Whether a connection that waits in the system's queue is to be accepted."""
        now = self._host.terms.clock()
        if now >= self._next_warning and not self.has_room():
            self._next_warning = now + _WARN_SECONDS
            LOGGER.warning("all %d connections are in use", len(self._host.active_channels))
        return now >= self._accept_after and self._room_to_wait > 0

    @property
    def _room_to_wait(self) -> int:
        return self._most_waiting - len(self._arrived) - len(self._unknown)

    def accept_all(self, most: int = _AT_ONCE) -> None:
        """Accept what waits in the system's queue, but not so much that others must wait."""
        for _ in range(min(most, self._room_to_wait)):
            if not self._accept_one():
                return

    def _accept_one(self) -> bool:
        """Accept one connection; False if none waits, or the system cannot give it now."""
        try:
            accepted = self._host.accept()
        except OSError as error:
            if error.errno in _OUT_OF_RESOURCES:
                LOGGER.warning("no further connection for now: %s", error.strerror)
                self._accept_after = self._host.terms.clock() + _PAUSE_SECONDS
            return False
        if accepted is None:
            return False
        sock, address = accepted
        name = self._host.terms.neighbourhood(address[0])
        arrival = _Arrival(sock, address, name, address if name is None else name)
        # NOTE: dynamic thresholds (Choudhury and Hahne, 1998): a few addresses that send more than
        # is taken in leave room for others, and nobody must look for the longest queue.
        waiting = self._arrived.count(arrival.turn)
        if name is not None:
            waiting += self._unknown.count(name)
        if waiting >= 2 * self._room_to_wait:
            self._turn_away(sock)
        else:
            self._arrived.put(arrival.turn, arrival)
        return True

    # Taking in

    def arrivals(self) -> int:
        """Return how many connections wait that may be taken in."""
        return len(self._arrived) if self.has_room() else 0

    def take_in(self) -> None:
        """Take in the connection whose turn it is, with what it has sent by now."""
        arrival = self._arrived.take()
        came = self._received(arrival.sock)
        if came == b"":
            arrival.sock.close()
        elif came is None and not arrival.is_late:
            # NOTE: what is sent right behind the beginning of a connection is here in a moment.
            self._arrived.put(arrival.turn, evolve(arrival, is_late=True))
        elif self._is_crowded(arrival.name):
            self._take_in_from_crowd(arrival, bytearray(came or b""))
        else:
            self._open(arrival, bytearray(came or b""), None)

    def _take_in_from_crowd(self, arrival: _Arrival, inbox: bytearray) -> None:
        """Take in a connection if its first request says who asks; others wait again."""
        request = self._judged(arrival, inbox)
        if request is None and inbox and self._is_hurried(arrival.name):
            self._turn_away(arrival.sock)
        elif _is_authenticated(request):
            self._open(arrival, inbox, request)
        else:
            settling = self._settling(arrival, inbox, request)
            self._unknown.put(_kind(request), arrival.name, settling)

    def _settling(
        self, arrival: _Arrival, inbox: bytearray, request: RequestOnHead | None
    ) -> _Settling:
        """Return what is done with the connection of a crowd when it is its turn.

        PERF: an answer takes 500 bytes until then, a request up to 35,000.
        """
        answer = last_answer(request, inbox, arrival.address[0], self._host.terms)
        if answer is not None:
            return _Settling(arrival.sock, partial(_answer_and_close, arrival.sock, answer))
        if request is not None:
            return _Settling(arrival.sock, partial(self._open, arrival, inbox, request))
        return _Settling(arrival.sock, partial(self._look_again, arrival, inbox))

    def _look_again(self, arrival: _Arrival, inbox: bytearray) -> None:
        # PERF: what has come meanwhile needs no look of the poll.
        inbox += self._received(arrival.sock) or b""
        request = self._judged(arrival, inbox)
        if request is None:
            self._open(arrival, inbox, None)
        else:
            self._settling(arrival, inbox, request).act()

    def _judged(self, arrival: _Arrival, inbox: bytearray) -> RequestOnHead | None:
        return judge_first(inbox, arrival.address[0], self._host.terms)

    def unknown(self) -> int:
        """Return how many connections of a crowd wait that may be taken in, or refused."""
        return len(self._unknown) if self.has_room() else 0

    def settle(self) -> None:
        """Take in the connection of a crowd whose turn it is, or answer it and close."""
        self._unknown.take().act()

    def _received(self, sock: socket.socket) -> bytes | None:
        return received(sock, self._host.terms.options.head_bytes)

    def _open(self, arrival: _Arrival, inbox: bytearray, request: RequestOnHead | None) -> None:
        channel = self._host.open_channel(arrival.sock, arrival.address)
        self.crowd.enter(channel, arrival.name, self._host.terms.clock())
        if request is not None or b"\r\n\r\n" in inbox:
            self.crowd.head_arrived(channel)
        self._make_place_for(channel)
        self._host.act_now(channel, partial(channel.take_up, inbox, request))

    def _is_crowded(self, name: str | None) -> bool:
        waiting = len(self._arrived) + len(self._unknown)
        return waiting >= _MANY or self._is_full() or self.crowd.is_crowded(name)

    def _is_hurried(self, name: str | None) -> bool:
        now = self._host.terms.clock()
        return self.crowd.is_hurried(name, now) or (
            self._is_full() and self.crowd.are_all_hurried(now)
        )

    def _make_place_for(self, newcomer: Any) -> None:  # noqa: ANN401 - a channel
        first = self.crowd.first_beside(newcomer)
        if first is None and len(self._host.active_channels) > self._places:
            first = self.crowd.first(newcomer)
        if first is not None:
            self._gave_way += 1
            first.give_way()

    def _turn_away(self, sock: socket.socket) -> None:
        self._gave_way += 1
        reset(sock)

    def report(self, now: float) -> None:
        """Say how many gave way, once a minute."""
        if self._gave_way and now >= self._next_count:
            self._next_count = now + _WARN_SECONDS
            LOGGER.warning("%d unauthenticated connections gave way", self._gave_way)
            self._gave_way = 0

    def close(self) -> None:
        """Close what waits."""
        while self._arrived:
            reset(self._arrived.take().sock)
        while self._unknown:
            reset(self._unknown.take().sock)


def _is_authenticated(request: RequestOnHead | None) -> bool:
    return isinstance(request, JudgedRequest) and request.is_authenticated


def _kind(request: RequestOnHead | None) -> _Kind:
    if request is None:
        return _Kind.NO_REQUEST
    is_probe = isinstance(request, JudgedRequest) and request.is_ready
    return _Kind.PROBE if is_probe else _Kind.REFUSED


def _answer_and_close(sock: socket.socket, answer: bytes) -> None:
    with sock, suppress(OSError):  # the caller has gone
        sock.send(answer, MSG_DONTWAIT)
