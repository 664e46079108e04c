"""A real server in a thread, and the parts that it is given in tests."""

import itertools
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from attrs import define, frozen

from adapters.server import (
    Admit,
    Head,
    HttpServer,
    Neighbourhood,
    RawResponse,
    Rejection,
    RenderError,
    ServerOptions,
)
from domain.application.limits import Limits
from domain.flow.ids import RequestId
from tests.server.wire import PATIENCE, Caller, calling, request

LIMITS = ("body_bytes", "body_seconds", "head_seconds")


@frozen
class Running:
    server: HttpServer
    thread: threading.Thread
    drained: list[bool]
    """What `run` returned, once it has."""

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        return self.server.host, self.server.port

    def calling(self) -> AbstractContextManager[Caller]:
        """Open a connection to it."""
        return calling(self.address)

    def stop(self) -> None:
        """Stop it and wait until it has."""
        self.server.stop()
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive(), "the server did not stop"


def echo(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    """Answer with what the application was given."""
    variables = {key: value for key, value in environ.items() if isinstance(value, str)}
    said = {"body": environ["wsgi.input"].read().decode("latin-1"), "variables": variables}
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(said).encode()]


def envelope(rejection: Rejection) -> RawResponse:
    body = {"ok": False, "code": rejection.code, "error": rejection.sentence, "result": {}}
    headers = (("Content-Type", "application/json"), ("X-Request-Id", rejection.request_id))
    return rejection.status, headers, json.dumps(body).encode()


def admit_all(_head: Head) -> None:
    return None


@contextmanager
def serving(  # noqa: PLR0913 - all that a server may be given
    app: WSGIApplication = echo,
    *,
    admit: Admit = admit_all,
    render_error: RenderError = envelope,
    clock: Callable[[], float] = time.monotonic,
    neighbourhood: Neighbourhood = str,
    shared: socket.socket | None = None,
    is_stopped: bool = False,
    **options: Any,  # noqa: ANN401 - of ServerOptions and Limits
) -> Iterator[Running]:
    """Serve `app` on a free port until the block ends, and then stop in good order.

    A server that `is_stopped` before it begins only drains.
    """
    limits = {name: options.pop(name) for name in LIMITS if name in options}
    ids = (RequestId(f"r{number}") for number in itertools.count(1))
    server = HttpServer(
        app,
        ServerOptions(port=0, limits=Limits(**limits), **options),
        admit=admit,
        render_error=render_error,
        new_id=lambda: next(ids),
        clock=clock,
        neighbourhood=neighbourhood,
        shared=shared,
    )
    if is_stopped:
        server.stop()
    drained: list[bool] = []
    thread = threading.Thread(target=lambda: drained.append(server.run()))
    running = Running(server, thread, drained)
    running.thread.start()
    try:
        yield running
    finally:
        running.stop()


@define(eq=False)
class CountedTicket:
    releases: int = 0
    is_authenticated: bool = True
    body_bounds: tuple[int, float] | None = None

    def release(self) -> None:
        """Count a release."""
        self.releases += 1


class Ledger:
    """Admits everybody and keeps the permits."""

    def __init__(self) -> None:
        self.permits: list[CountedTicket] = []

    def admit(self, _head: Head) -> CountedTicket:
        """Admit a request."""
        self.permits.append(CountedTicket())
        return self.permits[-1]

    @property
    def releases(self) -> list[int]:
        """How often each permit was released, in the order of admission."""
        return [permit.releases for permit in self.permits]


class Clock:
    """A clock that a test moves."""

    now = 1_000.0
    reads = 0

    def __call__(self) -> float:
        """Tell the time."""
        self.reads += 1
        return self.now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


class Gate:
    """An application that says when it has begun and goes on when it is let."""

    def __init__(self) -> None:
        self.entered = threading.Semaphore(0)
        self.opened = threading.Event()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        """Answer like `echo`, once the gate is open."""
        self.entered.release()
        assert self.opened.wait(PATIENCE)
        return echo(environ, start_response)

    def await_entries(self, count: int) -> None:
        """Wait until `count` more requests have begun."""
        for _ in range(count):
            assert self.entered.acquire(timeout=PATIENCE)


def eventually(holds: Callable[[], bool]) -> None:
    """Wait until something holds that another thread brings about."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, "it never came to hold"
        time.sleep(0.005)


def await_turn(running: Running) -> None:
    """Wait until the server has read what was sent before: a request on its own is answered.

    NOTE: a worker has sent an answer before the I/O thread hears of it, and only then is the next
    request on that connection read; on a busy machine much comes in between.
    """
    with calling(running.address) as other:
        _await_rest(running)
        assert other.ask(request()).status == 200
        _await_rest(running)


def _await_rest(running: Running) -> None:
    """Wait until no request is in work."""
    listener = running.server._listener  # noqa: SLF001 - nothing public says it
    eventually(lambda: listener.in_work == 0)


def reset(sock: socket.socket) -> None:
    """Close a socket by a reset."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def is_over(caller: Caller) -> bool:
    """Whether the server ends the connection without a word."""
    return caller.rest() == b""
