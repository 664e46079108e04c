"""The gateway: webhooks over a store, on a server."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from attrs import asdict, frozen

from adapters import cli
from adapters.composition.checkpoints import signing_of
from adapters.composition.configurations import recording_configurations
from adapters.composition.core_dumps import allow_core_dumps
from adapters.composition.edges import LOG, log_request_fault, new_id, new_request_id, now
from adapters.composition.jobs import Jobs, doing_jobs, noting_refusals
from adapters.composition.key_times import advise_on_times
from adapters.composition.limits import limits_as
from adapters.composition.listening import (
    listening,
    rejection_fields,
    remember_of,
    run_service,
    serve_until_stopped,
)
from adapters.composition.own_files import CHECKPOINTS, misplaced_checkpoints
from adapters.composition.reloading import Reloads, note_report, reloading
from adapters.composition.signals import Signals
from adapters.composition.stores import named_url, opened, settings_of
from adapters.logs import log_event, log_fault, log_milestone
from adapters.server import (
    Head,
    RawAnswer,
    Rejection,
    Server,
    ServerOptions,
    Ticket,
    Turn,
    bound_arenas,
)
from adapters.settings import InvalidKey, RouteConfig, Settings
from adapters.store import EventSourcedStore, LockPatience, open_for_writing
from adapters.webhooks.gate import AdmissionTable, Gate
from adapters.webhooks.limits import Limits
from adapters.webhooks.refused import NoteAnswer, note_nothing
from adapters.webhooks.replies import render_error
from adapters.webhooks.resource import Collaborators
from adapters.webhooks.routes import KeyNotValid, Route, RouteTable
from adapters.webhooks.wsgi import create_app
from domain.application.sessions import TaskFlows
from domain.flow.ids import KeyId


def serve(  # noqa: PLR0913 - a keyword for each option
    config: Path,
    *,
    database: str | None,
    host: str | None,
    port: int | None,
    wait: int,
    json: bool,
) -> int:
    """Serve a configuration until it is asked to stop."""
    return run_service(
        json, partial(_serve, config=config, database=database, host=host, port=port, wait=wait)
    )


def _serve(  # noqa: PLR0913 - a keyword for each option
    signals: Signals,
    *,
    config: Path,
    database: str | None,
    host: str | None,
    port: int | None,
    wait: int,
) -> bool:
    settings = settings_of(config)
    if settings.core_dumps:
        allow_core_dumps()
    url = settings.store.url if database is None else named_url(database)
    signing = signing_of(settings)
    if fault := misplaced_checkpoints(settings, url, signing):
        raise cli.CommandError(f"{config}: {CHECKPOINTS}: {fault}")
    untimely = advise_on_times(settings, now())
    for finding in (*settings.skipped, *settings.advice, *untimely, *signing.faults):
        LOG.warning("%s", finding)
    bound_arenas()
    turn = Turn()
    patience = LockPatience(wait, partial(_log_wait, wait)) if wait else None
    opening = partial(
        open_for_writing,
        waiting=turn.given_up,
        on_breach=_log_breach,
        on_stale_cache=partial(LOG.warning, "%s"),
        patience=patience,
    )
    with opened(opening, url) as store, noting_refusals(settings, url) as note:
        webhooks = gateway(settings, store, note)
        server = _server(settings, webhooks, turn, host=host, port=port)
        with (
            doing_jobs(settings, store, lambda: not server.is_stopping) as jobs,
            recording_configurations(url, settings) as record,
        ):
            reloads = Reloads(
                config=config,
                url=url,
                settings=settings,
                swap=Reloadable(store, webhooks.gate, server, jobs).swap,
                report=partial(note_report, store),
                record=record,
            )
            with reloading(reloads):
                signals.actions[signal.SIGHUP] = reloads.ask
                drained = serve_until_stopped(server, signals)
    return drained


@frozen
class Reloadable:
    """What of a running gateway follows its settings."""

    store: EventSourcedStore
    gate: Gate
    server: Server
    jobs: Jobs

    def swap(self, settings: Settings) -> None:
        """Put other settings in force; whom they admit changes in one step."""
        limits, table = settings.limits, admission_table(settings, self.store)
        self.server.limit(
            body_bytes=limits.body_bytes,
            body_seconds=limits.body_seconds,
            head_seconds=limits.head_seconds,
        )
        self.gate.swap(table)
        self.jobs.follow(settings)


def _log_breach(found: str) -> None:
    advice = (
        "nothing is read or written any more: stop the gateway, put the store back"
        " or restore a copy, and start it again"
    )
    log_fault(LOG, "store lost", {"reason": found, "advice": advice})


def _log_wait(seconds: int, holder: str) -> None:
    log_milestone(LOG, "waiting for the store", {"pid": holder, "seconds": seconds})


def gateway(
    settings: Settings, store: EventSourcedStore, note_answer: NoteAnswer = note_nothing
) -> Collaborators:
    """Return what the webhooks need, over a store."""
    gate = Gate(
        table=admission_table(settings, store),
        clock=time.monotonic,
        log_request=partial(log_event, LOG, "request"),
        note_answer=note_answer,
    )
    return Collaborators(
        gate=gate, new_id=new_request_id, ready=store.is_readable, log_fault=log_request_fault
    )


def admission_table(settings: Settings, store: EventSourcedStore) -> AdmissionTable:
    """Return who is let in by some settings, to the flows of a store."""
    return AdmissionTable(
        routes=RouteTable(_routes(settings, TaskFlows(store, now, new_id))),
        trusted_proxies=settings.trusted_proxies,
        remember_address=remember_of(settings),
        tracked_keys=settings.limits.tracked_keys,
        ipv6_prefix=settings.limits.ipv6_prefix,
    )


def _server(
    settings: Settings, webhooks: Collaborators, turn: Turn, *, host: str | None, port: int | None
) -> Server:
    """Return a server over the webhooks."""
    return listening(
        turn.over(create_app(webhooks)),
        _options(settings, host, port),
        admit=partial(_admit, webhooks.gate),
        render_error=partial(_render_error, webhooks.gate),
        neighbourhood=webhooks.gate.neighbourhood,
    )


def _options(settings: Settings, host: str | None, port: int | None) -> ServerOptions:
    asked = {"host": host, "port": port}
    limits = settings.limits
    return ServerOptions(
        **{**asdict(settings.server), **{k: v for k, v in asked.items() if v is not None}},
        body_bytes=limits.body_bytes,
        body_seconds=limits.body_seconds,
        head_seconds=limits.head_seconds,
    )


def _admit(gate: Gate, head: Head) -> Ticket | RawAnswer:
    return gate.admit_head(head.method, head.target, head.headers, head.peer, head.request_id)


def _render_error(gate: Gate, rejection: Rejection) -> RawAnswer:
    log_event(LOG, "request", rejection_fields(rejection, gate.table.remember_address))
    return render_error(rejection.status, rejection.code, rejection.sentence, rejection.request_id)


def _routes(settings: Settings, flows: TaskFlows) -> Iterator[Route]:
    for route in settings.routes:
        yield Route(
            route_id=route.route_id,
            path=route.path,
            session=flows.bind_session(route.owner),
            controller_id=route.controller_id,
            identify=partial(_identify, route),
            limits=limits_as(Limits, route.limits),
        )


def _identify(route: RouteConfig, presented: str) -> KeyId | KeyNotValid | None:
    found = route.identify(presented, now())
    return KeyNotValid(found.key_id, found.fault) if isinstance(found, InvalidKey) else found
