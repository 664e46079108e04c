"""The WSGI application: Falcon, with one resource for every path."""

from __future__ import annotations

from typing import Any

import falcon
from falcon import App, Request, Response

from adapters.webhooks.resource import WebhookCollaborators, WebhookResource, write_response
from adapters.webhooks.responses import internal_error


def create_webhook_app(given: WebhookCollaborators) -> App[Request, Response]:
    """Return the application; it answers every request in our envelope, its own faults too.

    Routes are matched on the raw path, which Falcon's router never sees; so all paths lead to one
    sink, and `GET /healthz` and `GET /readyz` are answered there as well.
    """
    resource = WebhookResource(given)

    def refused(req: Request, resp: Response, _: Exception, __: dict[str, Any]) -> None:
        # NOTE: Falcon refuses the method WEBSOCKET before any sink; to us it is a method like FOO.
        resource(req, resp)

    def failed(_: Request, resp: Response, error: Exception, __: dict[str, Any]) -> None:
        # NOTE: what the resource cannot answer itself: the access log has failed, for instance.
        request_id = given.new_id()
        given.log_fault(request_id, error)
        write_response(resp, internal_error(None), request_id)

    app = falcon.App()
    app.add_sink(resource, prefix="")
    app.add_error_handler(Exception, failed)
    app.add_error_handler(falcon.HTTPError, refused)
    return app
