"""Loads whose requests depend on their answers: keep-alive connections, one request on each.

NOTE: this takes more processor time a request than a fast server does; `bench.generator` does not.
"""

from __future__ import annotations

import json
import selectors
import socket
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from http.client import HTTPConnection
from typing import Any, Final, TypeAlias

from attrs import define, field, frozen

Place: TypeAlias = tuple[str, int]
Body: TypeAlias = bytes
NextRequest: TypeAlias = Callable[[int, "Answer | None"], Body]
"""Given a connection's number and its last answer, returns the next request's body."""

SECRET: Final = "bench-secret-of-some-length"  # noqa: S105 - it guards nothing
_HEAD: Final = (
    "POST /plugins/webhooks/{} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer " + SECRET + "\r\n"
    "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n"
)
_END: Final = b"\r\n\r\n"
_OK: Final = 200
_ACCEPTED: Final = 202


@frozen
class Answer:
    """What came back."""

    status: int
    body: bytes

    @property
    def result(self) -> Mapping[str, Any]:
        """Return the result of the envelope."""
        found: Mapping[str, Any] = json.loads(self.body)["result"]
        return found


@frozen
class Load:
    """What a load came to: requests per second, and how long they took in milliseconds.

    A request took the process `cpu_us` microseconds of processor time and `written` bytes to the
    disk, and the load generator `generator_us`; 0 where that was not measured.
    """

    requests: int
    per_second: float
    p50_ms: float
    p99_ms: float
    cpu_us: float = 0.0
    written: float = 0.0
    generator_us: float = 0.0


def together(loads: Sequence[Load]) -> Load:
    """Return several loads as one: medians, but for what is counted a request."""
    requests = sum(load.requests for load in loads)

    def each(read: Callable[[Load], float]) -> float:
        return round(sum(read(load) * load.requests for load in loads) / requests, 1)

    return Load(
        requests=requests,
        per_second=statistics.median(load.per_second for load in loads),
        p50_ms=statistics.median(load.p50_ms for load in loads),
        p99_ms=statistics.median(load.p99_ms for load in loads),
        cpu_us=each(lambda load: load.cpu_us),
        written=each(lambda load: load.written),
        generator_us=each(lambda load: load.generator_us),
    )


def ask(place: Place, route: str, bodies: Sequence[Body]) -> list[Mapping[str, Any]]:
    """Send requests one after another, and return their results."""
    connection, results = HTTPConnection(*place), []
    for number, body in enumerate(bodies):
        headers = {
            "Authorization": f"Bearer {SECRET}",
            "Content-Type": "application/json",
            "X-Forwarded-For": f"172.16.{number // 250 % 250}.{number % 250}",
        }
        connection.request("POST", f"/plugins/webhooks/{route}", body, headers)
        got = connection.getresponse()
        answer = Answer(got.status, got.read())
        if answer.status not in {_OK, _ACCEPTED}:
            raise SystemExit(f"the benchmark is wrong: {answer}")
        results.append(answer.result)
    connection.close()
    return results


@define
class _Connection:
    number: int
    route: str
    sock: socket.socket
    inbox: bytearray = field(factory=bytearray)
    due: int = 0
    sent_at: float = 0.0

    def send(self, body: Body) -> None:
        self.sent_at = time.perf_counter()
        self.sock.sendall(_HEAD.format(self.route, len(body)).encode() + body)

    def receive(self) -> Answer | None:
        """Take in what has come; return the answer once it is complete."""
        received = self.sock.recv(1 << 20)
        if not received:
            raise SystemExit("the benchmark is wrong: the connection was closed")
        self.inbox += received
        self.due = self.due or _length(self.inbox)
        if not self.due or len(self.inbox) < self.due:
            return None
        body = bytes(self.inbox[self.inbox.find(_END) + len(_END) :])
        answer = Answer(int(self.inbox[9:12]), body)
        self.inbox.clear()
        self.due = 0
        return answer


def _length(inbox: bytearray) -> int:
    """Return how long an answer is in all, or 0 while its head is incomplete."""
    end = inbox.find(_END)
    if end < 0:
        return 0
    declared = bytes(inbox[:end]).lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
    return end + len(_END) + int(declared)


def generate(
    place: Place, route: str, connections: int, *, seconds: float, next_request: NextRequest
) -> Load:
    """Send requests for some seconds, wait for the last answers, and report.

    Any answer but a 200 is a fault of the benchmark, and ends it.
    """
    opened = [_Connection(n, route, _connected(place)) for n in range(connections)]
    with selectors.DefaultSelector() as selector:
        for connection in opened:
            selector.register(connection.sock, selectors.EVENT_READ, connection)
            connection.send(next_request(connection.number, None))
        took, elapsed = _loop(selector, seconds, next_request)
    for connection in opened:
        connection.sock.close()
    took.sort()
    return Load(len(took), round(len(took) / elapsed, 1), quantile(took, 0.5), quantile(took, 0.99))


def quantile(took: Sequence[float], share: float) -> float:
    """Return the time, in milliseconds, within which a share of sorted times in seconds lie."""
    return round(1e3 * took[min(int(share * len(took)), len(took) - 1)], 3)


def _connected(place: Place) -> socket.socket:
    sock = socket.create_connection(place)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def _loop(
    selector: selectors.BaseSelector, seconds: float, next_request: NextRequest
) -> tuple[list[float], float]:
    took: list[float] = []
    start = now = time.perf_counter()
    while selector.get_map():
        for key, _ in selector.select():
            connection: _Connection = key.data
            answer = connection.receive()
            if answer is None:
                continue
            if answer.status != _OK:
                raise SystemExit(f"the benchmark is wrong: {answer}")
            now = time.perf_counter()
            took.append(now - connection.sent_at)
            if now - start < seconds:
                connection.send(next_request(connection.number, answer))
            else:
                selector.unregister(connection.sock)
    return took, now - start
