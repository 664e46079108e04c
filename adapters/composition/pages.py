"""The auditor's pages, over a store that is only read."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from attrs import frozen

from adapters import cli
from adapters.audit.audit_service import AuditService
from adapters.composition.checkpoints import checkpoints_as_configured
from adapters.composition.clock_and_ids import LOG, log_request_fault, new_request_id, now
from adapters.composition.core_dumps import allow_core_dumps
from adapters.composition.page_stores import ShownStore, shown_stores
from adapters.composition.serve import (
    listening,
    rejection_fields,
    remember_of,
    run_service,
    serve_until_stopped,
)
from adapters.composition.signals import Signals
from adapters.composition.stores import DAMAGES, config_of
from adapters.logs import LogFields, log_event
from adapters.pages import PageDependencies, create_pages_app, render_error_page
from adapters.server import HttpServer, RawResponse, Rejection, ServerOptions
from adapters.settings import Config, GatewayConfig, PagesLogin, Unresolved, resolve_login
from adapters.webhooks.client import client_address, client_key, is_trusted_proxy, neighbourhood
from domain.application.limits import Limits
from domain.application.ports import Progress
from domain.history.audit_log import AuditLog, LogEntry
from domain.tlog.checkpoints import KnownCheckpoints
from domain.tlog.proofs import ProofResult

_PASSWORD: Final = "taskflow.audit.pages.password"  # noqa: S105 - the place of one
_NICE: Final = 10
"""The pages run beside a gateway, which goes first."""


def serve_pages(wanted: cli.PagesOptions) -> int:
    """Serve the auditor's pages until it is asked to stop."""
    if wanted.config is None:
        raise cli.CommandError(f"the pages need a password: --config FILE with {_PASSWORD}")
    return run_service(wanted.json, partial(_serve, wanted=wanted, config=wanted.config))


def _serve(signals: Signals, *, wanted: cli.PagesOptions, config: Path) -> bool:
    written = config_of(config)
    gateway = written.gateway
    if gateway.core_dumps:
        allow_core_dumps()
    login = _login(written)
    os.nice(_NICE)
    with ExitStack() as stack:
        given = [
            _pages_given(shown, login, wanted) for shown in shown_stores(gateway, wanted, stack)
        ]
        server = _pages_server(gateway, given, host=wanted.host, port=wanted.port)
        if not ip_address(server.host).is_loopback:
            LOG.warning("the password travels in clear text on %s: put TLS in front", server.host)
        return serve_until_stopped(server, signals)


def _login(config: Config) -> PagesLogin:
    """Look up the password of the pages, and no other secret."""
    match resolve_login(config, os.environ):
        case None:
            raise cli.CommandError(f"the pages need a password: set {_PASSWORD}")
        case Unresolved(reason):
            raise cli.CommandError(f"the pages need a password: {_PASSWORD}: {reason}")
        case login:
            return login


@frozen
class _Proofs:
    """The audit service over a configuration that was read once; what is named goes first.

    The key that signs is only looked up to verify, unless public keys are named.
    """

    gateway: GatewayConfig
    file: Path | None
    public_keys: tuple[str, ...]

    @property
    def service(self) -> AuditService:
        return AuditService(lambda _: checkpoints_as_configured(self.gateway.checkpoints))

    def checkpoints(self) -> KnownCheckpoints:
        """Return what the log is to be compared with."""
        return self.service.checkpoints(
            config=self.gateway.file, file=self.file, held=(), public_keys=self.public_keys
        )

    def prove(self, audit_log: AuditLog, entry: LogEntry, progress: Progress) -> ProofResult:
        """Prove an event."""
        prover = self.service.prover(
            config=self.gateway.file, file=self.file, public_keys=self.public_keys
        )
        return prover(audit_log, entry, progress)


def _pages_given(
    shown: ShownStore, login: PagesLogin, wanted: cli.PagesOptions
) -> PageDependencies:
    gateway = shown.gateway
    proofs = _Proofs(gateway, wanted.checkpoints, wanted.public_keys)
    return PageDependencies(
        shard=shown.name,
        audit_log=shown.audit_log,
        refusals=shown.refusals,
        checkpoints=proofs.checkpoints,
        prove=partial(proofs.prove, shown.audit_log),
        proof_document=proofs.service.document,
        damages=DAMAGES,
        admits=login.admits,
        base_path=gateway.pages.base_path,
        trusts=partial(is_trusted_proxy, trusted=gateway.trusted_proxies),
        client_of=partial(client_address, trusted=gateway.trusted_proxies),
        client_key=partial(client_key, prefix=gateway.limits.ipv6_prefix),
        now=now,
        seconds=time.monotonic,
        new_id=new_request_id,
        log_request=partial(_log_page, remember_of(gateway)),
        log_fault=log_request_fault,
    )


def _log_page(remember: Callable[[str], str | None], fields: LogFields) -> None:
    client = fields["client"]
    shown = remember(client) if isinstance(client, str) else None
    log_event(LOG, "page", {**fields, "client": shown})


def _pages_server(
    gateway: GatewayConfig, given: Sequence[PageDependencies], *, host: str | None, port: int | None
) -> HttpServer:
    pages = gateway.pages
    asked = pages.port if port is None else port
    options = ServerOptions(
        host=host or pages.host, port=asked, threads=4, limits=Limits(body_bytes=1)
    )
    render = partial(_render_page_error, remember=remember_of(gateway), base_path=pages.base_path)
    app = create_pages_app(*given)
    return listening(
        app,
        options,
        admit=lambda _: None,
        render_error=render,
        neighbourhood=partial(
            neighbourhood, trusted=gateway.trusted_proxies, prefix=gateway.limits.ipv6_prefix
        ),
    )


def _render_page_error(
    rejection: Rejection, *, remember: Callable[[str], str | None], base_path: str
) -> RawResponse:
    log_event(LOG, "page", rejection_fields(rejection, remember))
    return render_error_page(
        rejection.status, rejection.code, rejection.sentence, rejection.request_id, base_path
    )
