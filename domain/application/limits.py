"""What a caller may ask for."""

from __future__ import annotations

from attrs import frozen


@frozen(kw_only=True)
class Limits:
    """The sizes (in bytes), times and rates that bound one caller.

    `rate_requests` in each fixed window of `rate_window_seconds`, and `in_flight` at once, are for
    one route and one caller; `tracked_keys` bounds how many such pairs are remembered, and callers
    at addresses of version 6 that share their first `ipv6_prefix` bits are one. An answer with a
    list in it ends at `answer_bytes`. `head_seconds` and `body_seconds` are the time in total for a
    request's head and for its body.
    """

    body_bytes: int = 262_144
    answer_bytes: int = 8 << 20
    body_seconds: float = 15.0
    head_seconds: float = 15.0
    rate_requests: int = 120
    rate_window_seconds: float = 60.0
    in_flight: int = 8
    tracked_keys: int = 4096
    ipv6_prefix: int = 64
