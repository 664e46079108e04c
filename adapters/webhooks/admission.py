"""The admission: all checks that the head of a request allows, before its body is read.

It runs in the server's I/O thread when a head is complete, or in the resource where there is no
such server. It never blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar, Final, TypeAlias

from attrs import Factory, define, evolve, field, frozen

from adapters.webhooks import responses
from adapters.webhooks.auth import authenticate
from adapters.webhooks.client import (
    IPV6_PREFIX,
    IPNetwork,
    client_address,
    client_key,
    neighbourhood,
)
from adapters.webhooks.head import RequestHead, read_head
from adapters.webhooks.limits import CallerKey, InFlight, Monotonic, Slot
from adapters.webhooks.media_type import media_type_fault
from adapters.webhooks.refusal_recorder import NoteAnswer, note_nothing
from adapters.webhooks.request_context import Access, LogRequest, access_fields
from adapters.webhooks.responses import RawResponse, Response, render
from adapters.webhooks.routes import HEALTH, READY, KeyNotValid, RouteTable, WebhookRoute
from adapters.webhooks.windows import RateLimiter
from domain.flow.ids import KeyId, RequestId

_PROBES: Final = frozenset({HEALTH, READY})


@frozen(kw_only=True)
class RoutePermit:
    """A request that was let in: by which key, to which route, in which place."""

    route: WebhookRoute
    key_id: KeyId
    idempotency_keys: Sequence[str]
    access: Access
    slot: Slot
    is_authenticated: ClassVar[bool] = True

    def release(self) -> None:
        """Free the request's place; a second call, also from another thread, does nothing."""
        self.slot.release()


@frozen(kw_only=True)
class ProbePermit:
    """A question about the gateway itself, which anybody may ask and no limit counts."""

    path: str
    access: Access
    is_authenticated: ClassVar[bool] = False

    def release(self) -> None:
        """Do nothing: a probe takes no place."""


Permit: TypeAlias = RoutePermit | ProbePermit


@frozen(kw_only=True)
class AdmissionTable:
    """All that a configuration says of who is let in; it is swapped as one and never changed."""

    routes: RouteTable
    trusted_proxies: Sequence[IPNetwork]
    remember_address: Callable[[str], str | None]
    tracked_keys: int = 4096
    ipv6_prefix: int = IPV6_PREFIX


@define(kw_only=True)
class Admission:
    """Lets a request in, or says why not.

    Rates and places are counted by route id and client, and outlive the table.
    """

    table: AdmissionTable
    clock: Monotonic
    log_request: LogRequest
    note_answer: NoteAnswer = note_nothing
    _rate: RateLimiter = field(
        init=False,
        default=Factory(
            lambda admission: RateLimiter(admission.clock, admission.table.tracked_keys),
            takes_self=True,
        ),
    )
    _in_flight: InFlight = field(init=False, factory=InFlight)

    def swap(self, table: AdmissionTable) -> None:
        """Admit by another table from now on; what was admitted keeps the route that it has.

        Any thread may call this.
        """
        self._rate.tracked_keys = table.tracked_keys
        self.table = table

    def neighbourhood(self, peer: str) -> str | None:
        """Return the client whose connection a socket's is now, or None if it is a proxy's."""
        table = self.table
        return neighbourhood(peer, table.trusted_proxies, table.ipv6_prefix)

    def admit_head(
        self,
        method: str,
        target: str,
        headers: Iterable[tuple[str, str]],
        peer: str,
        request_id: RequestId,
    ) -> Permit | RawResponse:
        """Return a permit, to be released when the request is answered, or a refusal, logged.

        `target` is the raw request target, `headers` are Latin-1 pairs in the order sent.
        """
        access = self.begin(request_id)
        admission = self.admit(read_head(method, target, headers, peer), access)
        if isinstance(admission, Response):
            self.log(access, admission)
            return render(admission, request_id)
        return admission

    def begin(self, request_id: RequestId) -> Access:
        """Start the log record of a request."""
        return Access(request_id=request_id, started=self.clock())

    def log(self, access: Access, response: Response) -> None:
        """Log a request and its answer, and note it where it is evidence."""
        self.log_request(access_fields(access, response, self.clock()))
        self.note_answer(access, response)

    def admit(self, head: RequestHead, access: Access) -> Permit | Response:
        """Return a permit, to be released when the request is answered, or a refusal."""
        table = self.table  # NOTE: read once, as it may be swapped meanwhile
        client = client_address(head.peer, head.forwarded_for, table.trusted_proxies)
        access.remote_address = table.remember_address(client)
        if head.path in _PROBES:
            probe = ProbePermit(path=head.path, access=access)
            return probe if head.method in {"GET", "HEAD"} else responses.ONLY_GET
        route = table.routes.find(head.path)
        if route is None:
            too_large = _is_too_large(head, table.routes.body_bytes)
            return responses.PAYLOAD_TOO_LARGE if too_large else responses.ROUTE_NOT_FOUND
        access.route = route.route_id
        if _is_too_large(head, route.limits.body_bytes):
            return responses.PAYLOAD_TOO_LARGE
        if head.method != "POST":
            return responses.ONLY_POST
        counted = (route.route_id, client_key(client, table.ipv6_prefix))
        return self._let_in(head, route, counted, access=access)

    def _let_in(
        self, head: RequestHead, route: WebhookRoute, counted: CallerKey, *, access: Access
    ) -> RoutePermit | Response:
        retry_after = self._rate.hit(counted, route.limits)
        if retry_after:
            return responses.rate_limited(retry_after)
        if fault := media_type_fault(head):
            return responses.unsupported_media_type(fault)
        slot = self._in_flight.take(counted, route.limits.in_flight)
        if slot is None:
            return responses.TOO_MANY_IN_FLIGHT
        key = None
        try:
            key = authenticate(head, route.identify)
        finally:
            if not isinstance(key, str):
                slot.release()
        if not isinstance(key, str):
            return _turn_away(key, access)
        access.key_id = key
        return RoutePermit(
            route=route,
            key_id=key,
            idempotency_keys=head.idempotency_keys,
            access=access,
            slot=slot,
        )


def _turn_away(key: KeyNotValid | None, access: Access) -> Response:
    # APPSEC: the caller learns nothing of a key that is not valid now: the answer is the same.
    if key is None:
        return responses.UNAUTHORIZED
    access.key_id = key.key_id
    return evolve(responses.UNAUTHORIZED, reason=key.fault)


def _is_too_large(head: RequestHead, limit: int) -> bool:
    return head.content_length is not None and head.content_length > limit
