"""What a caller may ask for: `taskflow.limits` for all routes, and `limits` of a route."""

from __future__ import annotations

from typing import Annotated, Final, TypeAlias

from attrs import asdict, fields, filters

from adapters.settings.nodes import Node
from adapters.settings.shared_limits import SharedLimitsConfig
from adapters.settings.structure import Between, read_members
from domain.application.limits import Limits, RouteLimits

_Patience: TypeAlias = Annotated[float, Between(0.1, 3600, "seconds")]

_OF_ROUTE: Final[dict[str, object]] = {
    "body_bytes": Annotated[int, Between(1, 16 << 20)],
    "rate_requests": Annotated[int, Between(1, 1_000_000)],
    "rate_window_seconds": Annotated[float, Between(0.1, 86_400, "seconds")],
    "in_flight": Annotated[int, Between(1, 10_000)],
    "answer_bytes": Annotated[int, Between(65_536, 16 << 20)],
    "unverified_body_bytes": Annotated[int, Between(1, 16 << 20)],
    "unverified_body_seconds": _Patience,
    "unverified_in_flight": Annotated[int, Between(1, 10_000)],
    "announce_rate": bool,
}
_OF_ALL: Final[dict[str, object]] = {
    **_OF_ROUTE,
    "body_seconds": _Patience,
    "head_seconds": _Patience,
    "tracked_keys": Annotated[int, Between(1, 1_000_000)],
    "ipv6_prefix": Annotated[int, Between(32, 128)],
    "unverified_total": Annotated[int, Between(1, 10_000)],
}


def read_limits(node: Node) -> tuple[Limits, SharedLimitsConfig | None]:
    """Read `taskflow.limits`: what a caller may ask for, and where that is counted together."""
    found = read_members(node, {**_OF_ALL, "shared": SharedLimitsConfig})
    shared = found.pop("shared", None)
    return Limits(**found), shared


def read_route_limits(node: Node, general: Limits) -> RouteLimits:
    """Read a route's own `limits`; its body may be smaller than `general` says, not larger.

    NOTE: what is larger is refused before anybody knows for which route it is.
    """
    body_bytes = Annotated[int, Between(1, general.body_bytes)]
    inherited = asdict(general, filter=filters.include(*fields(RouteLimits)))
    own = read_members(node, {**_OF_ROUTE, "body_bytes": body_bytes})
    return RouteLimits(**{**inherited, **own})
