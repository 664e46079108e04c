"""The WSGI application: Falcon, a resource for each page, and the middleware before all."""

from __future__ import annotations

from functools import partial

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
from adapters.pages.static_files import StaticFile
from domain.flow.ids import RequestId


def create_pages_app(given: PageDependencies) -> App[Request, Response]:
    """Return the application; it answers every request with a page, its own faults too."""
    app = falcon.App(HTML, middleware=(BasePath(given), AuthMiddleware(given)))
    refused, failed = error_handlers(given)
    app.add_error_handler(Exception, failed)
    app.add_error_handler(falcon.HTTPError, refused)
    app.add_route("/", FlowsPage(given))
    app.add_route("/flows/{flow_id:path}", FlowDetailPage(given))
    check = IntegrityCheck(
        audit_log=given.audit_log,
        checkpoints=given.checkpoints,
        now=given.now,
        damages=given.damages,
        on_fault=partial(given.log_fault, RequestId("checkup")),
    )
    app.add_route("/proofs/{flow_id:path}", ProofPage(given))
    app.add_route("/health", HealthPage(given, check))
    app.add_route("/refusals", RefusalsPage(given))
    app.add_route("/style.css", StaticFile(STYLE.sheet, "text/css; charset=utf-8"))
    app.add_route("/icon.svg", StaticFile(read_static("icon.svg"), "image/svg+xml"))
    return app
