"""The auditor's pages, over a store that is only read."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import Final, NoReturn

from attrs import frozen

from adapters import cli
from adapters.audit.desk import Desk, Prover
from adapters.composition.checkpoints import checkpoints_of
from adapters.composition.core_dumps import allow_core_dumps
from adapters.composition.edges import LOG, log_request_fault, new_request_id, now
from adapters.composition.listening import (
    listening,
    rejection_fields,
    remember_of,
    run_service,
    serve_until_stopped,
)
from adapters.composition.signals import Signals
from adapters.composition.stores import DAMAGES, open_evidence, open_refusals, settings_of
from adapters.logs import Fields, log_event
from adapters.pages import Collaborators, create_app, render_error
from adapters.server import RawAnswer, Rejection, Server, ServerOptions
from adapters.settings import PagesConfig, Settings, Unresolved
from adapters.webhooks.client import client_address, client_key, is_trusted_proxy, neighbourhood
from domain.history.audit_log import AuditLog
from domain.history.refused_requests import RefusalLog
from domain.tlog.checkpoints import KnownCheckpoints, Unprovable

_PASSWORD: Final = "taskflow.audit.pages.password"  # noqa: S105 - the place of one
_NICE: Final = 10
"""The pages run beside a gateway, which goes first."""


def serve_pages(wanted: cli.PagesWanted) -> int:
    """Serve the auditor's pages until it is asked to stop."""
    if wanted.config is None:
        raise cli.CommandError(f"the pages need a password: --config FILE with {_PASSWORD}")
    return run_service(wanted.json, partial(_serve, wanted=wanted, config=wanted.config))


def _serve(signals: Signals, *, wanted: cli.PagesWanted, config: Path) -> bool:
    settings = settings_of(config)
    if settings.core_dumps:
        allow_core_dumps()
    _check_password(settings.pages)
    os.nice(_NICE)
    url = wanted.database or settings.store.url
    proofs = _Proofs(settings, wanted.checkpoints, wanted.public_keys)
    with open_evidence(None, url) as evidence, open_refusals(None, url) as refusals:
        given = _pages_given(settings, evidence, refusals, proofs)
        server = _pages_server(settings, given, host=wanted.host, port=wanted.port)
        if not ip_address(server.host).is_loopback:
            LOG.warning("the password travels in clear text on %s: put TLS in front", server.host)
        return serve_until_stopped(server, signals)


def _check_password(pages: PagesConfig) -> None:
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
    public_keys: tuple[str, ...]

    @property
    def desk(self) -> Desk:
        return Desk(lambda _: checkpoints_of(self.settings))

    def checkpoints(self) -> KnownCheckpoints:
        """Return what the log is to be compared with."""
        return self.desk.checkpoints(
            config=self.settings.file, file=self.file, held=(), public_keys=self.public_keys
        )

    def prover(self) -> Prover:
        """Return who proves events, or what says each time why nobody can."""
        try:
            return self.desk.prover(
                config=self.settings.file, file=self.file, public_keys=self.public_keys
            )
        except Unprovable as fault:
            return _unable(str(fault))


def _unable(reason: str) -> Prover:
    def refuse(*_: object) -> NoReturn:
        raise Unprovable(reason)

    return refuse


def _pages_given(
    settings: Settings, evidence: AuditLog, refusals: RefusalLog, proofs: _Proofs
) -> Collaborators:
    return Collaborators(
        evidence=evidence,
        refusals=refusals,
        checkpoints=proofs.checkpoints,
        prove=partial(proofs.prover(), evidence),
        proof_document=proofs.desk.document,
        damages=DAMAGES,
        admits=settings.pages.admits,
        base_path=settings.pages.base_path,
        trusts=partial(is_trusted_proxy, trusted=settings.trusted_proxies),
        client_of=partial(client_address, trusted=settings.trusted_proxies),
        client_key=partial(client_key, prefix=settings.limits.ipv6_prefix),
        now=now,
        seconds=time.monotonic,
        new_id=new_request_id,
        log_request=partial(_log_page, remember_of(settings)),
        log_fault=log_request_fault,
    )


def _log_page(remember: Callable[[str], str | None], fields: Fields) -> None:
    client = fields["client"]
    shown = remember(client) if isinstance(client, str) else None
    log_event(LOG, "page", {**fields, "client": shown})


def _pages_server(
    settings: Settings, given: Collaborators, *, host: str | None, port: int | None
) -> Server:
    pages = settings.pages
    asked = pages.port if port is None else port
    options = ServerOptions(host=host or pages.host, port=asked, threads=4, body_bytes=1)
    render = partial(_render_page_error, remember=remember_of(settings), base_path=pages.base_path)
    app = create_app(given)
    return listening(
        app,
        options,
        admit=lambda _: None,
        render_error=render,
        neighbourhood=partial(
            neighbourhood, trusted=settings.trusted_proxies, prefix=settings.limits.ipv6_prefix
        ),
    )


def _render_page_error(
    rejection: Rejection, *, remember: Callable[[str], str | None], base_path: str
) -> RawAnswer:
    log_event(LOG, "page", rejection_fields(rejection, remember))
    return render_error(
        rejection.status, rejection.code, rejection.sentence, rejection.request_id, base_path
    )
