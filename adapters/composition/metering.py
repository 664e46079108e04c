"""What is measured where, and the address on which operators' programs ask for it."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

from adapters.composition.clock_and_ids import LOG, new_request_id
from adapters.composition.jobs import Jobs
from adapters.composition.readiness import Readiness, folder_of, free_bytes
from adapters.composition.serve import listening, rejection_fields, remember_of
from adapters.composition.shard import OpenShard
from adapters.logs import dropped_lines, log_event, log_milestone
from adapters.metrics import GatewayMetrics, StoreMetrics, create_metrics_app
from adapters.schedule import beside
from adapters.server import HttpServer, RawResponse, Rejection, ServerOptions
from adapters.settings import FIRST, AdminConfig, GatewayConfig
from adapters.store import StoreAuditLog
from adapters.webhooks import responses
from adapters.webhooks.admission import Admission
from adapters.webhooks.request_context import AccessLogEntry, LogRequest
from adapters.webhooks.responses import Response
from domain.application.ports import StoreUnavailable

_OPTIONS: Final[dict[str, Any]] = {"threads": 1, "connections": 16, "drain_seconds": 1.0}
"""Few ask, and none of them may take what the callers need."""


def record_request(metrics: GatewayMetrics, record: LogRequest, entry: AccessLogEntry) -> None:
    """Count a request, and record it."""
    action = entry["action"]
    metrics.request(route=entry["route"], action=action, code=entry["code"])
    metrics.request_took(action=action, seconds=entry["duration_ms"] / 1000)
    record(entry)


def read_parts(
    metrics: GatewayMetrics, server: HttpServer, admission: Admission, ready: Readiness
) -> None:
    """Have what the parts of a gateway know read whenever somebody asks."""
    metrics.read("in_flight", admission.in_flight)
    metrics.read("connections", lambda: server.connections)
    metrics.read("log_lines_dropped_total", dropped_lines)
    first = OpenShard(ready.store, ready.writer)
    _read_store(metrics.of_store(FIRST), lambda: first, lambda: ready.jobs, ready.folder)
    for shard in () if ready.shards is None else ready.shards.each[1:]:
        folder = folder_of(shard.config.url.url)
        found, jobs = partial(getattr, shard, "open"), partial(getattr, shard, "jobs")
        _read_store(metrics.of_store(shard.name), found, jobs, folder)


def _read_store(
    metrics: StoreMetrics,
    found: Callable[[], OpenShard],
    jobs: Callable[[], Jobs | None],
    folder: Path | None,
) -> None:
    """Have what is known of a store read; one that is gone has no figures, and is not up."""
    read = metrics.sources
    read["writer_waiting"] = lambda: found().writer.waiting
    read["writer_busy_seconds"] = lambda: found().writer.busy_seconds
    read["log_position"] = lambda: StoreAuditLog(found().store).size()
    read["store_free_bytes"] = lambda: free_bytes(folder)
    read["checkpoint_age_seconds"] = lambda: jobs().checkpoint_age()  # type: ignore[union-attr] # what fails is NaN
    if folder is None:
        read["database_up"] = lambda: _is_up(found)
        read["database_reconnects_total"] = lambda: found().store.link.reconnects  # type: ignore[union-attr] # the same


def _is_up(found: Callable[[], OpenShard]) -> bool:
    try:
        link = found().store.link
    except StoreUnavailable:
        return False
    return link is not None and link.is_up


def are_metrics_served(gateway: GatewayConfig, shared: socket.socket | None) -> bool:
    """Say whether anybody can ask. PERF: to count a request takes 8 of its 300 us."""
    return gateway.admin is not None or shared is not None


@contextmanager
def serving_metrics(
    gateway: GatewayConfig,
    metrics: GatewayMetrics,
    ready: Readiness,
    shared: socket.socket | None,
) -> Iterator[None]:
    """Answer on the administrative address while the context lasts, if there is one.

    A socket that was handed over goes before the address, and needs none.
    """
    admin, remember = gateway.admin, remember_of(gateway)
    if admin is None and shared is not None:
        admin = AdminConfig()
    if admin is None:
        yield
        return
    app = create_metrics_app(
        metrics.registry,
        {
            "": partial(_raw, lambda: responses.ROUTE_NOT_FOUND),
            "/healthz": partial(_raw, lambda: responses.ALIVE),
            "/readyz": partial(_raw, lambda: _readiness(ready)),
        },
    )
    server = listening(
        app,
        ServerOptions(host=admin.host, port=admin.port, **_OPTIONS),
        admit=lambda _: None,
        render_error=partial(_render_error, remember=remember),
        neighbourhood=str,
        shared=shared,
    )
    log_milestone(LOG, "metrics", {"host": server.host, "port": server.port})
    with beside(partial(_run, server), server.stop, name="metrics"):
        yield


def _run(server: HttpServer) -> None:
    server.run()


def _raw(make: Callable[[], Response]) -> RawResponse:
    return make().as_raw(new_request_id())


def _readiness(ready: Readiness) -> Response:
    is_ready, parts = ready()
    return responses.readiness(is_ready=is_ready, parts=parts)


def _render_error(rejection: Rejection, *, remember: Callable[[str], str | None]) -> RawResponse:
    log_event(LOG, "metrics request", rejection_fields(rejection, remember))
    refused = responses.unrouted(rejection.code, rejection.sentence)
    return refused.as_raw(rejection.request_id)
