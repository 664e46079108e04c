"""One request from its bytes to its answer: the steps of the other modules, in order."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final, TypeVar, assert_never

import falcon
from attrs import evolve, frozen

from adapters.webhooks import responses
from adapters.webhooks.actions import (
    ActionCall,
    CommandAction,
    QueryAction,
    make_command,
    read_call,
)
from adapters.webhooks.admission import Admission, ProbePermit, RequestPermit, RoutePermit
from adapters.webhooks.fields import Issue
from adapters.webhooks.idempotency import request_key
from adapters.webhooks.outcomes import outcome_response, unsaved_response
from adapters.webhooks.request_context import LogFault
from adapters.webhooks.responses import Response
from adapters.webhooks.room import Room
from adapters.webhooks.routes import READY
from adapters.webhooks.schemas import Values
from adapters.webhooks.strict_json import Malformed, read_json
from domain.application.ports import StoreUnavailable
from domain.application.recorded_events import Actor, ActorKind, CommandMetadata
from domain.flow.ids import RequestId
from domain.flow.values import Json

_PERMIT: Final = "taskflow.permit"

T = TypeVar("T")


@frozen
class _Request:
    """A request that makes sense: who sent it, what it asks for, and its body as it came."""

    permit: RoutePermit
    call: ActionCall
    body: bytes


@frozen(kw_only=True)
class WebhookResource:
    """Answers every request that was admitted, whatever its path and method.

    `ready` says whether requests should be sent here, `log_fault` takes what went wrong behind an
    answer of 500 or 503.
    """

    admission: Admission
    ready: Callable[[], bool]
    log_fault: LogFault

    def __call__(self, req: falcon.Request, resp: falcon.Response, **_: object) -> None:
        """Answer a request, and log it once; its permit is the server's to release."""
        permit: RequestPermit = req.env[_PERMIT]
        request = self._guarded(permit, partial(self._read, permit, req.env))
        action = flow_id = None
        if isinstance(request, Response):
            response = request
        else:
            action, flow_id = request.call.action.name, request.call.values.get("flow_id")
            response = self._guarded(permit, partial(self._perform, request))
        self.admission.log(permit.context, response, action, response.flow_id or flow_id)
        write_response(resp, response, permit.context.request_id)

    def _guarded(self, permit: RequestPermit, step: Callable[[], T]) -> T | Response:
        try:
            return step()
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets an envelope
            self.log_fault(permit.context.request_id, error)
            return responses.internal_error(permit.context.route_id)

    def _read(self, permit: RequestPermit, environ: dict[str, Any]) -> _Request | Response:
        if isinstance(permit, ProbePermit):
            return self._probe(permit)
        route_id, limit = permit.route.route_id, permit.route.limits.body_bytes
        body = environ["wsgi.input"].read(limit + 1)
        if len(body) > limit:
            return responses.payload_too_large(route_id)
        document = read_json(body)
        if isinstance(document, Malformed):
            return responses.invalid_json(route_id, document.reason)
        call = read_call(document)
        if isinstance(call, Issue):
            return responses.invalid_request(route_id, call.text)
        return _Request(permit, call, body)

    def _probe(self, probe: ProbePermit) -> Response:
        if probe.path != READY:
            return responses.ALIVE
        return responses.READY if self.ready() else responses.NOT_READY

    def _perform(self, request: _Request) -> Response:
        route, call = request.permit.route, request.call
        stored = _stored_bytes(call.values)
        if stored > route.limits.body_bytes:
            return responses.value_too_large(route.route_id, stored, route.limits.body_bytes)
        room = Room(route.limits.answer_bytes)
        match call.action:
            case QueryAction():
                return room.put_into(self._query(request, call.action, room))
            case CommandAction():
                return room.put_into(self._change(request, call.action, room))
            case _:
                assert_never(call.action)

    def _query(self, request: _Request, query: QueryAction, room: Room) -> Response:
        route = request.permit.route
        try:
            result = query.ask(route.session, request.call.values, room)
        except StoreUnavailable as error:
            self.log_fault(request.permit.context.request_id, error)
            return responses.persist_failed(route.route_id, "TaskFlow storage is unavailable.")
        if isinstance(result, Issue):
            return responses.invalid_request(route.route_id, result.text)
        return responses.success(route.route_id, result)

    def _change(self, request: _Request, action: CommandAction, room: Room) -> Response:
        permit, route = request.permit, request.permit.route
        key = request_key(route.route_id, permit.idempotency_keys, request.body)
        if isinstance(key, Issue):
            return responses.invalid_request(route.route_id, key.text)
        command = make_command(action, request.call.values, route.controller_id)
        metadata = CommandMetadata(
            actor=Actor(kind=ActorKind.ROUTE, name=route.route_id, key_id=permit.context.key_id),
            request_id=permit.context.request_id,
            remote_address=permit.context.remote_address,
            request_key=key,
        )
        try:
            outcome = route.session.execute(command, metadata)
        except StoreUnavailable as error:
            self.log_fault(permit.context.request_id, error)
            return unsaved_response(action.replies, route.route_id, error, room)
        response = outcome_response(action.replies, route.route_id, outcome, room)
        return response if outcome.flow is None else evolve(response, flow_id=outcome.flow.flow_id)


def _stored_bytes(values: Values) -> int:
    # APPSEC: a number may be stored longer than it was sent: `1e20` with all its digits.
    return sum(len(value.text.encode()) for value in values.values() if isinstance(value, Json))


def write_response(resp: falcon.Response, response: Response, request_id: RequestId) -> None:
    """Make a response Falcon's."""
    resp.status = response.status
    if response.pieces:
        resp.set_stream(iter(response.pieces), sum(map(len, response.pieces)))
    else:
        resp.data = response.body
    resp.set_headers(response.all_headers(request_id))
