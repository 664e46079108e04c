"""A caller that writes and reads bytes: it sends what no client library would."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from tests.whole.answers import Answer

PATIENCE = 20.0
"""Seconds after which a silent server fails a test."""


class Caller:
    """One connection to the server under test."""

    def __init__(self, sock: socket.socket) -> None:
        sock.settimeout(PATIENCE)
        self.socket = sock
        self._read = bytearray()

    def send(self, data: bytes) -> None:
        """Send bytes."""
        self.socket.sendall(data)

    def answer(self, method: str = "POST") -> Answer:
        """Read one answer; those to HEAD end with their head."""
        head = self._until(b"\r\n\r\n").decode("latin-1")
        status_line, *lines = head.split("\r\n")[:-2]
        headers = {name.lower(): value for name, value in (x.split(": ", 1) for x in lines)}
        assert len(headers) == len(lines), f"a repeated header in {head!r}"
        version, status = status_line.split(" ")[:2]
        assert version == "HTTP/1.1"
        body = b"" if method == "HEAD" or status in {"100", "204"} else self._body(headers)
        return Answer(int(status), headers, body)

    def ask(self, data: bytes, method: str = "POST") -> Answer:
        """Send bytes and read the answer."""
        self.send(data)
        return self.answer(method)

    def rest(self) -> bytes:
        """Read all that comes until the server ends the connection in good order."""
        while more := self.socket.recv(65_536):
            self._read += more
        return self._exactly(len(self._read))

    def take(self, count: int) -> None:
        """Take some more bytes from the connection, for `answer` to find."""
        end = len(self._read) + count
        while len(self._read) < end:
            self._read_more()

    def _body(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding") == "chunked":
            return b"".join(self._chunks())
        if "content-length" not in headers:
            return self.rest()
        return self._exactly(int(headers["content-length"]))

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self._until(b"\r\n"), 16):
            yield self._exactly(size)
            assert self._exactly(2) == b"\r\n"
        assert self._exactly(2) == b"\r\n"

    def _until(self, end: bytes) -> bytes:
        while end not in self._read:
            self._read_more()
        return self._exactly(self._read.index(end) + len(end))

    def _exactly(self, count: int) -> bytes:
        while len(self._read) < count:
            self._read_more()
        taken = bytes(self._read[:count])
        del self._read[:count]
        return taken

    def _read_more(self) -> None:
        more = self.socket.recv(65_536)
        assert more, f"the server closed after {self._read!r}"
        self._read += more


@contextmanager
def calling(address: tuple[str, int]) -> Iterator[Caller]:
    with socket.create_connection(address, timeout=PATIENCE) as sock:
        yield Caller(sock)


def request(
    *headers: str, method: str = "POST", target: str = "/x", version: str = "1.1", body: bytes = b""
) -> bytes:
    """Write a well-formed request, plus the header lines given."""
    host = ("Host: example",) if version == "1.1" else ()
    length = (f"Content-Length: {len(body)}",) if body else ()
    lines = (f"{method} {target} HTTP/{version}", *host, *headers, *length, "", "")
    return "\r\n".join(lines).encode("latin-1") + body


def chunked(*chunks: bytes) -> bytes:
    """Write a body in chunks."""
    return b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in (*chunks, b""))


def flood(caller: Caller, data: bytes) -> None:
    """Send far more than any buffer on the way can hold."""
    for _ in range(10_000_000 // len(data) + 1_000):
        caller.send(data)
