"""A load generator: keep-alive connections in one process, one request in flight on each."""

from __future__ import annotations

import json
import selectors
import socket
import statistics
import time
from collections.abc import Callable, Mapping
from typing import TypeAlias

from attrs import define, field, frozen

Body: TypeAlias = bytes
NextRequest: TypeAlias = Callable[[int, "Answer | None"], Body]
"""Given a connection's number and its last answer, returns the next request's body."""

HEAD = (
    "POST /plugins/webhooks/bench HTTP/1.1\r\nHost: bench\r\n"
    "Authorization: Bearer bench-secret-of-some-length\r\n"
    "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n"
)


@frozen
class Answer:
    """What came back."""

    status: int
    body: bytes

    @property
    def result(self) -> Mapping[str, dict[str, object]]:
        """Return the result of the envelope."""
        found: Mapping[str, dict[str, object]] = json.loads(self.body)["result"]
        return found


@frozen
class Load:
    """What a load came to: requests per second, and how long they took in milliseconds."""

    per_second: float
    p50_ms: float
    p99_ms: float


@define
class _Connection:
    number: int
    sock: socket.socket
    inbox: bytearray = field(factory=bytearray)
    sent_at: float = 0.0

    def send(self, body: Body) -> None:
        self.sent_at = time.perf_counter()
        self.sock.sendall(HEAD.format(len(body)).encode() + body)

    def receive(self) -> Answer | None:
        self.inbox += self.sock.recv(1 << 20)
        head, blank, rest = self.inbox.partition(b"\r\n\r\n")
        if not blank:
            return None
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        if len(rest) < length:
            return None
        answer = Answer(int(head[9:12]), bytes(rest))
        self.inbox.clear()
        return answer


def generate(
    place: tuple[str, int], connections: int, seconds: float, next_request: NextRequest
) -> Load:
    """Send requests for some seconds and report; any answer but a 200 is a fault of the bench."""
    opened = [_Connection(n, socket.create_connection(place)) for n in range(connections)]
    with selectors.DefaultSelector() as selector:
        for connection in opened:
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(connection.sock, selectors.EVENT_READ, connection)
            connection.send(next_request(connection.number, None))
        took, elapsed = _loop(selector, seconds, next_request)
    for connection in opened:
        connection.sock.close()
    cuts = statistics.quantiles(took, n=100)
    return Load(round(len(took) / elapsed, 1), round(cuts[49] * 1e3, 2), round(cuts[98] * 1e3, 2))


def _loop(
    selector: selectors.BaseSelector, seconds: float, next_request: NextRequest
) -> tuple[list[float], float]:
    took: list[float] = []
    start = time.perf_counter()
    while (now := time.perf_counter()) - start < seconds:
        for key, _ in selector.select(1.0):
            connection: _Connection = key.data
            answer = connection.receive()
            if answer is None:
                continue
            if answer.status != 200:  # noqa: PLR2004 - OK
                raise SystemExit(f"the benchmark is wrong: {answer}")
            took.append(time.perf_counter() - connection.sent_at)
            connection.send(next_request(connection.number, answer))
    return took, now - start
