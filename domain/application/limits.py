"""What a caller may ask for."""

from __future__ import annotations

from attrs import frozen


@frozen(kw_only=True)
class RouteLimits:
    """The sizes (in bytes) and rates that bound one caller of one route.

    `rate_requests` in each fixed window of `rate_window_seconds`, and `in_flight` at once, are for
    one route and one caller. An answer with a list in it ends at `answer_bytes`. What begins with
    `unverified` bounds a signed request until its signature is verified, which needs its body.
    With `announce_rate`, answers say how much of the rate is left.
    """

    body_bytes: int = 262_144
    answer_bytes: int = 8 << 20
    rate_requests: int = 120
    rate_window_seconds: float = 60.0
    in_flight: int = 8
    unverified_body_bytes: int = 65_536
    unverified_body_seconds: float = 5.0
    unverified_in_flight: int = 4
    announce_rate: bool = False


@frozen(kw_only=True)
class Limits(RouteLimits):
    """What bounds all callers: each route's limits where it sets none, and the server's own.

    `head_seconds` and `body_seconds` are the time in total for a request's head and for its body.
    `tracked_keys` bounds how many pairs of a route and a caller are remembered; callers at
    addresses of version 6 that share their first `ipv6_prefix` bits are one.
    `unverified_total` bounds the signed requests of all callers that are not verified yet.
    """

    body_seconds: float = 15.0
    head_seconds: float = 15.0
    tracked_keys: int = 4096
    unverified_total: int = 64
    ipv6_prefix: int = 64
