"""Strangers who fill a server's places, and open again whatever is closed: a program of its own.

`python -m tests.whole.crowding HOST PORT COUNT PHASE [SOURCE]` goes on until its standard input
ends, and then prints how many connections it opened.
"""

from __future__ import annotations

import errno
import os
import resource
import selectors
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from attrs import define, field

from tests.whole.gateway import ROOT, Place
from tests.whole.vitals import PATIENCE

_BEARER = b"Authorization: Bearer no-such-secret\r\nContent-Type: application/json\r\n"
_POST = b"POST /plugins/webhooks/zapier HTTP/1.1\r\nHost: gateway\r\n"
PHASES = {
    "silent": b"",
    "half a head": _POST + b"Auth",
    "wrong secret": _POST + _BEARER + b"Content-Length: 2\r\n\r\n{}",
    "no such page": b"GET /nowhere HTTP/1.1\r\nHost: gateway\r\n\r\n",
    "body of a probe": b"GET /healthz HTTP/1.1\r\nHost: gateway\r\nContent-Length: 9\r\n\r\nx",
    "expectation": _POST + _BEARER + b"Content-Length: 2\r\nExpect: 100-continue\r\n\r\n",
    "hello of TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
}
"""What each connection sends, and then nothing more."""


@define
class Crowd:
    """So many connections to one place."""

    place: tuple[str, int]
    data: bytes
    source: str
    opened: int = 0
    _selector: selectors.BaseSelector = field(factory=selectors.DefaultSelector)

    def open(self) -> None:
        """Begin to connect."""
        sock = socket.socket()
        sock.settimeout(0)
        if self.source:
            sock.bind((self.source, 0))
        if sock.connect_ex(self.place) not in {0, errno.EINPROGRESS}:
            sock.close()
            return
        self.opened += 1
        self._selector.register(sock, selectors.EVENT_WRITE)

    def turn(self) -> bool:
        """Send on what is connected, and open again what is closed; False at the end."""
        for key, events in self._selector.select(1.0):
            if key.fd == sys.stdin.fileno():
                return False
            assert isinstance(key.fileobj, socket.socket)
            if events & selectors.EVENT_WRITE:
                self._begin(key.fileobj)
            elif self._is_closed(key.fileobj):
                self._selector.unregister(key.fileobj)
                key.fileobj.close()
                self.open()
        return True

    def run(self, count: int) -> None:
        """Keep so many connections."""
        self._selector.register(sys.stdin, selectors.EVENT_READ)
        for _ in range(count):
            self.open()
        while self.turn():
            pass

    def _begin(self, sock: socket.socket) -> None:
        self._selector.modify(sock, selectors.EVENT_READ)
        with suppress(OSError):
            sock.send(self.data)

    def _is_closed(self, sock: socket.socket) -> bool:
        try:
            return not sock.recv(65_536)
        except OSError:
            return True


@contextmanager
def crowding(place: Place, count: int, phase: str, source: str = "") -> Iterator[list[int]]:
    """Crowd a server from another process; how many connections it opened is there at the end."""
    arguments = [place.host, str(place.port), str(count), phase, source]
    opened: list[int] = []
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "tests.whole.crowding", *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        try:
            yield opened
        finally:
            opened.append(int(process.communicate(timeout=PATIENCE)[0]))


def main(host: str, port: str, count: str, phase: str, source: str) -> None:
    """Crowd a server until standard input ends."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, int(count) + 64), hard))
    crowd = Crowd((host, int(port)), PHASES[phase], source)
    crowd.run(int(count))
    os.write(sys.stdout.fileno(), b"%d" % crowd.opened)


if __name__ == "__main__":
    main(*sys.argv[1:])
