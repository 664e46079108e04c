"""Callers that send a byte now and then, in one thread, and an honest one beside them."""

from __future__ import annotations

import selectors
import socket
import statistics
import time
from collections.abc import Sequence
from threading import Event

from attrs import define, field, frozen

from tests.whole.answers import Answer, read_answers
from tests.whole.gateway import Place
from tests.whole.honest import FIELDS, PATH, PATIENCE, creating, received, webhook

_BODY_BYTES = 100_000


@frozen
class Client:
    """Whose connection it is: the address it comes from, or the one a proxy says it has."""

    source: str = ""
    forwarded: str = "192.0.2.1"


@define(eq=False)
class Dripper:
    """One connection that drips, in the head or in the body of its request."""

    sock: socket.socket
    head: bytes
    slow_from: int
    """How much of the head is sent at once."""
    began: float = 0.0
    sent: int = 0
    inbox: bytearray = field(factory=bytearray)
    seconds: float | None = None
    """How long its request had lasted when the answer to it began."""

    def begin(self) -> None:
        """Send what is sent at once."""
        self.sock.sendall(self.head[: self.slow_from])
        self.began, self.sent = time.monotonic(), self.slow_from

    def drip(self) -> None:
        """Send one byte more, if nobody has answered."""
        if self.seconds is None:
            self.sock.send(self.head[self.sent : self.sent + 1] or b" ")
            self.sent += 1

    def hear(self) -> bool:
        """Take in what has come; return whether that was the end."""
        if self.seconds is None:
            self.seconds = time.monotonic() - self.began
        got = self.sock.recv(65_536)
        self.inbox += got
        return not got

    def answer(self) -> Answer:
        """Return the one answer that came."""
        (answer,) = read_answers(bytes(self.inbox))
        return answer


def head_dripper(place: Place, client: Client) -> Dripper:
    """Connect a caller that drips from its second byte on; its head never ends in time."""
    padding = "X-Padding: " + "x" * 1_000
    return Dripper(_connected(place, client), _head(client, padding), slow_from=1)


def body_dripper(place: Place, client: Client) -> Dripper:
    """Connect a caller that sends its head at once, and then drips its body."""
    head = _head(client, f"Content-Length: {_BODY_BYTES}")
    return Dripper(_connected(place, client), head, slow_from=len(head))


def _head(client: Client, *lines: str) -> bytes:
    forwarded = () if client.source else (f"X-Forwarded-For: {client.forwarded}",)
    return "\r\n".join((f"POST {PATH} HTTP/1.1", *FIELDS, *forwarded, *lines, "", "")).encode()


def _connected(place: Place, client: Client) -> socket.socket:
    source = (client.source, 0) if client.source else None
    return socket.create_connection((place.host, place.port), PATIENCE, source)


def drip_until_answered(drippers: Sequence[Dripper], every: float, patience: float) -> None:
    """Let each caller drip, every so many seconds, until all connections were ended for them."""
    with selectors.DefaultSelector() as selector:
        for dripper in drippers:
            dripper.begin()
            selector.register(dripper.sock, selectors.EVENT_READ, dripper)
        end = time.monotonic() + patience
        next_drip = time.monotonic() + every
        while selector.get_map():
            assert time.monotonic() < end, f"{len(selector.get_map())} still wait for an answer"
            _hear(selector, next_drip)
            if time.monotonic() >= next_drip:
                next_drip += every
                _drip(selector)


def _hear(selector: selectors.BaseSelector, until: float) -> None:
    for key, _ in selector.select(max(0.0, until - time.monotonic())):
        dripper: Dripper = key.data
        if dripper.hear():
            selector.unregister(dripper.sock)
            dripper.sock.close()


def _drip(selector: selectors.BaseSelector) -> None:
    for key in list(selector.get_map().values()):
        dripper: Dripper = key.data
        dripper.drip()


@frozen
class Served:
    """How an honest caller fared, in milliseconds."""

    requests: int
    p50: float
    p99: float
    slowest: float


def be_honest(place: Place, until: Event, pause: float) -> Served:
    """Create flows on one connection after the other, a request every `pause` seconds."""
    took: list[float] = []
    while not until.wait(pause):
        goal = f"honest {len(took)}"
        began = time.monotonic()
        with _connected(place, Client()) as sock:
            sock.sendall(webhook(creating(goal), "Connection: close"))
            (answer,) = read_answers(received(sock))
        took.append((time.monotonic() - began) * 1000)
        assert (answer.status, answer.json["result"]["flow"]["goal"]) == (200, goal)
    cuts = statistics.quantiles(took, n=100)
    return Served(len(took), round(cuts[49], 1), round(cuts[98], 1), round(max(took), 1))
