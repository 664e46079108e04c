"""The composition root and the console entry: the only file that knows everybody.

Each function here builds one thing out of what the rooms offer, and decides nothing.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import Final, NoReturn, TypeVar
from uuid import uuid4
from wsgiref.types import WSGIApplication

from attrs import asdict, frozen

from adapters import cli
from adapters.audit.checkpointing import append_if_grown
from adapters.audit.desk import Configured, Desk, Prover, configured_issuer
from adapters.audit.export.cloud_events import write_cloud_events
from adapters.audit.export.ndjson import write_ndjson
from adapters.logs import Fields, JsonFormatter, TextFormatter, configure, log_event, log_fault
from adapters.pages import Collaborators as PagesCollaborators
from adapters.pages import create_app as create_pages
from adapters.pages import render_error as render_page_error
from adapters.schedule import every
from adapters.server import (
    Admit,
    Head,
    RawAnswer,
    Rejection,
    RenderError,
    Server,
    ServerOptions,
    Turn,
)
from adapters.server import Ticket as HeldPlace
from adapters.settings import Children, Pages, Settings, SettingsError, Unresolved, load_settings
from adapters.settings import Limits as RouteLimits
from adapters.store import (
    EventSourcedStore,
    Rebuilt,
    StoreEvidence,
    StoreFault,
    Undecodable,
    open_for_mending,
    open_for_reading,
    open_for_writing,
    read_refusals,
    rebuild,
    recording_refusals,
)
from adapters.webhooks.client import client_address, remembered
from adapters.webhooks.gate import Gate
from adapters.webhooks.limits import Limits
from adapters.webhooks.refused import NoteAnswer, note_nothing, noting
from adapters.webhooks.replies import render_error
from adapters.webhooks.resource import Collaborators
from adapters.webhooks.routes import Route, RouteTable
from adapters.webhooks.wsgi import create_app
from domain.audit.checkpoints import Checkpoints, Unprovable
from domain.audit.evidence import Evidence
from domain.audit.refused_calls import Refusals
from domain.evolve import BrokenHistory
from domain.flow import Flow
from domain.operators import SYSTEM, Operators
from domain.outcomes import Outcome
from domain.ports import StoreUnavailable
from domain.records import Actor, ActorKind
from domain.service import TaskFlows
from domain.sweep import Swept

LOG = logging.getLogger("taskflow")

T = TypeVar("T")


def now() -> int:
    """Return the milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def new_id() -> str:
    """Return a random UUID."""
    return str(uuid4())


def main() -> int:
    """Run the command line and return its exit code."""
    tools = cli.Tools(
        serve=serve,
        clock=now,
        check=check,
        read_store=read_store,
        write_store=write_store,
        open_evidence=open_evidence,
        serve_pages=serve_pages,
        exports=cli.Exports(ndjson=write_ndjson, cloud_events=write_cloud_events),
        proving=Desk(configured_checkpoints, now),
        open_refusals=open_refusals,
    )
    return cli.run(sys.argv[1:], tools, out=sys.stdout, err=sys.stderr)


def serve(
    config: Path, *, database: str | None, host: str | None, port: int | None, json: bool
) -> int:
    """Serve a configuration until SIGTERM or SIGINT."""
    configure(sys.stderr, JsonFormatter() if json else TextFormatter())
    settings = _settings(config)
    for finding in (*settings.skipped, *settings.advice, *_unsigned(settings)):
        LOG.warning("%s", finding)
    turn = Turn()
    opening = partial(open_for_writing, waiting=turn.given_up)
    url = database or settings.store.url
    with _opened(opening, url) as store, _refusals(settings, url) as note:
        server = _server(settings, gateway(settings, store, note), turn, host=host, port=port)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _signal, _frame: server.stop())
        print(f"listening on {server.url}", flush=True)  # noqa: T201 - the promise
        log_event(LOG, "listening", {"host": server.host, "port": server.port})
        with _jobs(settings, store):
            drained = server.run()
    log_event(LOG, "stopped", {"drained": drained})
    return 0 if drained else 1


