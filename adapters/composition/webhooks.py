"""The webhooks over a store: whom settings let in, and to whose flows."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from typing import TypeAlias

from adapters.composition.clock_and_ids import LOG, log_request_fault, new_token, now
from adapters.composition.mappings import payload_map
from adapters.composition.readiness import Readiness
from adapters.composition.serve import remember_of
from adapters.composition.shards import Shards
from adapters.composition.signatures import verify_of
from adapters.composition.writer import Writer, flows_of
from adapters.logs import log_event
from adapters.settings import InvalidKey, RouteConfig, Settings
from adapters.store import EventSourcedStore
from adapters.webhooks.admission import Admission, AdmissionTable
from adapters.webhooks.request_context import AccessLogEntry, LogRequest
from adapters.webhooks.resource import WebhookResource
from adapters.webhooks.routes import RouteTable, WebhookRoute
from adapters.webhooks.shared_limits import SharedLimiter
from domain.application.sessions import TaskFlows
from domain.flow.ids import KeyId

Flows: TypeAlias = TaskFlows | Shards


def gateway(  # noqa: PLR0913 - one keyword for each collaborator
    settings: Settings,
    store: EventSourcedStore,
    writer: Writer,
    *,
    ready: Readiness | None = None,
    record: LogRequest = lambda _: None,
    shared: SharedLimiter | None = None,
) -> WebhookResource:
    """Return the webhooks over a store."""
    shards = ready and ready.shards
    flows = shards or flows_of(store, writer)
    admission = Admission(
        table=admission_table(settings, flows),
        clock=time.monotonic,
        log_request=partial(_log_request, record),
        shared=shared,
    )
    return WebhookResource(
        admission=admission,
        ready=ready or Readiness(store=store, folder=None, writer=writer),
        log_fault=log_request_fault,
        submit=(shards or writer).submit,
        find_link=flows.find_link,
        new_token=new_token,
    )


def _log_request(record: LogRequest, entry: AccessLogEntry) -> None:
    log_event(LOG, "request", entry)
    record(entry)


def admission_table(settings: Settings, flows: Flows) -> AdmissionTable:
    """Return who is let in by some settings, to the flows of a store."""
    return AdmissionTable(
        routes=RouteTable(_routes(settings, flows)),
        trusted_proxies=settings.trusted_proxies,
        remember_address=remember_of(settings),
        limits=settings.limits,
    )


def _routes(settings: Settings, flows: Flows) -> Iterator[WebhookRoute]:
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
