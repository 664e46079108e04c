"""A service: it logs, listens, says so, and serves until it is asked to stop."""

from __future__ import annotations

import errno
import os
import select
import socket
from collections.abc import Callable
from functools import partial
from threading import Thread
from typing import Final
from wsgiref.types import WSGIApplication

from attrs import asdict

from adapters import cli
from adapters.composition.clock_and_ids import LOG, new_request_id
from adapters.composition.service_manager import Watchdog, notify
from adapters.composition.signals import Signals, StoppedAtStartError
from adapters.logs import JsonFormatter, LogFields, TextFormatter, configure, flush, log_milestone
from adapters.server import Admit, HttpServer, Neighbourhood, Rejection, RenderError, ServerOptions
from adapters.settings import GatewayConfig
from adapters.webhooks.client import remembered

_STDOUT: Final = 1
_STDERR: Final = 2


def listening(  # noqa: PLR0913 - one keyword for each collaborator
    app: WSGIApplication,
    options: ServerOptions,
    *,
    admit: Admit,
    render_error: RenderError,
    neighbourhood: Neighbourhood,
    shared: socket.socket | None = None,
) -> HttpServer:
    """Return a server that listens, or say why it cannot."""
    try:
        return HttpServer(
            app,
            options,
            admit=admit,
            render_error=render_error,
            new_id=new_request_id,
            neighbourhood=neighbourhood,
            shared=shared,
        )
    except OSError as error:
        why = (
            "this system has no IPv6: name an address of IPv4" if _lacks(error) else error.strerror
        )
        raise cli.CommandError(
            f"cannot listen on {options.host} port {options.port}: {why}"
        ) from error


def _lacks(error: OSError) -> bool:
    return error.errno in {errno.EAFNOSUPPORT, socket.EAI_ADDRFAMILY}


def run_service(json: bool, serve: Callable[[Signals], bool]) -> int:  # noqa: FBT001 - as asked for
    """Run a service that logs to standard error, and return its exit code.

    `serve` returns whether every accepted request was answered, when all that it held is closed.
    """
    signals = Signals()
    signals.install()
    log = configure(_STDERR, JsonFormatter() if json else TextFormatter())
    try:
        drained = serve(signals)
        log_milestone(LOG, "stopped", {"drained": drained})
    except StoppedAtStartError:
        log_milestone(LOG, "stopped", {"drained": True})
        return 0
    finally:
        log.close()
        _never_wait_for_stderr()
    return 0 if drained else 1


def serve_until_stopped(server: HttpServer, signals: Signals) -> bool:
    """Say where a server listens, and serve; True if every accepted request was answered."""
    line = f"listening on {server.url}\n".encode()
    log_milestone(LOG, "listening", {"host": server.host, "port": server.port})
    # NOTE: standard output may be a pipe that nobody reads, which is no reason to stop or to wait.
    notify("READY=1")
    Thread(target=_print, args=(line,), name="listening on", daemon=True).start()
    return signals.serve(server, Watchdog())


def _print(line: bytes) -> None:
    flush()  # when a reader sees this line, all that the start has logged is written
    try:
        os.write(_STDOUT, line)
    except OSError as error:
        LOG.warning("standard output cannot be written: %s", error.strerror)


def _never_wait_for_stderr() -> None:
    """Let what is still written to standard error go nowhere, if its reader does not take it."""
    if not select.select([], [_STDERR], [], 0)[1]:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, _STDERR)
        os.close(nowhere)


def remember_of(gateway: GatewayConfig) -> Callable[[str], str | None]:
    """Return what is recorded of a client's address."""
    return partial(remembered, mode=gateway.log.remote_address)


def rejection_fields(rejection: Rejection, remember: Callable[[str], str | None]) -> LogFields:
    """Return what is logged of a request that the server itself refused."""
    fields = asdict(rejection, filter=lambda field, _: field.name not in {"sentence", "peer"})
    return {**fields, "peer": remember(rejection.peer), "reason": rejection.sentence}