def gateway(
    settings: Settings, store: EventSourcedStore, note_answer: NoteAnswer = note_nothing
) -> Collaborators:
    """Return what the webhooks need, over a store."""
    flows = TaskFlows(store, now, new_id)
    gate = Gate(
        routes=RouteTable(_routes(settings, flows)),
        trusted_proxies=settings.trusted_proxies,
        clock=time.monotonic,
        remember_address=_remember(settings),
        log_request=partial(log_event, LOG, "request"),
        note_answer=note_answer,
        tracked_keys=settings.limits.tracked_keys,
    )
    return Collaborators(gate=gate, new_id=new_id, ready=store.is_readable, log_fault=_log_fault)


def _remember(settings: Settings) -> Callable[[str], str | None]:
    """Return what is recorded of a client's address."""
    return partial(remembered, mode=settings.log.remote_address)


@contextmanager
def _refusals(settings: Settings, url: str) -> Iterator[NoteAnswer]:
    """Give what notes the answers that are evidence; on leaving, all of them are written."""
    with recording_refusals(url, most=settings.kept_refusals, on_fault=_log_refusals_fault) as note:
        yield noting(note, now)


def _log_refusals_fault(error: Exception) -> None:
    log_fault(LOG, "refusals not written", {"reason": str(error)})


@contextmanager
def _jobs(settings: Settings, store: EventSourcedStore) -> Iterator[None]:
    """Do what the gateway does by itself, while the context lasts."""
    checkpoints, children = settings.checkpoints, settings.children
    with ExitStack() as jobs:
        sweep = _sweep_job(settings, store)
        jobs.enter_context(every(children.sweep_seconds, sweep, partial(_log_fault_of, "sweep")))
        if checkpoints.key is not None:
            seconds, job = 60 * checkpoints.every_minutes, _checkpoint_job(settings, store)
            jobs.enter_context(every(seconds, job, partial(_log_fault_of, "checkpoint")))
        yield


def _checkpoint_job(settings: Settings, store: EventSourcedStore) -> Callable[[], None]:
    evidence, configured = StoreEvidence(store), _checkpoints(settings)

    def job() -> None:
        made = append_if_grown(evidence, configured_issuer(configured), now())
        if made is not None:
            log_event(LOG, "checkpoint", {"events": made.size})

    return job


def _sweep_job(settings: Settings, store: EventSourcedStore) -> Callable[[], None]:
    system = Operators(store, now, new_id, SYSTEM)
    lost_after = _milliseconds(settings.children.lost_after_seconds)

    def job() -> None:
        swept = system.sweep(lost_after)
        if swept.lost:
            log_event(LOG, "swept", {"lost": swept.lost, "cancelled": swept.cancelled})

    return job


def _log_fault_of(job: str, error: Exception) -> None:
    _log_failure(f"{job} failed", {}, error)


def _server(
    settings: Settings, webhooks: Collaborators, turn: Turn, *, host: str | None, port: int | None
) -> Server:
    return _listening(
        turn.over(create_app(webhooks)),
        _options(settings, host, port),
        partial(_admit, webhooks.gate),
        partial(_render_error, remember=_remember(settings)),
    )


def _listening(
    app: WSGIApplication, options: ServerOptions, admit: Admit, render_error: RenderError
) -> Server:
    try:
        return Server(app, options, admit=admit, render_error=render_error, new_id=new_id)
    except OSError as error:
        raise cli.CommandError(
            f"cannot listen on {options.host} port {options.port}: {error.strerror}"
        ) from error


def _options(settings: Settings, host: str | None, port: int | None) -> ServerOptions:
    asked = {"host": host, "port": port}
    limits = settings.limits
    return ServerOptions(
        **{**asdict(settings.server), **{k: v for k, v in asked.items() if v is not None}},
        body_bytes=limits.body_bytes,
        body_seconds=limits.body_seconds,
        head_seconds=limits.head_seconds,
    )


def _admit(gate: Gate, head: Head) -> HeldPlace | RawAnswer:
    return gate.admit_head(head.method, head.target, head.headers, head.peer, head.request_id)


