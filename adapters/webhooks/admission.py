"""Admission: all checks that the head of a request allows, before its body is read.

It runs in the server's I/O thread when a head is complete, and never blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, Final, TypeAlias

from attrs import Factory, define, evolve, field, frozen

from adapters.webhooks import responses, resume_links
from adapters.webhooks.auth import authenticate
from adapters.webhooks.client import (
    IPNetwork,
    client_address,
    client_key,
    neighbourhood,
)
from adapters.webhooks.limits import CallerKey, InFlight, Monotonic, RateLimiter, Slot
from adapters.webhooks.media_type import media_type_fault
from adapters.webhooks.request_context import (
    LogRequest,
    RequestContext,
    RequestHead,
    access_log_entry,
)
from adapters.webhooks.responses import Response
from adapters.webhooks.routes import HEALTH, READY, KeyNotValid, RouteTable, WebhookRoute
from domain.application.limits import Limits, RouteLimits
from domain.flow.ids import FlowId

_PROBES: Final = frozenset({HEALTH, READY})


@frozen(kw_only=True)
class RoutePermit:
    """Lets a request of an authenticated caller in: to which route, in which place."""

    route: WebhookRoute
    idempotency_keys: Sequence[str]
    context: RequestContext
    slot: Slot
    is_authenticated: ClassVar[bool] = True

    def release(self) -> None:
        """Free the request's place; a second call, also from another thread, does nothing."""
        self.slot.release()


@frozen(kw_only=True)
class ProbePermit:
    """Lets a question about the gateway itself in: anybody may ask, and no limit counts it."""

    path: str
    context: RequestContext
    is_authenticated: ClassVar[bool] = False

    def release(self) -> None:
        """Do nothing: a probe takes no place."""


@frozen(kw_only=True)
class LinkPermit:
    """Lets a request of whoever follows a resume link in, be there such a link or not."""

    token: str = field(repr=False)
    context: RequestContext
    slot: Slot
    is_authenticated: ClassVar[bool] = False

    def release(self) -> None:
        """Free the request's place; a second call, also from another thread, does nothing."""
        self.slot.release()


RequestPermit: TypeAlias = RoutePermit | LinkPermit | ProbePermit


@frozen(kw_only=True)
class AdmissionTable:
    """All that a configuration says of who is let in; it is swapped as one and never changed."""

    routes: RouteTable
    trusted_proxies: Sequence[IPNetwork]
    remember_address: Callable[[str], str | None]
    limits: Limits = field(factory=Limits)


@define(kw_only=True)
class Admission:
    """Lets a request in, or says why not.

    Rates and places are counted by route id and client, and outlive the table.
    """

    table: AdmissionTable
    clock: Monotonic
    log_request: LogRequest
    _rate: RateLimiter = field(
        init=False,
        default=Factory(
            lambda self: RateLimiter(self.clock, self.table.limits.tracked_keys), takes_self=True
        ),
    )
    _in_flight: InFlight = field(init=False, factory=InFlight)

    def swap(self, table: AdmissionTable) -> None:
        """Admit by another table from now on; what was admitted keeps the route that it has.

        Any thread may call this.
        """
        self._rate.tracked_keys = table.limits.tracked_keys
        self.table = table

    def neighbourhood(self, peer: str) -> str | None:
        """Return the client whose connection a socket's is now, or None if it is a proxy's."""
        table = self.table
        return neighbourhood(peer, table.trusted_proxies, table.limits.ipv6_prefix)

    def admit(self, head: RequestHead) -> RequestPermit | Response:
        """Return a permit, to be released when the request is answered, or a refusal, logged."""
        table = self.table  # NOTE: read once, as it may be swapped meanwhile
        client = client_address(
            head.peer, head.value("x-forwarded-for") or "", table.trusted_proxies
        )
        context = RequestContext(
            request_id=head.request_id,
            started=self.clock(),
            remote_address=table.remember_address(client),
        )
        if head.path in _PROBES:
            if head.method in {"GET", "HEAD"}:
                return ProbePermit(path=head.path, context=context)
            return self._refuse(context, responses.ONLY_GET)
        if head.path.startswith(resume_links.PREFIX):
            return self._let_follow(head, client_key(client, table.limits.ipv6_prefix), context)
        route = table.routes.find(head.path)
        if route is None:
            too_large = _is_too_large(head, table.routes.body_bytes)
            return self._refuse(
                context, responses.PAYLOAD_TOO_LARGE if too_large else responses.ROUTE_NOT_FOUND
            )
        counted = (route.route_id, client_key(client, table.limits.ipv6_prefix))
        return self._let_in(head, route, counted, evolve(context, route_id=route.route_id))

    def _let_follow(
        self, head: RequestHead, client: str, context: RequestContext
    ) -> LinkPermit | Response:
        limits = evolve(self.table.limits, body_bytes=resume_links.BODY_BYTES)
        slot = self._take_slot(head, limits, (resume_links.COUNTED_AS, client), any_type=True)
        if isinstance(slot, Response):
            return self._refuse(context, slot)
        token = head.path.removeprefix(resume_links.PREFIX)
        return LinkPermit(token=token, context=context, slot=slot)

    def _let_in(
        self, head: RequestHead, route: WebhookRoute, counted: CallerKey, context: RequestContext
    ) -> RoutePermit | Response:
        slot = self._take_slot(head, route.limits, counted)
        if isinstance(slot, Response):
            return self._refuse(context, slot)
        key = None
        try:
            key = authenticate(head, route.identify)
        finally:
            if not isinstance(key, str):
                slot.release()
        if not isinstance(key, str):
            return self._refuse_key(context, key)
        return RoutePermit(
            route=route,
            idempotency_keys=head.values("idempotency-key"),
            context=evolve(context, key_id=key),
            slot=slot,
        )

    def _take_slot(
        self,
        head: RequestHead,
        limits: RouteLimits,
        counted: CallerKey,
        *,
        any_type: bool = False,
    ) -> Slot | Response:
        if _is_too_large(head, limits.body_bytes):
            return responses.PAYLOAD_TOO_LARGE
        if head.method != "POST":
            return responses.ONLY_POST
        retry_after = self._rate.hit(counted, limits)
        if retry_after:
            return responses.rate_limited(retry_after)
        if not any_type and (fault := media_type_fault(head)):
            return responses.unsupported_media_type(fault)
        return self._in_flight.take(counted, limits.in_flight) or responses.TOO_MANY_IN_FLIGHT

    def _refuse_key(self, context: RequestContext, key: KeyNotValid | None) -> Response:
        # APPSEC: the caller learns nothing of a key that is not valid now: the answer is the same.
        if key is None:
            return self._refuse(context, responses.UNAUTHORIZED)
        refused = evolve(responses.UNAUTHORIZED, reason=key.fault)
        return self._refuse(evolve(context, key_id=key.key_id), refused)

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


def _is_too_large(head: RequestHead, limit: int) -> bool:
    return int(head.value("content-length") or 0) > limit
