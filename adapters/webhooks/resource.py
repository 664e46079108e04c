"""One request from its bytes to its answer: the steps of the other modules, in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, TypeVar, assert_never

import falcon
from attrs import Factory, evolve, field, frozen

from adapters.webhooks import responses, resume_links
from adapters.webhooks.actions import (
    ActionCall,
    CommandAction,
    QueryAction,
    correlation_of,
    make_command,
)
from adapters.webhooks.admission import Admission
from adapters.webhooks.asked_call import AskedCall, read_asked
from adapters.webhooks.fields import Issue
from adapters.webhooks.link_follower import FindLink, LinkFollower
from adapters.webhooks.outcomes import ActionReplies, outcome_response, unsaved_response, with_link
from adapters.webhooks.permits import (
    LinkPermit,
    ProbePermit,
    RequestPermit,
    RoutePermit,
    UnverifiedPermit,
)
from adapters.webhooks.request_context import LogFault
from adapters.webhooks.responses import RawPieces, Response
from adapters.webhooks.resume_links import NewToken
from adapters.webhooks.room import Room
from adapters.webhooks.routes import READY
from adapters.webhooks.schema_rules import Values
from adapters.webhooks.slow_reads import SlowReads
from adapters.webhooks.steps import (
    CommandResult,
    CommandStep,
    LaterAnswer,
    ReadStep,
    Step,
    Submit,
    do_now,
    put_off,
)
from domain.application.ports import StoreBusy, StoreUnavailable
from domain.application.recorded_events import Actor, ActorKind
from domain.flow.lean_frozen import lean_frozen
from domain.flow.values import KEEP, Json, Patch

_PERMIT: Final = "taskflow.permit"
_LATER: Final = "taskflow.later"
_AUTHENTICATED: Final = "taskflow.authenticated"

T = TypeVar("T")


@lean_frozen
class _Request:
    """A request that makes sense: who sent it, what it asks for, and as what it came."""

    permit: RoutePermit
    call: ActionCall
    asked: AskedCall


@frozen(kw_only=True)
class WebhookResource:
    """Answers every request that was admitted, whatever its path and method.

    `ready` says whether requests should be sent here, and which parts are not ready; `log_fault`
    takes what went wrong behind an answer of 500 or 503, `submit` has a command carried out.
    `find_link` finds by its hash what a resume link is for, `new_token` makes a new one.
    """

    admission: Admission
    ready: Callable[[], tuple[bool, Sequence[str]]]
    log_fault: LogFault
    submit: Submit
    find_link: FindLink
    new_token: NewToken
    _links: LinkFollower = field(
        init=False,
        default=Factory(
            lambda self: LinkFollower(self.find_link, self.submit, self.log_fault), takes_self=True
        ),
    )
    _slow_reads: SlowReads = field(
        init=False, default=Factory(lambda self: SlowReads(self.admission.clock), takes_self=True)
    )

    def __call__(self, req: falcon.Request, resp: falcon.Response, **_: object) -> None:
        """Answer a request, now or later, and log it once; its permit is the server's to release.

        Where the server lets an answer be put off, this thread must not wait for anything.
        """
        permit: RequestPermit = req.env[_PERMIT]
        later: Callable[[], LaterAnswer] | None = req.env.get(_LATER)
        call = None
        step: _Request | Response | Step
        step = self._guarded(permit, partial(self._read, permit, req.env))
        if isinstance(step, _Request):
            call = step.call
            step = self._guarded(permit, partial(self._perform, step, in_loop=later is not None))
        if isinstance(step, Response):
            if later is not None and _is_unknown(permit):
                # APPSEC: to the byte as the server answers a head, which Falcon does not.
                refused = step
                later().answer(partial(self._finish_raw, permit, call, lambda: refused))
                return
            response = self._logged(permit, call, step)
        elif later is None:
            response = self._finish(permit, call, partial(do_now, step, self.submit))
        else:
            put_off(step, self.submit, later(), partial(self._finish_raw, permit, call))
            return
        responses.write_response(resp, response, permit.context.request_id)

    def _guarded(self, permit: RequestPermit, step: Callable[[], T]) -> T | Response:
        try:
            return step()
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets an envelope
            self.log_fault(permit.context.request_id, error)
            return responses.internal_error(permit.route_id)

    def _finish(
        self, permit: RequestPermit, call: ActionCall | None, make: Callable[[], Response]
    ) -> Response:
        return self._logged(permit, call, self._guarded(permit, make))

    def _finish_raw(
        self, permit: RequestPermit, call: ActionCall | None, make: Callable[[], Response]
    ) -> RawPieces:
        return self._finish(permit, call, make).in_pieces(permit.context.request_id)

    def _logged(
        self, permit: RequestPermit, call: ActionCall | None, response: Response
    ) -> Response:
        action, flow_id = response.action, None
        if isinstance(permit, LinkPermit):
            action = resume_links.ACTION
        if call is not None:
            action, flow_id = call.action.name, call.values.get("flow_id")
        try:
            self.admission.log(permit.context, response, action, response.flow_id or flow_id)
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets an envelope
            self.log_fault(permit.context.request_id, error)
            return responses.internal_error(None)
        fields = (*response.headers, *permit.fields)
        return evolve(response, headers=fields) if permit.fields else response

    def _read(self, permit: RequestPermit, environ: dict[str, Any]) -> _Request | Response | Step:
        if isinstance(permit, ProbePermit):
            return ReadStep(self._probe) if permit.path == READY else responses.ALIVE
        body = environ["wsgi.input"].read(permit.body_bytes + 1)
        if len(body) > permit.body_bytes:
            return responses.payload_too_large(permit.route_id)
        if isinstance(permit, LinkPermit):
            return self._links.follow(permit, body)
        if isinstance(permit, RoutePermit):
            return self._understand(permit, body)
        verified = self.admission.verify(permit, body)
        if isinstance(verified, Response):
            return verified
        environ.get(_AUTHENTICATED, _ignore)()
        return self._understand(verified, body)

    def _understand(self, permit: RoutePermit, body: bytes) -> _Request | Response:
        asked = read_asked(permit.route, permit.head.value, body)
        return asked if isinstance(asked, Response) else _Request(permit, asked.call, asked)

    def _probe(self) -> Response:
        is_ready, parts = self.ready()
        return responses.readiness(is_ready=is_ready, parts=parts)

    def _perform(self, request: _Request, *, in_loop: bool) -> Response | Step:
        route, call, permit = request.permit.route, request.call, request.permit
        if not route.allows(permit.context.key_id, call.action.name):
            return responses.action_not_allowed(route.route_id, call.action.name)
        stored = _stored_bytes(call.values)
        if stored > route.limits.body_bytes:
            return responses.value_too_large(route.route_id, stored, route.limits.body_bytes)
        match call.action:
            case QueryAction():
                return self._query(request, call.action, in_loop=in_loop)
            case CommandAction():
                return self._change(request, call.action)
            case _:
                assert_never(call.action)

    def _query(
        self, request: _Request, query: QueryAction, *, in_loop: bool
    ) -> Response | ReadStep:
        """Answer a query; in the loop only if that is done within a moment."""
        at_length = partial(self._ask_at_length, request, query)
        if not in_loop or query.takes_long(request.call.values):
            return ReadStep(at_length, is_urgent=False)
        if not self._slow_reads.are_expected():
            try:
                return self._ask_shortly(request, query) or ReadStep(at_length, is_urgent=False)
            except StoreBusy:
                self._slow_reads.expect()
        return ReadStep(lambda: self._ask_shortly(request, query) or at_length())

    def _ask_shortly(self, request: _Request, query: QueryAction) -> Response | None:
        room = Room.short(request.permit.route.limits.answer_bytes)
        return self._slow_reads.timed(partial(self._ask, request, query, room))

    def _ask_at_length(self, request: _Request, query: QueryAction) -> Response:
        response = self._ask(request, query, Room(request.permit.route.limits.answer_bytes))
        if response is None:
            raise AssertionError("an answer that need not be short fits into its room")
        return response

    def _ask(self, request: _Request, query: QueryAction, room: Room) -> Response | None:
        route = request.permit.route
        try:
            result = query.ask(route.session, request.call.values, room)
        except StoreBusy:
            raise  # only where nobody may wait: it is asked again elsewhere
        except StoreUnavailable as error:
            self.log_fault(request.permit.context.request_id, error)
            return responses.persist_failed(route.route_id, "TaskFlow storage is unavailable.")
        if isinstance(result, Issue):
            return responses.invalid_request(route.route_id, result.text)
        return None if result is None else room.put_into(responses.success(route.route_id, result))

    def _change(self, request: _Request, action: CommandAction) -> Response | CommandStep:
        permit, route = request.permit, request.permit.route
        key = request.asked.key(route.route_id, permit.idempotency_keys)
        if isinstance(key, Issue):
            return responses.invalid_request(route.route_id, key.text)
        replies, link_hash = self._make_link(action, request.call.values)
        command = make_command(
            action,
            request.call.values,
            route.controller_id,
            separate_approver=route.separate_approver,
            link_hash=link_hash,
        )
        actor = Actor(kind=ActorKind.ROUTE, name=route.route_id, key_id=permit.context.key_id)
        metadata = permit.context.metadata(actor, key)
        submission = route.session.submission(
            command, metadata, correlation_of(action, request.call.values)
        )
        return CommandStep(submission, partial(self._show, request, replies))

    def _make_link(
        self, action: CommandAction, values: Values
    ) -> tuple[ActionReplies, Patch[str | None]]:
        """Return the answers and the hash of a link, where one is asked for or taken back."""
        wanted = values.get("resume_link")
        if not wanted:
            return action.replies, KEEP if wanted is None else None
        token = self.new_token()
        return with_link(action.replies, resume_links.path_of(token)), resume_links.hash_of(token)

    def _show(self, request: _Request, replies: ActionReplies, result: CommandResult) -> Response:
        permit, route = request.permit, request.permit.route
        room = Room(route.limits.answer_bytes)
        if isinstance(result, StoreUnavailable):
            self.log_fault(permit.context.request_id, result)
            return room.put_into(unsaved_response(replies, route.route_id, result, room))
        if isinstance(result, Exception):
            raise result
        response = room.put_into(outcome_response(replies, route.route_id, result, room))
        response = request.asked.answer(route.route_id, response)
        return response if result.flow is None else evolve(response, flow_id=result.flow.flow_id)


def _is_unknown(permit: RequestPermit) -> bool:
    """Return whether a request was let in of which nobody knows who sent it."""
    return isinstance(permit, UnverifiedPermit) and permit.route_id is None


def _ignore() -> None:
    """Do nothing: no server waits to learn that a caller is known."""


def _stored_bytes(values: Values) -> int:
    # APPSEC: a number may be stored longer than it was sent: `1e20` with all its digits.
    return sum([len(value.text.encode()) for value in values.values() if isinstance(value, Json)])
