"""The WSGI application: Falcon, a resource for each page, and the middleware before all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

import falcon
from falcon import App, Request, Response

from adapters.pages.auth_middleware import AuthMiddleware
from adapters.pages.base_path import BasePath
from adapters.pages.dependencies import PageDependencies
from adapters.pages.errors import error_handlers
from adapters.pages.flow_page import FlowDetailPage
from adapters.pages.flows_page import FlowsPage
from adapters.pages.headers import HTML
from adapters.pages.health_page import HealthPage
from adapters.pages.integrity_check import IntegrityCheck
from adapters.pages.proofs import ProofPage
from adapters.pages.refusals_page import RefusalsPage
from adapters.pages.rendering import STYLE, read_static
from adapters.pages.shard_choice import PageOfShard, ToFirstShard
from adapters.pages.static_files import StaticFile
from domain.flow.ids import RequestId


def create_pages_app(given: PageDependencies, *others: PageDependencies) -> App[Request, Response]:
    """Return the application; it answers every request with a page, its own faults too.

    `others` are further stores, whose names then stand in all paths; what is no store's is taken
    from the first.
    """
    app = falcon.App(HTML, middleware=(BasePath(given), AuthMiddleware(given)))
    refused, failed = error_handlers(given)
    app.add_error_handler(Exception, failed)
    app.add_error_handler(falcon.HTTPError, refused)
    stores = (given, *others)
    for path, make in _PAGES.items():
        pages = {
            each.shard: make(each, [one for one in stores if one is not each]) for each in stores
        }
        app.add_route(f"/shards/{{shard}}{path}" if others else path, PageOfShard(pages))
        if others and "{" not in path:
            app.add_route(path, ToFirstShard(f"/shards/{given.shard}{path}"))
    app.add_route("/style.css", StaticFile(STYLE.sheet, "text/css; charset=utf-8"))
    app.add_route("/icon.svg", StaticFile(read_static("icon.svg"), "image/svg+xml"))
    return app


def _health(given: PageDependencies, _: Sequence[PageDependencies]) -> HealthPage:
    check = IntegrityCheck(
        audit_log=given.audit_log,
        checkpoints=given.checkpoints,
        now=given.now,
        damages=given.damages,
        on_fault=partial(given.log_fault, RequestId("checkup")),
    )
    return HealthPage(given, check)


_PAGES: Final[Mapping[str, Callable[[PageDependencies, Sequence[PageDependencies]], object]]] = {
    "/": FlowsPage,
    "/flows/{flow_id:path}": FlowDetailPage,
    "/proofs/{flow_id:path}": lambda given, _: ProofPage(given),
    "/health": _health,
    "/refusals": lambda given, _: RefusalsPage(given),
}
"""What makes the page of a path for a store, which is given the other stores."""
