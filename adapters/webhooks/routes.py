"""The routes that are served, found by the raw path of a request."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, Protocol, TypeAlias

from attrs import field, frozen

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

HEALTH: Final = "/healthz"
READY: Final = "/readyz"


@frozen(kw_only=True)
class WebhookRoute:
    """A path, who may use it, and the one owner whose flows it reaches.

    `session` is bound to that owner; nothing here can name another one. Of a `separate_approver`,
    who lets a flow wait may not resume it.
    """

    route_id: RouteId
    path: str
    session: OwnerSession = field(repr=False)
    controller_id: str
    identify: Identify = field(repr=False)
    limits: RouteLimits = field(factory=RouteLimits)
    separate_approver: bool = False


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
