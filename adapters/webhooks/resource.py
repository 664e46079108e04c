"""One request, start to end: admission, body, JSON, action, domain, answer, log."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias, assert_never

import falcon
from attrs import frozen

from adapters.webhooks import responses
from adapters.webhooks.actions import CommandAction, QueryAction, make_command, read_call
from adapters.webhooks.admission import Admission, Permit, ProbePermit, RoutePermit
from adapters.webhooks.body import read_body
from adapters.webhooks.fields import Issue
from adapters.webhooks.head import head_of
from adapters.webhooks.idempotency import request_key
from adapters.webhooks.outcomes import outcome_response, unsaved_response
from adapters.webhooks.request_context import Access, LogFault
from adapters.webhooks.responses import Response
from adapters.webhooks.room import Room
from adapters.webhooks.routes import READY
from adapters.webhooks.schemas import Values
from adapters.webhooks.strict_json import Malformed, read_json
from domain.application.ports import StoreUnavailable
from domain.application.recorded_events import Actor, ActorKind, CommandMetadata, RequestKey
from domain.flow.ids import RequestId
from domain.flow.values import Json

REQUEST_ID: Final = "taskflow.request_id"
PERMIT: Final = "taskflow.permit"

Environ: TypeAlias = dict[str, Any]


@frozen(kw_only=True)
class WebhookCollaborators:
    """What the webhooks need from outside.

    `ready` says whether requests should be sent here, `log_fault` takes what went wrong behind an
    answer of 500 or 503.
    """

    admission: Admission
    new_id: Callable[[], RequestId]
    ready: Callable[[], bool]
    log_fault: LogFault


@frozen
class WebhookResource:
    """Answers every request, whatever its path and method."""

    given: WebhookCollaborators

    def __call__(self, req: falcon.Request, resp: falcon.Response, **_: object) -> None:
        """Answer a request, and log it once.

        A server that has admitted the request puts its permit, which it releases itself, and its
        id into the environment; otherwise both are made here.
        """
        environ = req.env
        permit: Permit | None = environ.get(PERMIT)
        access = permit.access if permit else self._begin(environ)
        response = self._guarded(environ, permit, access)
        self.given.admission.log(access, response)
        write_response(resp, response, access.request_id)

    def _begin(self, environ: Environ) -> Access:
        # APPSEC: the id is never the caller's own: it must be unique in the logs.
        return self.given.admission.begin(environ.get(REQUEST_ID) or self.given.new_id())

    def _guarded(self, environ: Environ, permit: Permit | None, access: Access) -> Response:
        try:
            return self._serve(permit, environ) if permit else self._admit(environ, access)
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets an envelope
            self.given.log_fault(access.request_id, error)
            return responses.internal_error(access.route if access.key_id else None)

    def _admit(self, environ: Environ, access: Access) -> Response:
        admission = self.given.admission.admit(head_of(environ), access)
        if isinstance(admission, Response):
            return admission
        try:
            return self._serve(admission, environ)
        finally:
            admission.release()

    def _serve(self, permit: Permit, environ: Environ) -> Response:
        match permit:
            case RoutePermit():
                return self._webhook(permit, environ)
            case ProbePermit():
                return self._probe(permit)
            case _:
                assert_never(permit)

    def _probe(self, probe: ProbePermit) -> Response:
        if probe.path != READY:
            return responses.ALIVE
        return responses.READY if self.given.ready() else responses.NOT_READY

    def _webhook(self, permit: RoutePermit, environ: Environ) -> Response:
        route_id = permit.route.route_id
        body = read_body(environ, permit.route.limits.body_bytes)
        if body is None:
            return responses.payload_too_large(route_id)
        document = read_json(body)
        if isinstance(document, Malformed):
            return responses.invalid_json(route_id, document.reason)
        call = read_call(document)
        if isinstance(call, Issue):
            return responses.invalid_request(route_id, call.text)
        permit.access.action = call.action.name
        permit.access.flow_id = call.values.get("flow_id")
        stored = _stored_bytes(call.values)
        if stored > permit.route.limits.body_bytes:
            return responses.value_too_large(route_id, stored, permit.route.limits.body_bytes)
        match call.action:
            case QueryAction():
                return self._ask(permit, call.action, call.values)
            case CommandAction():
                return self._change(permit, call.action, call.values, body=body)
            case _:
                assert_never(call.action)

    def _ask(self, permit: RoutePermit, query: QueryAction, values: Values) -> Response:
        route = permit.route
        room = Room(route.limits.answer_bytes)
        try:
            result = query.ask(route.session, values, room)
        except StoreUnavailable as error:
            self.given.log_fault(permit.access.request_id, error)
            return responses.persist_failed(route.route_id, "TaskFlow storage is unavailable.")
        if isinstance(result, Issue):
            return responses.invalid_request(route.route_id, result.text)
        return room.put_into(responses.success(route.route_id, result))

    def _change(
        self, permit: RoutePermit, mutation: CommandAction, values: Values, *, body: bytes
    ) -> Response:
        route = permit.route
        key = request_key(route.route_id, permit.idempotency_keys, body)
        if isinstance(key, Issue):
            return responses.invalid_request(route.route_id, key.text)
        command = make_command(mutation, values, route.controller_id)
        room = Room(route.limits.answer_bytes)
        try:
            outcome = route.session.execute(command, _origin(permit, key))
        except StoreUnavailable as error:
            self.given.log_fault(permit.access.request_id, error)
            return room.put_into(unsaved_response(mutation.answers, route.route_id, error, room))
        if outcome.flow is not None:
            permit.access.flow_id = outcome.flow.flow_id
        return room.put_into(outcome_response(mutation.answers, route.route_id, outcome, room))


def _stored_bytes(values: Values) -> int:
    # APPSEC: a number may be stored longer than it was sent: `1e20` with all its digits.
    return sum(len(value.text.encode()) for value in values.values() if isinstance(value, Json))


def _origin(permit: RoutePermit, key: RequestKey | None) -> CommandMetadata:
    access = permit.access
    return CommandMetadata(
        actor=Actor(kind=ActorKind.ROUTE, name=permit.route.route_id, key_id=permit.key_id),
        request_id=access.request_id,
        remote_address=access.remote_address,
        request_key=key,
    )


def write_response(resp: falcon.Response, response: Response, request_id: RequestId) -> None:
    """Make a response Falcon's response."""
    resp.status = response.status
    if response.pieces:
        resp.set_stream(iter(response.pieces), sum(map(len, response.pieces)))
    else:
        resp.data = response.body
    resp.set_headers(responses.response_headers(response, request_id))
