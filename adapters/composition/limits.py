"""A route's limits, as one room and another hold them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from domain.application.limits import Limits

T = TypeVar("T")


def limits_as(kind: Callable[..., T], limits: Limits) -> T:
    """Return limits as values of another kind with the same fields."""
    return kind(
        body_bytes=limits.body_bytes,
        answer_bytes=limits.answer_bytes,
        rate_requests=limits.rate_requests,
        rate_window_seconds=limits.rate_window_seconds,
        in_flight=limits.in_flight,
    )
