"""Admission: all checks that the head of a request allows, before its body is read.

It runs in the server's I/O thread when a head is complete, and never blocks. Who sends a signed
request is not said by its head: it is let in under smaller limits, until its body is verified.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final

from attrs import Factory, define, evolve, field, frozen

from adapters.webhooks import responses, resume_links
from adapters.webhooks.auth import authenticate
from adapters.webhooks.client import IPNetwork, client_address, client_key, neighbourhood
from adapters.webhooks.limits import CallerKey, InFlight, Monotonic, RateLimiter, Slot
from adapters.webhooks.media_type import media_type_fault
from adapters.webhooks.permits import (
    LinkPermit,
    ProbePermit,
    RequestPermit,
    RoutePermit,
    UnverifiedPermit,
)
from adapters.webhooks.request_context import (
    LogRequest,
    RequestContext,
    RequestHead,
    access_log_entry,
)
from adapters.webhooks.responses import Headers, Response
from adapters.webhooks.routes import HEALTH, READY, KeyNotValid, RouteTable, WebhookRoute
from adapters.webhooks.shared_limits import SharedLimiter
from domain.application.limits import Limits
from domain.flow.ids import FlowId

_PROBES: Final = frozenset({HEALTH, READY})


_EVERYBODY: Final = ("", "")


@frozen(kw_only=True)
class AdmissionTable:
    """All that a configuration says of who is let in; it is swapped as one and never changed."""

    routes: RouteTable
    trusted_proxies: Sequence[IPNetwork]
    remember_address: Callable[[str], str | None]
    limits: Limits = field(factory=Limits)
    client_of: Callable[[str, str], tuple[str | None, str]] = field(
        init=False,
        repr=False,
        eq=False,
        # PERF: who asks twice is looked up; both take a caller's text, so that few are kept.
        default=Factory(lambda self: lru_cache(256)(self._client_of), takes_self=True),
    )
    """Returns how a client is recorded, and as whom it is counted, by the socket's other end and
    `X-Forwarded-For`."""

    def _client_of(self, peer: str, forwarded_for: str) -> tuple[str | None, str]:
        client = client_address(peer, forwarded_for, self.trusted_proxies)
        return self.remember_address(client), client_key(client, self.limits.ipv6_prefix)


@define(kw_only=True)
class Admission:
    """Lets a request in, or says why not.

    Rates and places are counted by route id and client, and outlive the table. Where they are
    `shared`, other gateways count the same.
    """

    table: AdmissionTable
    clock: Monotonic
    log_request: LogRequest
    shared: SharedLimiter | None = None
    _rate: RateLimiter | SharedLimiter = field(
        init=False,
        default=Factory(
            lambda self: self.shared or RateLimiter(self.clock, self.table.limits.tracked_keys),
            takes_self=True,
        ),
    )
    _in_flight: InFlight | SharedLimiter = field(
        init=False, default=Factory(lambda self: self.shared or InFlight(), takes_self=True)
    )
    _unverified: InFlight = field(init=False, factory=InFlight)

    def swap(self, table: AdmissionTable) -> None:
        """Admit by another table from now on; what was admitted keeps the route that it has.

        Any thread may call this.
        """
        self._rate.tracked_keys = table.limits.tracked_keys
        self.table = table

    def in_flight(self) -> int:
        """Return how many requests were admitted and are not yet answered."""
        return self._in_flight.count()

    def neighbourhood(self, peer: str) -> str | None:
        """Return the client whose connection a socket's is now, or None if it is a proxy's."""
        table = self.table
        return neighbourhood(peer, table.trusted_proxies, table.limits.ipv6_prefix)

    def admit(self, head: RequestHead) -> RequestPermit | Response:
        """Return a permit, to be released when the request is answered, or a refusal, logged."""
        table = self.table  # NOTE: read once, as it may be swapped meanwhile
        remembered, client = table.client_of(head.peer, head.value("x-forwarded-for") or "")
        is_probe, is_link = head.path in _PROBES, head.path.startswith(resume_links.PREFIX)
        route = None if is_probe or is_link else table.routes.find(head.path)
        context = RequestContext(
            request_id=head.request_id,
            started=self.clock(),
            remote_address=remembered,
            route_id=None if route is None else route.route_id,
        )
        if is_probe:
            if head.method in {"GET", "HEAD"}:
                return ProbePermit(path=head.path, context=context)
            return self._refuse(context, responses.ONLY_GET)
        if is_link:
            return self._let_follow(head, client, context)
        if route is None:
            too_large = _is_too_large(head, table.routes.body_bytes)
            return self._refuse(
                context, responses.PAYLOAD_TOO_LARGE if too_large else responses.ROUTE_NOT_FOUND
            )
        return self._let_in(head, route, (route.route_id, client), context)

    def _let_follow(
        self, head: RequestHead, client: str, context: RequestContext
    ) -> LinkPermit | Response:
        limits, counted = self.table.limits, (resume_links.COUNTED_AS, client)
        if _is_too_large(head, resume_links.BODY_BYTES):
            return self._refuse(context, responses.PAYLOAD_TOO_LARGE)
        if head.method != "POST":
            return self._refuse(context, responses.ONLY_POST)
        if retry_after := self._rate.hit(counted, limits):
            return self._refuse(context, responses.rate_limited(retry_after))
        slot = self._in_flight.take(counted, limits.in_flight)
        if slot is None:
            return self._refuse(context, responses.TOO_MANY_IN_FLIGHT)
        seconds = min(limits.body_seconds, limits.unverified_body_seconds)
        return LinkPermit(
            token=head.path.removeprefix(resume_links.PREFIX),
            context=context,
            slot=slot,
            body_bounds=(resume_links.BODY_BYTES, seconds),
        )

    def _let_in(
        self, head: RequestHead, route: WebhookRoute, counted: CallerKey, context: RequestContext
    ) -> RequestPermit | Response:
        if refused := self._precheck(head, route, counted):
            return self._refuse(context, refused)
        if route.verify is not None:
            return self._let_in_unverified(head, route, counted, context)
        slot = self._in_flight.take(counted, route.limits.in_flight)
        if slot is None:
            return self._refuse(context, responses.TOO_MANY_IN_FLIGHT)
        key = None
        try:
            key = authenticate(head, route.identify)
        finally:
            if not isinstance(key, str):
                slot.release()
        if not isinstance(key, str):
            context, refused = _unauthorized(context, key)
            return self._refuse(context, refused)
        return self._permit(head, route, counted, context.known_as(key), slot)

    def _permit(
        self,
        head: RequestHead,
        route: WebhookRoute,
        counted: CallerKey,
        context: RequestContext,
        slot: Slot,
    ) -> RoutePermit:
        fields: Headers = ()
        if route.limits.announce_rate:
            fields = responses.rate_fields(route.limits, *self._rate.left(counted, route.limits))
        return RoutePermit(route=route, head=head, context=context, slot=slot, fields=fields)

    def _let_in_unverified(
        self, head: RequestHead, route: WebhookRoute, counted: CallerKey, context: RequestContext
    ) -> UnverifiedPermit | Response:
        limits = self.table.limits
        own = self._unverified.take(counted, route.limits.unverified_in_flight)
        shared = own and self._unverified.take(_EVERYBODY, limits.unverified_total)
        if own is None or shared is None:
            if own is not None:
                own.release()
            return self._refuse(context, responses.TOO_MANY_IN_FLIGHT)
        seconds = min(limits.body_seconds, route.limits.unverified_body_seconds)
        return UnverifiedPermit(
            route=route,
            head=head,
            counted=counted,
            context=context,
            slots=(own, shared),
            body_bounds=(route.unverified_body_bytes, seconds),
        )

    def verify(self, permit: UnverifiedPermit, body: bytes) -> RoutePermit | Response:
        """Return the permit of a request whose body is signed by a key of its route, or a refusal.

        It is not logged yet; what is known of the caller is noted in the first permit.
        """
        route = permit.route
        key = None if route.verify is None else route.verify(permit.head, body)
        if not isinstance(key, str):
            permit.context, refused = _unauthorized(permit.context, key)
            return refused
        permit.context = permit.context.known_as(key)
        slot = self._in_flight.take(permit.counted, route.limits.in_flight)
        if slot is None:
            return responses.TOO_MANY_IN_FLIGHT
        verified = self._permit(permit.head, route, permit.counted, permit.context, slot)
        permit.become(verified)
        return verified

    def _precheck(
        self, head: RequestHead, route: WebhookRoute, counted: CallerKey
    ) -> Response | None:
        is_signed = route.verify is not None
        if _is_too_large(
            head, route.unverified_body_bytes if is_signed else route.limits.body_bytes
        ):
            return responses.PAYLOAD_TOO_LARGE
        if head.method != "POST":
            return responses.ONLY_POST
        retry_after = self._rate.hit(counted, route.limits)
        if retry_after:
            return responses.rate_limited(retry_after)
        if fault := media_type_fault(head, takes_forms=route.takes_forms):
            return responses.unsupported_media_type(fault)
        return None

    def _refuse(self, context: RequestContext, response: Response) -> Response:
        self.log(context, response)
        return response

    def log(
        self,
        context: RequestContext,
        response: Response,
        action: str | None = None,
        flow_id: FlowId | None = None,
    ) -> None:
        """Log a request and its answer."""
        ended = self.clock()
        self.log_request(
            access_log_entry(context, response, action=action, flow_id=flow_id, ended=ended)
        )


def _unauthorized(
    context: RequestContext, key: KeyNotValid | None
) -> tuple[RequestContext, Response]:
    # APPSEC: the caller learns nothing of a key that is not valid now: the answer is the same.
    if key is None:
        return context, responses.UNAUTHORIZED
    return context.known_as(key.key_id), evolve(responses.UNAUTHORIZED, reason=key.fault)


def _is_too_large(head: RequestHead, limit: int) -> bool:
    return int(head.value("content-length") or 0) > limit
