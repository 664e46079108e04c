"""What a caller may ask of the gateway: sizes, times and rates, for all routes and for one."""

from __future__ import annotations

from typing import Final

from attrs import evolve

from adapters.settings.fields import Members
from domain.application.limits import Limits

_KEYS: Final = (
    *("bodyBytes", "bodySeconds", "headSeconds", "rateRequests", "rateWindowSeconds"),
    *("inFlight", "trackedKeys", "answerBytes", "ipv6Prefix"),
)
_ROUTE_KEYS: Final = ("bodyBytes", "rateRequests", "rateWindowSeconds", "inFlight", "answerBytes")
_MOST_BODY_BYTES: Final = 16 << 20
_MOST_ANSWER_BYTES: Final = 16 << 20


def read_limits(taskflow: Members) -> Limits:
    """Read `taskflow.limits`."""
    block = taskflow.object("limits", _KEYS)
    default = Limits()
    return evolve(
        _of_route(block, default, most_body_bytes=_MOST_BODY_BYTES),
        body_seconds=block.seconds("bodySeconds", default=default.body_seconds, low=0.1, high=3600),
        head_seconds=block.seconds("headSeconds", default=default.head_seconds, low=0.1, high=3600),
        tracked_keys=block.whole_number(
            "trackedKeys", default=default.tracked_keys, low=1, high=1_000_000
        ),
        ipv6_prefix=block.whole_number("ipv6Prefix", default=default.ipv6_prefix, low=32, high=128),
    )


def read_route_limits(route: Members, general: Limits) -> Limits:
    """Read a route's own `limits`; its body may be smaller than `general` says, not larger.

    NOTE: what is larger is refused before anybody knows for which route it is.
    """
    block = route.object("limits", _ROUTE_KEYS)
    return _of_route(block, general, most_body_bytes=general.body_bytes)


def _of_route(block: Members, default: Limits, *, most_body_bytes: int) -> Limits:
    return evolve(
        default,
        body_bytes=block.whole_number(
            "bodyBytes", default=default.body_bytes, low=1, high=most_body_bytes
        ),
        rate_requests=block.whole_number(
            "rateRequests", default=default.rate_requests, low=1, high=1_000_000
        ),
        rate_window_seconds=block.seconds(
            "rateWindowSeconds", default=default.rate_window_seconds, low=0.1, high=86_400
        ),
        answer_bytes=block.whole_number(
            "answerBytes", default=default.answer_bytes, low=65_536, high=_MOST_ANSWER_BYTES
        ),
        in_flight=block.whole_number("inFlight", default=default.in_flight, low=1, high=10_000),
    )