def _render_error(rejection: Rejection, *, remember: Callable[[str], str | None]) -> RawAnswer:
    log_event(LOG, "request", _rejection_fields(rejection, remember))
    return render_error(rejection.status, rejection.code, rejection.sentence, rejection.request_id)


def _rejection_fields(rejection: Rejection, remember: Callable[[str], str | None]) -> Fields:
    fields = asdict(rejection, filter=lambda field, _: field.name not in {"sentence", "peer"})
    return {**fields, "peer": remember(rejection.peer)}


def _routes(settings: Settings, flows: TaskFlows) -> Iterator[Route]:
    for route in settings.routes:
        yield Route(
            route_id=route.route_id,
            path=route.path,
            session=flows.bind_session(route.owner),
            controller_id=route.controller_id,
            identify=route.identify,
            limits=_limits(Limits, route.limits),
        )


def _limits(kind: Callable[..., T], limits: RouteLimits) -> T:
    return kind(
        body_bytes=limits.body_bytes,
        rate_requests=limits.rate_requests,
        rate_window_seconds=limits.rate_window_seconds,
        in_flight=limits.in_flight,
    )


def _log_fault(request_id: str, error: BaseException) -> None:
    _log_failure("request failed", {"request_id": request_id}, error)


def _log_failure(event: str, fields: Fields, error: BaseException) -> None:
    """Log what failed, with a traceback unless it is the store that is out of order."""
    if isinstance(error, StoreUnavailable):
        log_fault(LOG, event, {**fields, "reason": str(error.__cause__ or error)})
    elif isinstance(error, Unprovable):
        log_fault(LOG, event, {**fields, "reason": str(error)})
    else:
        log_fault(LOG, event, {**fields, "reason": str(error)}, error)


def check(config: Path) -> cli.CheckReport:
    """Say what a configuration would serve."""
    try:
        settings = load_settings(config, os.environ)
    except SettingsError as error:
        return cli.Unstartable(
            tuple(
                cli.Finding(
                    field=p.path, line=p.line, sentence=f"expected {p.expected}, found {p.found}"
                )
                for p in error.problems
            )
        )
    return cli.Startable(
        routes=tuple(_served(settings)),
        skipped=tuple(
            cli.SkippedRoute(route_id=s.route_id, path=s.path, reason=s.reason)
            for s in settings.skipped
        ),
        disabled=settings.disabled,
        advice=(
            *(cli.Finding(field=a.path, line=a.line, sentence=a.sentence) for a in settings.advice),
            *(
                cli.Finding(field="taskflow.audit", line=None, sentence=sentence)
                for sentence in _unsigned(settings)
            ),
        ),
        options=_checked_options(settings),
    )


def _served(settings: Settings) -> Iterator[cli.ServedRoute]:
    for route in settings.routes:
        yield cli.ServedRoute(
            route_id=route.route_id,
            path=route.path,
            owner=route.owner,
            controller_id=route.controller_id,
            key_ids=tuple(key.key_id for key in route.keys),
            limits=_limits(cli.RouteLimits, route.limits),
        )


def _checked_options(settings: Settings) -> cli.GatewayOptions:
    return cli.GatewayOptions(
        store=settings.store.url,
        host=settings.server.host,
        port=settings.server.port,
        threads=settings.server.threads,
        connections=settings.server.connections,
        drain_seconds=settings.server.drain_seconds,
        lost_after_seconds=settings.children.lost_after_seconds,
        sweep_seconds=settings.children.sweep_seconds,
        remote_address=settings.log.remote_address,
        trusted_proxies=tuple(str(network) for network in settings.trusted_proxies),
        checkpoints=str(settings.checkpoints.file),
        checkpoint_minutes=settings.checkpoints.every_minutes,
        public_key=_public_key(settings),
    )


def read_store(
    config: Path | None, database: str | None
) -> AbstractContextManager[EventSourcedStore]:
    """Open a store to look at, beside whoever writes to it."""
    return _opened(open_for_reading, _database(config, database))


