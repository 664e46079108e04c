"""The WSGI application: Falcon, with one resource for every path."""

from __future__ import annotations

from typing import Any, Final

import falcon
from falcon import App, Request, Response

from adapters.webhooks.resource import WebhookResource
from adapters.webhooks.responses import internal_error, write_response

_REQUEST_ID: Final = "taskflow.request_id"


def create_webhook_app(resource: WebhookResource) -> App[Request, Response]:
    """Return the application; it answers every request in our envelope, its own faults too.

    Admission has matched the raw path, which Falcon's router never sees; so all paths lead to one
    sink, and `GET /healthz` and `GET /readyz` are answered there as well.
    """

    def failed(req: Request, resp: Response, error: Exception, _: dict[str, Any]) -> None:
        # NOTE: what the resource cannot answer itself: the access log has failed, for instance.
        request_id = req.env[_REQUEST_ID]
        resource.log_fault(request_id, error)
        write_response(resp, internal_error(None), request_id)

    app = falcon.App()
    app.add_sink(resource, prefix="")
    app.add_error_handler(Exception, failed)
    app.add_error_handler(falcon.HTTPError, failed)
    return app
