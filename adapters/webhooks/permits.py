"""Permits: what lets a request in, each kind with what may be known of who sent it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, TypeAlias

from attrs import define, field, frozen, setters

from adapters.webhooks.limits import CallerKey, Slot
from adapters.webhooks.request_context import RequestContext, RequestHead
from adapters.webhooks.responses import Headers
from adapters.webhooks.routes import WebhookRoute
from domain.flow.ids import RouteId
from domain.flow.lean_frozen import lean_frozen


@lean_frozen(kw_only=True)
class RoutePermit:
    """Lets a request of an authenticated caller in: to which route, in which place."""

    route: WebhookRoute
    head: RequestHead = field(repr=False)
    context: RequestContext
    slot: Slot
    fields: Headers = ()
    is_authenticated: ClassVar[bool] = True
    body_bounds: ClassVar[None] = None

    @property
    def idempotency_keys(self) -> Sequence[str]:
        """Return the values of the header that makes a request safe to repeat."""
        return self.head.values("idempotency-key")

    @property
    def route_id(self) -> RouteId:
        """Return the id of the route, which the caller may see."""
        return self.route.route_id

    @property
    def body_bytes(self) -> int:
        """Return how long the body may be."""
        return self.route.limits.body_bytes

    def release(self) -> None:
        """Free the request's place; a second call, also from another thread, does nothing."""
        self.slot.release()


@define(kw_only=True)
class UnverifiedPermit:
    """Lets a signed request in for as long as it takes to read its body and to verify it.

    APPSEC: it says nothing of who asks, so no action takes one. What becomes known of the request
    is noted here for the log and for what the server releases; one thread at a time has it.
    """

    route: WebhookRoute = field(on_setattr=setters.frozen)
    head: RequestHead = field(repr=False, on_setattr=setters.frozen)
    counted: CallerKey
    context: RequestContext
    slots: Sequence[Slot]
    body_bounds: tuple[int, float]
    route_id: RouteId | None = None
    fields: Headers = ()
    is_authenticated: ClassVar[bool] = False

    @property
    def body_bytes(self) -> int:
        """Return how long the body may be."""
        return self.body_bounds[0]

    def release(self) -> None:
        """Free the request's places; a second call, also from another thread, does nothing."""
        for slot in self.slots:
            slot.release()

    def become(self, permit: RoutePermit) -> None:
        """Note that it is known who asks, and take the place of such a request instead."""
        self.release()
        self.slots = (permit.slot,)
        self.context, self.fields, self.route_id = permit.context, permit.fields, permit.route_id


@frozen(kw_only=True)
class ProbePermit:
    """Lets a question about the gateway itself in: anybody may ask, and no limit counts it."""

    path: str
    context: RequestContext
    fields: ClassVar[Headers] = ()
    route_id: ClassVar[None] = None
    is_authenticated: ClassVar[bool] = False
    body_bounds: ClassVar[None] = None

    def release(self) -> None:
        """Do nothing: a probe takes no place."""


@frozen(kw_only=True)
class LinkPermit:
    """Lets a request of whoever follows a resume link in, be there such a link or not."""

    token: str = field(repr=False)
    context: RequestContext
    slot: Slot
    body_bounds: tuple[int, float]
    fields: ClassVar[Headers] = ()
    route_id: ClassVar[None] = None
    is_authenticated: ClassVar[bool] = False

    @property
    def body_bytes(self) -> int:
        """Return how long the body may be."""
        return self.body_bounds[0]

    def release(self) -> None:
        """Free the request's place; a second call, also from another thread, does nothing."""
        self.slot.release()


RequestPermit: TypeAlias = RoutePermit | UnverifiedPermit | LinkPermit | ProbePermit