@contextmanager
def open_evidence(config: Path | None, database: str | None) -> Iterator[Evidence]:
    """Open a store for an auditor, read-only, beside whoever writes to it."""
    with read_store(config, database) as store:
        yield StoreEvidence(store)


def configured_checkpoints(config: Path) -> Configured:
    """Say what a configuration says of checkpoints."""
    return _checkpoints(_settings(config))


def _checkpoints(settings: Settings) -> Configured:
    asked = settings.checkpoints
    return Configured(
        file=asked.file, signing_key=partial(_signing_key, settings), origin=asked.origin
    )


def _signing_key(settings: Settings) -> str:
    key = settings.checkpoints.key
    found = Unresolved("no key is configured") if key is None else key.look_up()
    if isinstance(found, Unresolved):
        raise Unprovable(f"taskflow.audit.key: {found.reason}")
    return found.reveal()


def _unsigned(settings: Settings) -> Iterator[str]:
    """Say why no checkpoint would be signed, where one should be."""
    if settings.checkpoints.key is not None:
        try:
            configured_issuer(_checkpoints(settings))
        except Unprovable as fault:
            yield f"no checkpoint will be signed: {fault}"


def _public_key(settings: Settings) -> str | None:
    if settings.checkpoints.key is None or any(_unsigned(settings)):
        return None
    return str(configured_issuer(_checkpoints(settings)).signer.verifier)


@contextmanager
def open_refusals(config: Path | None, database: str | None) -> Iterator[Refusals]:
    """Open what callers of a store's gateway were refused, beside whoever writes it."""
    url = _database(config, database)
    with _opened(open_for_reading, url):
        yield read_refusals(url)


@contextmanager
def write_store(config: Path | None, database: str | None) -> Iterator[OperatorsFlows]:
    """Open a store to change it as an operator; nobody else may be writing to it."""
    children = Children() if config is None else _settings(config).children
    actor = Actor(kind=ActorKind.OPERATOR, name=os.environ.get("USER") or str(os.getuid()))
    with _opened(open_for_mending, _database(config, database)) as store:
        yield OperatorsFlows(store, Operators(store, now, new_id, actor), children)


@frozen
class OperatorsFlows:
    """The flows of all owners, to be changed in the operator's name."""

    store: EventSourcedStore
    operators: Operators
    children: Children

    def load(self, flow_id: str, version: int | None = None) -> Flow | None:
        """Return a flow as it is, or as of a stream version."""
        return self.store.load(flow_id, version)

    def cancel(self, flow_id: str) -> Outcome:
        """Cancel a flow of whichever owner."""
        return self.operators.cancel(flow_id)

    def sweep(self, lost_after: int | None) -> Swept:
        """Give up children that were silent for some seconds."""
        seconds = self.children.lost_after_seconds if lost_after is None else lost_after
        return self.operators.sweep(_milliseconds(seconds))

    def rebuild(self, progress: Callable[[int, int], None]) -> Rebuilt:
        """Make all derived rows again from the events."""
        return rebuild(self.store, progress)


def serve_pages(wanted: cli.PagesWanted) -> int:
    """Serve the auditor's pages until SIGTERM or SIGINT."""
    if wanted.config is None:
        raise cli.CommandError(f"the pages need a password: --config FILE with {_PASSWORD}")
    configure(sys.stderr, JsonFormatter() if wanted.json else TextFormatter())
    settings = _settings(wanted.config)
    _check_password(settings.pages)
    os.nice(_NICE)
    url = wanted.database or settings.store.url
    proofs = _Proofs(settings, wanted.checkpoints, wanted.public_key)
    with open_evidence(None, url) as evidence, open_refusals(None, url) as refusals:
        given = _pages_given(settings, evidence, refusals, proofs)
        server = _pages_server(settings, given, host=wanted.host, port=wanted.port)
        if not ip_address(server.host).is_loopback:
            LOG.warning("the password travels in clear text on %s: put TLS in front", server.host)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _signal, _frame: server.stop())
        print(f"listening on {server.url}", flush=True)  # noqa: T201 - the promise
        log_event(LOG, "listening", {"host": server.host, "port": server.port})
        drained = server.run()
    log_event(LOG, "stopped", {"drained": drained})
    return 0 if drained else 1


