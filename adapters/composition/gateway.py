"""The gateway: webhooks over a store, on a server."""

from __future__ import annotations

import gc
import signal
import socket
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from attrs import asdict

from adapters import cli
from adapters.audit.keys import Verifier
from adapters.composition.checkpoints import signing_of
from adapters.composition.clock_and_ids import LOG, now
from adapters.composition.core_dumps import allow_core_dumps
from adapters.composition.freed_memory import return_freed_memory
from adapters.composition.key_times import advise_on_times
from adapters.composition.metering import are_metrics_served, record_request, serving_metrics
from adapters.composition.own_files import CHECKPOINTS, misplaced_in_any
from adapters.composition.readiness import Readiness, folder_of
from adapters.composition.reloading import RELOAD_PATIENCE_SECONDS
from adapters.composition.serve import listening, rejection_fields, run_service, serve_until_stopped
from adapters.composition.service_manager import METRICS, WEBHOOKS, handed_over, notify
from adapters.composition.serving import Serving
from adapters.composition.shard import OpenShard
from adapters.composition.shards import Shards
from adapters.composition.sharing import sharing_limits
from adapters.composition.signals import Signals
from adapters.composition.stores import named_url, opened, settings_of
from adapters.composition.webhooks import gateway
from adapters.composition.writer import writing
from adapters.logs import log_event, log_fault, log_milestone
from adapters.metrics import GatewayMetrics
from adapters.schedule import beside
from adapters.server import Head, HttpServer, Permit, RawResponse, Rejection, ServerOptions
from adapters.settings import FIRST, Settings
from adapters.store import EventSourcedStore, LockPatience, open_for_writing, recording_refusals
from adapters.webhooks.admission import Admission
from adapters.webhooks.refusal_recorder import RefusalRecorder
from adapters.webhooks.resource import WebhookResource
from adapters.webhooks.responses import Response, unrouted
from adapters.webhooks.wsgi import create_webhook_app
from domain.application.ports import Progress

_SWITCH_SECONDS: Final = 0.0005
"""PERF: the I/O thread waits so long for the interpreter where another thread computes, each time
that it comes back from a system call; by default ten times as long."""

_MORE_TIME: Final = "EXTEND_TIMEOUT_USEC=600000000"
"""Ten minutes for some hundred flows, of which each may be large."""


def serve(given: cli.ServeOptions) -> int:
    """Serve a configuration until it is asked to stop."""
    if given.socket is not None and (given.host, given.port) != (None, None):
        raise cli.CommandError("--socket listens already: leave out --host and --port")
    return run_service(given.json, partial(_serve, given=given))


def _serve(signals: Signals, *, given: cli.ServeOptions) -> bool:
    config, sockets = given.config, handed_over(given.socket)
    settings = settings_of(config)
    url = _url(settings, given.database)
    verifiers = _prepare(config, settings, url)
    metrics = GatewayMetrics()
    with (
        opened(_opening(given.wait), url) as store,
        recording_refusals(
            url,
            most=settings.kept_refusals,
            on_fault=_log_refusals_fault,
            on_drop=metrics.refusal_dropped,
        ) as note,
        writing(store, metrics.of_store(FIRST)) as writer,
        sharing_limits(settings, metrics) as shared,
    ):
        ready = Readiness(store=store, folder=folder_of(url), writer=writer)
        if len(settings.shards) > 1:
            first = OpenShard(store, writer)
            ready.shards = Shards(settings, first, _opening(given.wait), metrics)
        record = RefusalRecorder(note, now).record
        if are_metrics_served(settings, sockets.get(METRICS)):
            record = partial(record_request, metrics, record)
        webhooks = gateway(settings, store, writer, ready=ready, record=record, shared=shared)
        server = _server(settings, webhooks, given, metrics, sockets.get(WEBHOOKS))
        ready.is_listening = lambda: not server.is_stopping
        parts = Serving(
            settings=settings,
            url=url,
            metrics=metrics,
            ready=ready,
            server=server,
            admission=webhooks.admission,
        )
        with (
            parts.work(config, verifiers) as reloads,
            serving_metrics(settings, metrics, ready, sockets.get(METRICS)),
            beside(reloads.run, reloads.end, name="reload", seconds=RELOAD_PATIENCE_SECONDS),
        ):
            signals.actions[signal.SIGHUP] = reloads.ask
            gc.freeze()  # PERF: else a full collection holds all callers up for tens of ms
            # This thread is the one in which all callers are answered.
            (ready.shards or store).never_wait_here()
            return serve_until_stopped(server, signals)


