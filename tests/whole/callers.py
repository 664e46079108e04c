"""A caller of a running gateway: one connection that is kept alive, and what comes over it."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Mapping
from typing import Any, Self, TypeAlias

from attrs import define, field, frozen

from tests.whole.gateway import Place

Document: TypeAlias = dict[str, Any]

PATIENCE_SECONDS = 20.0
"""How long a caller waits for an answer; no answer may take so long."""


class GoneError(Exception):
    """The connection ended, or was never made, and there is no whole answer."""


@frozen
class Request:
    """A request: its document, and its idempotency key if it has one."""

    document: Document
    key: str | None = None

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers that only this request has."""
        return {} if self.key is None else {"Idempotency-Key": self.key}


@frozen
class Answer:
    """An answer; `headers` by their names in lower case, `seconds` from the first byte sent."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float

    @property
    def document(self) -> Document:
        """The envelope."""
        document: Document = json.loads(self.body)
        return document

    @property
    def result(self) -> Document:
        """The result in the envelope."""
        result: Document = self.document["result"]
        return result

    @property
    def request_id(self) -> str:
        """The id that the gateway gave to the request."""
        return self.headers["x-request-id"]


@frozen
class Door:
    """A route as a caller knows it."""

    path: str = "/plugins/webhooks/zapier"
    secret: str = "plain-secret-zapier"


@define
class Caller:
    """Asks one thing after the other on one connection, which is made when it is needed."""

    place: Place
    door: Door = field(factory=Door)
    sent_at: float = 0.0
    """When the last request had been sent completely, by the monotonic clock; 0 if it was not."""
    _socket: socket.socket | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up, if there is a connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def ask(self, request: Request) -> Answer:
        """Send a request and return its answer.

        Raises:
            GoneError: if there is no connection to be had, or it ends before the answer does.
        """
        try:
            return self._exchange(request)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise GoneError(repr(error)) from error

    def act(self, action: str, **given: object) -> Answer:
        """Ask for an action, without an idempotency key."""
        return self.ask(Request({"action": action, **given}))

    def begin(self, action: str) -> None:
        """Send the head of a request and no more, so that it is in flight."""
        self._socket = self._socket or _connected(self.place)
        octets = _octets(self.door, Request({"action": action}))
        self._socket.sendall(octets[: octets.index(b"\r\n\r\n") + 4])

    def _exchange(self, request: Request) -> Answer:
        self.sent_at = 0.0
        if self._socket is None:
            self._socket = _connected(self.place)
        began = time.monotonic()
        self._socket.sendall(_octets(self.door, request))
        self.sent_at = time.monotonic()
        answer = _read(self._socket, began)
        if answer.headers.get("connection") == "close":
            self.close()
        return answer


def _connected(place: Place) -> socket.socket:
    made = socket.create_connection((place.host, place.port), timeout=PATIENCE_SECONDS)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


def _octets(door: Door, request: Request) -> bytes:
    body = json.dumps(request.document).encode()
    fields = {
        "Host": "gateway",
        "Authorization": f"Bearer {door.secret}",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        **request.headers,
    }
    lines = [f"POST {door.path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def _read(sock: socket.socket, began: float) -> Answer:
    response = http.client.HTTPResponse(sock, method="POST")
    try:
        response.begin()
        body = response.read()
    finally:
        response.close()
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, headers, body, time.monotonic() - began)