_PASSWORD: Final = "taskflow.audit.pages.password"  # noqa: S105 - the place of one
_NICE: Final = 10
"""The pages run beside a gateway, which goes first."""


def _check_password(pages: Pages) -> None:
    match pages.password:
        case None:
            raise cli.CommandError(f"the pages need a password: set {_PASSWORD}")
        case Unresolved(reason=reason):
            raise cli.CommandError(f"the pages need a password: {_PASSWORD}: {reason}")
        case _:
            return


@frozen
class _Proofs:
    """The auditor's desk over settings that were read once; what is named goes before them."""

    settings: Settings
    file: Path | None
    public_key: str | None

    @property
    def desk(self) -> Desk:
        return Desk(lambda _: _checkpoints(self.settings), now)

    def checkpoints(self) -> Checkpoints:
        """Return what the log is to be compared with."""
        return self.desk.checkpoints(
            config=self.settings.file, file=self.file, held=(), public_key=self.public_key
        )

    def prover(self) -> Prover:
        """Return who proves events, or what says each time why nobody can."""
        try:
            return self.desk.prover(
                config=self.settings.file, file=self.file, public_key=self.public_key
            )
        except Unprovable as fault:
            return _unable(str(fault))


def _unable(reason: str) -> Prover:
    def refuse(*_: object) -> NoReturn:
        raise Unprovable(reason)

    return refuse


def _pages_given(
    settings: Settings, evidence: Evidence, refusals: Refusals, proofs: _Proofs
) -> PagesCollaborators:
    return PagesCollaborators(
        evidence=evidence,
        refusals=refusals,
        checkpoints=proofs.checkpoints,
        prove=partial(proofs.prover(), evidence),
        proof_document=proofs.desk.document,
        damages=_DAMAGES,
        admits=settings.pages.admits,
        client_of=partial(client_address, trusted=settings.trusted_proxies),
        now=now,
        seconds=time.monotonic,
        new_id=new_id,
        log_request=partial(_log_page, _remember(settings)),
        log_fault=_log_fault,
    )


def _log_page(remember: Callable[[str], str | None], fields: Fields) -> None:
    client = fields["client"]
    shown = remember(client) if isinstance(client, str) else None
    log_event(LOG, "page", {**fields, "client": shown})


def _pages_server(
    settings: Settings, given: PagesCollaborators, *, host: str | None, port: int | None
) -> Server:
    pages = settings.pages
    asked = pages.port if port is None else port
    options = ServerOptions(host=host or pages.host, port=asked, threads=4, body_bytes=1)
    render = partial(_render_page_error, remember=_remember(settings))
    return _listening(create_pages(given), options, lambda _: None, render)


def _render_page_error(rejection: Rejection, *, remember: Callable[[str], str | None]) -> RawAnswer:
    log_event(LOG, "page", _rejection_fields(rejection, remember))
    return render_page_error(
        rejection.status, rejection.code, rejection.sentence, rejection.request_id
    )


def _milliseconds(seconds: float) -> int:
    return int(seconds * 1000)


def _settings(config: Path) -> Settings:
    try:
        return load_settings(config, os.environ)
    except SettingsError as error:
        raise cli.CommandError(str(error)) from error


def _database(config: Path | None, database: str | None) -> str:
    if database is not None:
        return database
    if config is None:
        raise cli.CommandError("say which store: --config FILE or --database URL")
    return _settings(config).store.url


_DAMAGES: Final = (StoreFault, BrokenHistory, Undecodable)
"""What a store raises that holds something else than we wrote."""


@contextmanager
def _opened(
    open_store: Callable[[str], EventSourcedStore], url: str
) -> Iterator[EventSourcedStore]:
    try:
        store = open_store(url)
        try:
            yield store
        finally:
            store.close()
    except (StoreUnavailable, *_DAMAGES) as error:
        raise cli.CommandError(str(error)) from error


if __name__ == "__main__":
    sys.exit(main())
