"""A client that sends exactly the bytes it is given, and reads whatever comes back."""

import http.client
import select
import socket
import time

from attrs import frozen

from tests.contract.recording import Headers, Part

CHUNK = 65_536


@frozen
class Outgoing:
    """A request as it goes out: a raw head, a body, and how the body is cut up.

    `declared` is the Content-Length, None for none; `parts` send the body slowly.
    """

    method: str
    target: str
    headers: Headers
    body: bytes = b""
    declared: int | None = None
    chunked: bool = False
    parts: tuple[Part, ...] = ()


@frozen
class Observed:
    """What came back; status None is a connection that gave no whole answer, for `trouble`."""

    status: int | None
    headers: Headers = ()
    body: bytes = b""
    seconds: float = 0.0
    trouble: str = ""

    def header(self, name: str) -> str | None:
        """Give the first value of a header, whatever its case."""
        return next((value for key, value in self.headers if key.lower() == name), None)


@frozen
class Address:
    """Where the gateway listens."""

    host: str
    port: int

    def connect(self, timeout: float) -> socket.socket:
        """Open a connection; raises OSError."""
        return socket.create_connection((self.host, self.port), timeout=timeout)


@frozen
class Wire:
    """Sends requests to one gateway, each on a connection of its own; timeout in seconds."""

    address: Address
    timeout: float = 10.0

    def exchange(self, outgoing: Outgoing) -> Observed:
        """Send one request and read its answer."""
        with self.address.connect(self.timeout) as connection:
            started = time.monotonic()
            send(connection, self.address, outgoing)
            return receive(connection, outgoing.method, started)

    def hold(self, outgoing: Outgoing) -> "HeldRequest":
        """Send the head of a request, and keep its body back."""
        connection = self.address.connect(self.timeout)
        connection.sendall(head(self.address, outgoing))
        return HeldRequest(connection, outgoing)


@frozen
class HeldRequest:
    """A request that is open, its body unsent."""

    connection: socket.socket
    outgoing: Outgoing

    def finish(self) -> Observed:
        """Send the body and read the answer."""
        with self.connection:
            self.connection.sendall(self.outgoing.body)
            return receive(self.connection, self.outgoing.method, time.monotonic())

    def close(self) -> None:
        """Hang up."""
        self.connection.close()


def send(connection: socket.socket, address: Address, outgoing: Outgoing) -> None:
    """Write a request; a peer that stops listening early has answered already, or never will."""
    try:
        connection.sendall(head(address, outgoing))
        _send_body(connection, outgoing)
    except (BrokenPipeError, ConnectionResetError):
        return


def receive(connection: socket.socket, method: str, started: float) -> Observed:
    """Read one answer to its end."""
    response = http.client.HTTPResponse(connection, method=method)
    try:
        response.begin()
        body = response.read()
    except (OSError, http.client.HTTPException) as error:
        return Observed(None, seconds=time.monotonic() - started, trouble=repr(error))
    finally:
        response.close()
    return Observed(
        status=response.status,
        headers=tuple(response.getheaders()),
        body=body,
        seconds=time.monotonic() - started,
    )


def head(address: Address, outgoing: Outgoing) -> bytes:
    """Write the head: Host, the request's own headers in their order, then the framing."""
    fields = [("Host", f"{address.host}:{address.port}"), *outgoing.headers]
    if outgoing.chunked:
        fields.append(("Transfer-Encoding", "chunked"))
    elif outgoing.declared is not None:
        fields.append(("Content-Length", str(outgoing.declared)))
    fields.append(("Connection", "close"))
    lines = [f"{outgoing.method} {outgoing.target} HTTP/1.1", *(f"{k}: {v}" for k, v in fields)]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def _send_body(connection: socket.socket, outgoing: Outgoing) -> None:
    if outgoing.parts:
        return _send_slowly(connection, outgoing.body, outgoing.parts)
    if outgoing.chunked:
        return _send_chunks(connection, outgoing.body)
    return connection.sendall(outgoing.body)


def _send_chunks(connection: socket.socket, body: bytes) -> None:
    """Send a body as two chunks or more, so that somebody has to put them together."""
    size = max(1, min(CHUNK, len(body) // 2))
    for start in range(0, len(body), size):
        chunk = body[start : start + size]
        connection.sendall(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
    connection.sendall(b"0\r\n\r\n")


def _send_slowly(connection: socket.socket, body: bytes, parts: tuple[Part, ...]) -> None:
    """Send piece after piece with its pause, until the peer says something."""
    sent = 0
    for part in parts:
        connection.sendall(body[sent : sent + part.size])
        sent += part.size
        if select.select([connection], [], [], part.pause)[0]:
            return
