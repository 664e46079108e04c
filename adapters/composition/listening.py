"""A server that listens, says so, and serves until it is told to stop."""

from __future__ import annotations

import errno
import signal
import socket
from collections.abc import Callable
from functools import partial
from wsgiref.types import WSGIApplication

from attrs import asdict

from adapters import cli
from adapters.composition.edges import LOG, new_id
from adapters.logs import Fields, log_event
from adapters.server import Admit, Rejection, RenderError, Server, ServerOptions
from adapters.settings import Settings
from adapters.webhooks.client import remembered


def listening(
    app: WSGIApplication, options: ServerOptions, admit: Admit, render_error: RenderError
) -> Server:
    """Return a server that listens, or say why it cannot."""
    try:
        return Server(app, options, admit=admit, render_error=render_error, new_id=new_id)
    except OSError as error:
        why = (
            "this system has no IPv6: name an address of IPv4" if _lacks(error) else error.strerror
        )
        raise cli.CommandError(
            f"cannot listen on {options.host} port {options.port}: {why}"
        ) from error


def _lacks(error: OSError) -> bool:
    return error.errno in {errno.EAFNOSUPPORT, socket.EAI_ADDRFAMILY}


def run_until_told(server: Server) -> int:
    """Serve until SIGTERM or SIGINT, and return the exit code."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _signal, _frame: server.stop())
    print(f"listening on {server.url}", flush=True)  # noqa: T201 - the promise
    log_event(LOG, "listening", {"host": server.host, "port": server.port})
    return 0 if server.run() else 1


def log_stopped(code: int) -> None:
    """Log that a server has stopped, when all that it held is closed."""
    log_event(LOG, "stopped", {"drained": code == 0})


def remember_of(settings: Settings) -> Callable[[str], str | None]:
    """Return what is recorded of a client's address."""
    return partial(remembered, mode=settings.log.remote_address)


def rejection_fields(rejection: Rejection, remember: Callable[[str], str | None]) -> Fields:
    """Return what is logged of a request that the server itself refused."""
    fields = asdict(rejection, filter=lambda field, _: field.name not in {"sentence", "peer"})
    return {**fields, "peer": remember(rejection.peer)}
