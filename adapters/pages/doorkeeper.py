"""Falcon's middleware: who may come in, with which methods, and what every answer carries."""

from __future__ import annotations

from typing import Final

import falcon
from attrs import define, field
from falcon import Request, Response

from adapters.pages.attempts import FailedAttempts
from adapters.pages.collaborators import Collaborators
from adapters.pages.credentials import CHALLENGE, presented
from adapters.pages.headers import NO_STORE, SECURITY

METHODS: Final = ("GET", "HEAD")
_REQUEST_ID: Final = "taskflow.request_id"


@define
class Doorkeeper:
    """Lets auditors in who want to read, and logs everybody."""

    given: Collaborators
    attempts: FailedAttempts = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.attempts = FailedAttempts(self.given.seconds)

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
        self,
        req: Request,
        resp: Response,
        _resource: object,
        _succeeded: object,
        /,
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
        # APPSEC: an address that failed too often is not even compared, whoever it is by now.
        client: str = req.context.client
        if wait := self.attempts.wait(client):
            raise falcon.HTTPTooManyRequests(retry_after=wait)
        came = presented(req.auth)
        if came is not None and self.given.admits(came.user, came.password):
            return
        if came is not None:
            self.attempts.count(client)
        raise falcon.HTTPUnauthorized(challenges=(CHALLENGE,))
