"""Falcon's middleware: authentication, the allowed methods, and what every answer carries."""

from __future__ import annotations

from typing import Final

import falcon
from attrs import define, field
from falcon import Request, Response

from adapters.pages.credentials import CHALLENGE, presented
from adapters.pages.dependencies import PageDependencies
from adapters.pages.headers import NO_STORE, SECURITY
from adapters.pages.login_throttle import LoginThrottle

METHODS: Final = ("GET", "HEAD")
_REQUEST_ID: Final = "taskflow.request_id"
_AUTHENTICATED: Final = "taskflow.authenticated"


@define
class AuthMiddleware:
    """Admits authenticated auditors who read, and logs every request."""

    given: PageDependencies
    throttle: LoginThrottle = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.throttle = LoginThrottle(self.given.seconds)

    def process_request(self, req: Request, resp: Response) -> None:
        """Admit a request, or raise what it is answered with."""
        req.context.started, req.context.client = self.given.seconds(), None
        req.context.request_id = req.env.get(_REQUEST_ID) or self.given.new_id()
        req.context.client = self.given.client_of(
            req.remote_addr or "", req.get_header("X-Forwarded-For") or ""
        )
        resp.set_headers((*SECURITY, NO_STORE, ("X-Request-Id", req.context.request_id)))
        self._authenticate(req)
        if req.method not in METHODS:
            raise falcon.HTTPMethodNotAllowed(METHODS)

    def process_response(
        self, req: Request, resp: Response, _resource: object, _succeeded: object, /
    ) -> None:
        """Log a request and its answer, without what was searched for."""
        taken = self.given.seconds() - req.context.started
        self.given.log_request(
            {
                "request_id": req.context.request_id,
                "method": req.method,
                "path": req.path,
                "status": resp.status_code,
                "ms": round(taken * 1000, 1),
                "client": req.context.client,
            }
        )

    def _authenticate(self, req: Request) -> None:
        came = presented(req.auth)
        if came is None:
            raise falcon.HTTPUnauthorized(challenges=(CHALLENGE,))
        # APPSEC: what must wait is not even compared, right or wrong.
        client, credentials = self.given.client_key(req.context.client), hash(came)
        if wait := self.throttle.wait(client, credentials):
            raise falcon.HTTPTooManyRequests(retry_after=wait)
        if not self.given.admits(came.user, came.password):
            self.throttle.fail(client, credentials)
            raise falcon.HTTPUnauthorized(challenges=(CHALLENGE,))
        req.env.get(_AUTHENTICATED, _nobody)()


def _nobody() -> None:
    """Stand for a server that does not ask who is authenticated."""
