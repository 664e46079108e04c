"""The server as the rest of the program sees it."""

from __future__ import annotations

import socket
from collections.abc import Callable
from wsgiref.types import WSGIApplication

from attrs import evolve

from adapters.server.crowd import Neighbourhood
from adapters.server.listener import Listener
from adapters.server.listening_clock import ListeningClock
from adapters.server.options import ServerOptions
from adapters.server.ports import Admit, RenderError, Terms
from adapters.server.sockets import room_for_connections
from domain.application.limits import Limits
from domain.flow.ids import RequestId


class HttpServer:
    """Serves a WSGI application over HTTP/1.1, bound from the start, until `stop`.

    Raises OSError if it cannot listen on the host and port of its options. A `shared` socket that
    listens already, here and perhaps in other processes, goes before those.
    """

    def __init__(  # noqa: PLR0913 - one keyword for each collaborator
        self,
        app: WSGIApplication,
        options: ServerOptions,
        *,
        admit: Admit,
        render_error: RenderError,
        new_id: Callable[[], RequestId],
        clock: Callable[[], float] | None = None,
        neighbourhood: Neighbourhood = str,
        shared: socket.socket | None = None,
    ) -> None:
        connections = room_for_connections(options.connections)
        terms = Terms(
            options=evolve(options, connections=connections),
            admit=admit,
            render_error=render_error,
            new_id=new_id,
            clock=clock or ListeningClock(),
            neighbourhood=neighbourhood,
        )
        self._listener = Listener(app, terms, shared)

    @property
    def host(self) -> str:
        """The numeric address that is listened on."""
        return str(self._listener.effective_host)

    @property
    def port(self) -> int:
        """The port that is listened on, also where the options say 0."""
        return int(self._listener.effective_port)

    @property
    def url(self) -> str:
        """Where to reach it: `http://HOST:PORT`, a version 6 address in brackets."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return len(self._listener.active_channels)

    @property
    def is_stopping(self) -> bool:
        """Whether `stop` was called, so that nothing new is taken in."""
        return self._listener.stopping

    def run(self, each_tick: Callable[[], None] = lambda: None) -> bool:
        """Serve until `stop`, then drain; True if every accepted request was answered.

        `each_tick` is called in the server's loop, a few times a second, and when the drain begins.
        """
        listener = self._listener
        listener.each_tick = each_tick
        drained = False
        try:
            listener.start_workers()
            while not listener.stopping:
                listener.turn()
            each_tick()
            drained = listener.drain()
        finally:
            listener.shut(1.0)
        if not drained:
            listener.logger.warning("stopped before every accepted request was answered")
        return drained

    def limit(self, limits: Limits) -> None:
        """Change what a request may take, from the next one on; any thread may call this."""
        terms = self._listener.terms
        self._listener.terms = evolve(terms, options=evolve(terms.options, limits=limits))

    def stop(self) -> None:
        """Begin the drain; any thread and any signal handler may call this, more than once."""
        self._listener.stopping = True
        self._listener.pull_trigger()

    def cut_short(self) -> None:
        """End the drain at once; any thread and any signal handler may call this."""
        self._listener.cut_short = True
        self._listener.pull_trigger()
