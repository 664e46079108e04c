"""One request, start to end: gate, body, JSON, action, domain, answer, log."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias, assert_never

from attrs import frozen
from falcon import Request, Response

from adapters.webhooks import replies
from adapters.webhooks.access import Access, LogFault
from adapters.webhooks.actions import Mutation, Query, make_command, read_call
from adapters.webhooks.body import read_body
from adapters.webhooks.fields import Issue
from adapters.webhooks.gate import Admitted, Gate, Probe, Ticket
from adapters.webhooks.head import head_of
from adapters.webhooks.idempotency import request_key
from adapters.webhooks.outcomes import outcome_reply, unsaved_reply
from adapters.webhooks.replies import Reply
from adapters.webhooks.room import Room
from adapters.webhooks.routes import READY
from adapters.webhooks.schemas import Values
from adapters.webhooks.strict_json import Malformed, read_json
from domain.application.ports import StoreUnavailable
from domain.application.recorded_events import Actor, ActorKind, CommandMetadata, RequestKey
from domain.flow.ids import RequestId
from domain.flow.values import Json

REQUEST_ID: Final = "taskflow.request_id"
TICKET: Final = "taskflow.ticket"

Environ: TypeAlias = dict[str, Any]


@frozen(kw_only=True)
class Collaborators:
    """What the webhooks need from outside.

    `ready` says whether requests should be sent here, `log_fault` takes what went wrong behind an
    answer of 500 or 503.
    """

    gate: Gate
    new_id: Callable[[], RequestId]
    ready: Callable[[], bool]
    log_fault: LogFault


@frozen
class WebhookResource:
    """Answers every request, whatever its path and method."""

    given: Collaborators

    def __call__(self, req: Request, resp: Response, **_: object) -> None:
        """Answer a request, and log it once.

        A server that has admitted the request puts its ticket, which it releases itself, and its
        id into the environment; otherwise both are made here.
        """
        environ = req.env
        ticket: Ticket | None = environ.get(TICKET)
        access = ticket.access if ticket else self._begin(environ)
        reply = self._guarded(environ, ticket, access)
        self.given.gate.log(access, reply)
        write(resp, reply, access.request_id)

    def _begin(self, environ: Environ) -> Access:
        # APPSEC: the id is never the caller's own: it must be unique in the logs.
        return self.given.gate.begin(environ.get(REQUEST_ID) or self.given.new_id())

    def _guarded(self, environ: Environ, ticket: Ticket | None, access: Access) -> Reply:
        try:
            return self._serve(ticket, environ) if ticket else self._admit(environ, access)
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets an envelope
            self.given.log_fault(access.request_id, error)
            return replies.internal_error(access.route if access.key_id else None)

    def _admit(self, environ: Environ, access: Access) -> Reply:
        admission = self.given.gate.admit(head_of(environ), access)
        if isinstance(admission, Reply):
            return admission
        try:
            return self._serve(admission, environ)
        finally:
            admission.release()

    def _serve(self, ticket: Ticket, environ: Environ) -> Reply:
        match ticket:
            case Admitted():
                return self._webhook(ticket, environ)
            case Probe():
                return self._probe(ticket)
            case _:
                assert_never(ticket)

    def _probe(self, probe: Probe) -> Reply:
        if probe.path != READY:
            return replies.ALIVE
        return replies.READY if self.given.ready() else replies.NOT_READY

    def _webhook(self, ticket: Admitted, environ: Environ) -> Reply:
        route_id = ticket.route.route_id
        body = read_body(environ, ticket.route.limits.body_bytes)
        if body is None:
            return replies.payload_too_large(route_id)
        document = read_json(body)
        if isinstance(document, Malformed):
            return replies.invalid_json(route_id, document.reason)
        call = read_call(document)
        if isinstance(call, Issue):
            return replies.invalid_request(route_id, call.text)
        ticket.access.action = call.action.name
        ticket.access.flow_id = call.values.get("flow_id")
        stored = _stored_bytes(call.values)
        if stored > ticket.route.limits.body_bytes:
            return replies.value_too_large(route_id, stored, ticket.route.limits.body_bytes)
        match call.action:
            case Query():
                return self._ask(ticket, call.action, call.values)
            case Mutation():
                return self._change(ticket, call.action, call.values, body=body)
            case _:
                assert_never(call.action)

    def _ask(self, ticket: Admitted, query: Query, values: Values) -> Reply:
        route = ticket.route
        room = Room(route.limits.answer_bytes)
        try:
            result = query.ask(route.session, values, room)
        except StoreUnavailable as error:
            self.given.log_fault(ticket.access.request_id, error)
            return replies.persist_failed(route.route_id, "TaskFlow storage is unavailable.")
        if isinstance(result, Issue):
            return replies.invalid_request(route.route_id, result.text)
        return room.put_into(replies.success(route.route_id, result))

    def _change(
        self, ticket: Admitted, mutation: Mutation, values: Values, *, body: bytes
    ) -> Reply:
        route = ticket.route
        key = request_key(route.route_id, ticket.idempotency_keys, body)
        if isinstance(key, Issue):
            return replies.invalid_request(route.route_id, key.text)
        command = make_command(mutation, values, route.controller_id)
        room = Room(route.limits.answer_bytes)
        try:
            outcome = route.session.execute(command, _origin(ticket, key))
        except StoreUnavailable as error:
            self.given.log_fault(ticket.access.request_id, error)
            return room.put_into(unsaved_reply(mutation.answers, route.route_id, error, room))
        if outcome.flow is not None:
            ticket.access.flow_id = outcome.flow.flow_id
        return room.put_into(outcome_reply(mutation.answers, route.route_id, outcome, room))


def _stored_bytes(values: Values) -> int:
    # APPSEC: a number may be stored longer than it was sent: `1e20` with all its digits.
    return sum(len(value.text.encode()) for value in values.values() if isinstance(value, Json))


def _origin(ticket: Admitted, key: RequestKey | None) -> CommandMetadata:
    access = ticket.access
    return CommandMetadata(
        actor=Actor(kind=ActorKind.ROUTE, name=ticket.route.route_id, key_id=ticket.key_id),
        request_id=access.request_id,
        remote_address=access.remote_address,
        request_key=key,
    )


def write(resp: Response, reply: Reply, request_id: RequestId) -> None:
    """Make a reply Falcon's response."""
    resp.status = reply.status
    if reply.pieces:
        resp.set_stream(iter(reply.pieces), sum(map(len, reply.pieces)))
    else:
        resp.data = reply.body
    resp.set_headers(replies.headers_of(reply, request_id))
