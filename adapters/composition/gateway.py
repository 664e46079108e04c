"""The gateway: webhooks over a store, on a server."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeAlias

from attrs import asdict

from adapters import cli
from adapters.composition.checkpoints import signing_of
from adapters.composition.clock_and_ids import LOG, log_request_fault, new_id, new_token, now
from adapters.composition.configurations import recording_configurations
from adapters.composition.core_dumps import allow_core_dumps
from adapters.composition.jobs import Jobs, doing_jobs
from adapters.composition.key_times import advise_on_times
from adapters.composition.mappings import payload_map
from adapters.composition.own_files import CHECKPOINTS, misplaced_checkpoints
from adapters.composition.reloading import RELOAD_PATIENCE_SECONDS, Reloads, note_report
from adapters.composition.serve import (
    listening,
    rejection_fields,
    remember_of,
    run_service,
    serve_until_stopped,
)
from adapters.composition.signals import Signals
from adapters.composition.signatures import verify_of
from adapters.composition.stores import named_url, opened, settings_of
from adapters.logs import log_event, log_fault, log_milestone
from adapters.schedule import beside
from adapters.schedule.batches import MOST, BatchThread
from adapters.server import (
    Head,
    HttpServer,
    Permit,
    RawResponse,
    Rejection,
    ServerOptions,
)
from adapters.settings import InvalidKey, RouteConfig, Settings
from adapters.store import EventSourcedStore, LockPatience, open_for_writing, recording_refusals
from adapters.webhooks.admission import Admission, AdmissionTable
from adapters.webhooks.refusal_recorder import RefusalRecorder
from adapters.webhooks.request_context import AccessLogEntry
from adapters.webhooks.resource import WebhookResource
from adapters.webhooks.responses import Response, unrouted
from adapters.webhooks.routes import RouteTable, WebhookRoute
from adapters.webhooks.wsgi import create_webhook_app
from domain.application.batch import Submission, carry_out
from domain.application.outcomes import Outcome
from domain.application.ports import Progress
from domain.application.sessions import TaskFlows
from domain.flow.commands import CancelFlow
from domain.flow.ids import KeyId

Writer: TypeAlias = BatchThread[Submission, Outcome | Exception]

_SWITCH_SECONDS: Final = 0.0005
"""PERF: the I/O thread waits so long for the interpreter where another thread computes, each time
that it comes back from a system call; by default ten times as long."""


def serve(given: cli.ServeOptions) -> int:
    """Serve a configuration until it is asked to stop."""
    wanted = {"host": given.host, "port": given.port}
    address = {name: value for name, value in wanted.items() if value is not None}
    config, url, wait = given.config, given.database, given.wait
    return run_service(
        given.json, partial(_serve, config=config, database=url, address=address, wait=wait)
    )


def _serve(
    signals: Signals, *, config: Path, database: str | None, address: dict[str, Any], wait: int
) -> bool:
    settings = settings_of(config)
    url = settings.store.url if database is None else named_url(database)
    _prepare(config, settings, url)
    with (
        opened(_opening(wait), url) as store,
        recording_refusals(url, most=settings.kept_refusals, on_fault=_log_refusals_fault) as note,
        writing(store) as writer,
    ):
        webhooks = gateway(settings, store, writer, RefusalRecorder(note, now))
        server = _server(settings, webhooks, address)
        with (
            doing_jobs(settings, store, writer.do_all, lambda: not server.is_stopping) as jobs,
            recording_configurations(url, settings) as record,
        ):
            reloads = Reloads(
                config=config,
                url=url,
                settings=settings,
                swap=partial(_swap, server, webhooks.admission, jobs, flows_of(store, writer)),
                report=partial(note_report, store),
                record=record,
            )
            with beside(reloads.run, reloads.end, name="reload", seconds=RELOAD_PATIENCE_SECONDS):
                signals.actions[signal.SIGHUP] = reloads.ask
                return serve_until_stopped(server, signals)


def _prepare(config: Path, settings: Settings, url: str) -> None:
    """Check what only a start can, say what is to be said of the settings, and set the process up.

    Raises:
        CommandError: if a file of the gateway is in the way of another one.
    """
    if settings.core_dumps:
        allow_core_dumps()
    signing = signing_of(settings)
    if fault := misplaced_checkpoints(settings, url, signing):
        raise cli.CommandError(f"{config}: {CHECKPOINTS}: {fault}")
    untimely = advise_on_times(settings, now())
    for finding in (*settings.skipped, *settings.advice, *untimely, *signing.faults):
        LOG.warning("%s", finding)
    sys.setswitchinterval(_SWITCH_SECONDS)


@contextmanager
def writing(store: EventSourcedStore) -> Iterator[Writer]:
    """Carry out commands in a thread of their own, as long as the context lasts."""
    writer = Writer(partial(carry_out, store), weigh=_weigh)
    try:
        yield writer
    finally:
        writer.stop()


def _weigh(submission: Submission) -> int:
    # PERF: a cancellation loads and shows all tasks of its flow. Eight of 15 MB each took 400 MB in
    # one batch, and 230 one after the other.
    return MOST if isinstance(submission.context.command, CancelFlow) else 1


def _opening(wait: int) -> Callable[[str], EventSourcedStore]:
    return partial(
        open_for_writing,
        on_breach=_log_breach,
        on_stale_cache=partial(LOG.warning, "%s"),
        on_upgrade=_logging_upgrade(),
        patience=LockPatience(wait, partial(_log_wait, wait)) if wait else None,
    )


def _swap(
    server: HttpServer, admission: Admission, jobs: Jobs, flows: TaskFlows, settings: Settings
) -> None:
    """Put other settings in force; whom they admit changes in one step."""
    table = admission_table(settings, flows)
    server.limit(settings.limits)
    admission.swap(table)
    jobs.follow(settings)


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


def flows_of(store: EventSourcedStore, writer: Writer) -> TaskFlows:
    """Return the flows of a store, which nobody but the writer writes to."""
    return TaskFlows(store, now, new_id, writer.do_all)


def _logging_upgrade() -> Progress:
    """Return what logs each tenth of the flows that were brought to the present format."""
    logged = -1

    def log(done: int, flows: int) -> None:
        nonlocal logged
        if (tenth := 10 * done // max(flows, 1)) > logged:
            logged = tenth
            log_milestone(LOG, "upgrading the store", {"flows": flows, "done": done})

    return log


def gateway(
    settings: Settings,
    store: EventSourcedStore,
    writer: Writer,
    refusals: RefusalRecorder | None = None,
) -> WebhookResource:
    """Return the webhooks over a store."""
    flows = flows_of(store, writer)
    admission = Admission(
        table=admission_table(settings, flows),
        clock=time.monotonic,
        log_request=partial(_log_request, refusals),
    )
    return WebhookResource(
        admission=admission,
        ready=store.is_readable,
        log_fault=log_request_fault,
        submit=writer.submit,
        find_link=flows.find_link,
        new_token=new_token,
    )


def _log_request(refusals: RefusalRecorder | None, entry: AccessLogEntry) -> None:
    log_event(LOG, "request", entry)
    if refusals is not None:
        refusals.record(entry)


def admission_table(settings: Settings, flows: TaskFlows) -> AdmissionTable:
    """Return who is let in by some settings, to the flows of a store."""
    return AdmissionTable(
        routes=RouteTable(_routes(settings, flows)),
        trusted_proxies=settings.trusted_proxies,
        remember_address=remember_of(settings),
        limits=settings.limits,
    )


def _server(settings: Settings, webhooks: WebhookResource, address: dict[str, Any]) -> HttpServer:
    wanted = {**asdict(settings.server), **address}
    options = ServerOptions(**wanted, limits=settings.limits, in_loop=True)
    return listening(
        create_webhook_app(webhooks),
        options,
        admit=partial(_admit, webhooks.admission),
        render_error=partial(_render_error, webhooks.admission),
        neighbourhood=webhooks.admission.neighbourhood,
    )


def _admit(admission: Admission, head: Head) -> Permit | RawResponse:
    verdict = admission.admit(head)
    return verdict.as_raw(head.request_id) if isinstance(verdict, Response) else verdict


def _render_error(admission: Admission, rejection: Rejection) -> RawResponse:
    log_event(LOG, "request", rejection_fields(rejection, admission.table.remember_address))
    refused = unrouted(rejection.code, rejection.sentence)
    return refused.as_raw(rejection.request_id)


def _routes(settings: Settings, flows: TaskFlows) -> Iterator[WebhookRoute]:
    for route in settings.routes:
        yield WebhookRoute(
            route_id=route.route_id,
            path=route.path,
            session=flows.bind_session(route.owner),
            controller_id=route.controller_id,
            identify=partial(_identify, route),
            verify=verify_of(route, now),
            may={key.key_id: key.may for key in route.keys if key.may is not None},
            limits=route.limits,
            payloads=payload_map(route.map),
            separate_approver=route.separate_approver,
        )


def _identify(route: RouteConfig, presented: str) -> KeyId | InvalidKey | None:
    return route.identify(presented, now())
