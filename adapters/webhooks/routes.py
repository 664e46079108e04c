"""The routes that are served, found by the raw path of a request."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Final, Protocol, TypeAlias

from attrs import field, frozen

from adapters.webhooks.mapping.mapping import PayloadMap
from adapters.webhooks.request_context import RequestHead
from domain.application.limits import RouteLimits
from domain.application.sessions import OwnerSession
from domain.flow.ids import KeyId, RouteId


class KeyNotValid(Protocol):
    """A key whose secret was presented, but not at a time at which it is valid."""

    @property
    def key_id(self) -> KeyId:
        """The id of the key."""

    @property
    def fault(self) -> str:
        """Why it is not valid."""


Identify: TypeAlias = Callable[[str], KeyId | KeyNotValid | None]
"""Returns the key whose secret was presented (a trimmed Latin-1 text), or None.

It compares in constant time, and takes a secret beyond ASCII as UTF-8 and as Latin-1.
"""

Verify: TypeAlias = Callable[[RequestHead, bytes], KeyId | KeyNotValid | None]
"""Returns the key by which a request with a body is signed, or None; it raises nothing.

It tries every key, and compares in constant time.
"""

HEALTH: Final = "/healthz"
READY: Final = "/readyz"


@frozen(kw_only=True)
class WebhookRoute:
    """A path, who may use it, and the one owner whose flows it reaches.

    `session` is bound to that owner; nothing here can name another one. With `verify`, requests are
    signed, and their heads do not say who asks. `may` has the names of the actions that a key may
    ask for; one that is not in it may ask for all. Of a `separate_approver`, who lets a flow wait
    may not resume it.
    """

    route_id: RouteId
    path: str
    session: OwnerSession = field(repr=False)
    controller_id: str
    identify: Identify = field(repr=False)
    verify: Verify | None = field(default=None, repr=False)
    may: Mapping[KeyId, AbstractSet[str]] = field(factory=dict)
    limits: RouteLimits = field(factory=RouteLimits)
    separate_approver: bool = False
    payloads: PayloadMap | None = field(default=None, repr=False)
    """What makes actions of its senders' payloads; without it they send actions."""

    @property
    def takes_forms(self) -> bool:
        """Say whether a body may be a form."""
        return self.payloads is not None and self.payloads.form is not None

    def allows(self, key_id: KeyId | None, action: str) -> bool:
        """Return whether a caller with a key may ask for an action."""
        return key_id is not None and action in self.may.get(key_id, (action,))

    @property
    def unverified_body_bytes(self) -> int:
        """Return how long the body of a request may be of which nobody knows yet who asks."""
        return min(self.limits.body_bytes, self.limits.unverified_body_bytes)


class RouteTable:
    """Finds a route by its exact path, with or without one trailing slash."""

    def __init__(self, routes: Iterable[WebhookRoute]) -> None:
        """Index the routes.

        Raises:
            ValueError: if two routes have one path; the settings should have said so.
        """
        self._by_path: dict[str, WebhookRoute] = {}
        for route in routes:
            self._add(route)
        limits = [route.limits for route in self._by_path.values()] or [RouteLimits()]
        self.body_bytes = max(limit.body_bytes for limit in limits)

    def find(self, path: str) -> WebhookRoute | None:
        """Return the route that a raw path without query means."""
        # APPSEC: nothing is decoded or normalised: one path has one meaning here and in a proxy.
        return self._by_path.get(path)

    def _add(self, route: WebhookRoute) -> None:
        bare = route.path.removesuffix("/")
        for path in (bare, f"{bare}/"):
            if path in self._by_path:
                raise ValueError(
                    f"routes {self._by_path[path].route_id} and {route.route_id}: {path}"
                )
            if path:
                self._by_path[path] = route