def _url(settings: Settings, database: str | None) -> str:
    if database is None:
        return settings.store.url
    if len(settings.shards) > 1:
        raise cli.CommandError("--database names one store, and taskflow.store.shards has several")
    return named_url(database)


def _prepare(config: Path, settings: Settings, url: str) -> tuple[Verifier, ...] | None:
    """Check what only a start can, say what is to be said of the settings, and set the process up.

    Returns the keys by which the last checkpoint may be signed, None if none will be.

    Raises:
        CommandError: if a file of the gateway is in the way of another one.
    """
    return_freed_memory()
    if settings.core_dumps:
        allow_core_dumps()
    signing = signing_of(settings)
    if fault := misplaced_in_any(settings, url, signing):
        raise cli.CommandError(f"{config}: {CHECKPOINTS}: {fault}")
    untimely = advise_on_times(settings, now())
    for finding in (*settings.skipped, *settings.advice, *untimely, *signing.faults):
        LOG.warning("%s", finding)
    sys.setswitchinterval(_SWITCH_SECONDS)
    return signing.verifiers


def _logging_upgrade() -> Progress:
    """Return what logs each tenth of the flows that were brought to the present format.

    A service manager waits for a start only so long, and each further step asks it for more.
    """
    logged = -1

    def log(done: int, flows: int) -> None:
        nonlocal logged
        notify(_MORE_TIME, f"STATUS=upgrading the store: {done} of {flows} flows")
        if (tenth := 10 * done // max(flows, 1)) > logged:
            logged = tenth
            log_milestone(LOG, "upgrading the store", {"flows": flows, "done": done})

    return log


def _opening(wait: int) -> Callable[[str], EventSourcedStore]:
    return partial(
        open_for_writing,
        on_breach=_log_breach,
        on_stale_cache=partial(LOG.warning, "%s"),
        on_upgrade=_logging_upgrade(),
        patience=LockPatience(wait, partial(_log_wait, wait)) if wait else None,
    )


def _log_breach(found: str) -> None:
    advice = (
        "nothing is read or written any more: stop the gateway, put the store back"
        " or restore a copy, and start it again"
    )
    log_fault(LOG, "store lost", {"reason": found, "advice": advice})


def _log_refusals_fault(error: Exception) -> None:
    log_fault(LOG, "refusals not written", {"reason": str(error)})


def _log_wait(seconds: int, holder: str) -> None:
    log_milestone(LOG, "waiting for the store", {"pid": holder or None, "seconds": seconds})


def _server(
    settings: Settings,
    webhooks: WebhookResource,
    given: cli.ServeOptions,
    metrics: GatewayMetrics,
    shared: socket.socket | None,
) -> HttpServer:
    named = {"host": given.host, "port": given.port}
    wanted = {name: value for name, value in named.items() if value is not None}
    server = {**asdict(settings.server), **wanted}
    options = ServerOptions(**server, limits=settings.limits, in_loop=True)
    return listening(
        create_webhook_app(webhooks),
        options,
        admit=partial(_admit, webhooks.admission),
        render_error=partial(_render_error, webhooks.admission, metrics),
        neighbourhood=webhooks.admission.neighbourhood,
        shared=shared,
    )


def _admit(admission: Admission, head: Head) -> Permit | RawResponse:
    verdict = admission.admit(head)
    return verdict.as_raw(head.request_id) if isinstance(verdict, Response) else verdict


def _render_error(
    admission: Admission, metrics: GatewayMetrics, rejection: Rejection
) -> RawResponse:
    metrics.request(route=None, action=None, code=rejection.code)
    log_event(LOG, "request", rejection_fields(rejection, admission.table.remember_address))
    refused = unrouted(rejection.code, rejection.sentence)
    return refused.as_raw(rejection.request_id)
