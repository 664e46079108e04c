"""Refused calls to write and to look for, and what is read back of them."""

from __future__ import annotations

from pathlib import Path
from typing import Final, NoReturn

from adapters.store import read_refusals
from domain.flow.ids import FlowId, KeyId, RequestId, RouteId
from domain.history.refused_requests import DAY, RefusedRequest, Wanted

MONDAY: Final = 1_795_392_000_000
"""2026-11-23T00:00:00Z"""

NOON: Final = MONDAY + DAY // 2
ALL: Final = Wanted()


def a_call(  # noqa: PLR0913 - the fields of a call, but for those that no test asks for
    number: int,
    *,
    at: int = NOON,
    route_id: RouteId = RouteId("zapier"),
    key_id: KeyId = KeyId("june"),
    code: str = "terminal",
    flow_id: FlowId | None = None,
) -> RefusedRequest:
    """Return a refused call whose request has a number."""
    return RefusedRequest(
        at=at,
        route_id=route_id,
        key_id=key_id,
        action="set_waiting",
        code=code,
        flow_id=flow_id,
        request_id=RequestId(f"request-{number}"),
        remote_address="192.0.2.10",
    )


def url_of(folder: Path) -> str:
    """Return the URL of a store in a folder."""
    return f"sqlite:///{folder}/flows.db"


def sums(url: str) -> tuple[int, int, int]:
    """Return how many refused calls were counted, are kept, and were dropped."""
    totals = read_refusals(url).totals(ALL)
    return (
        sum(total.counted for total in totals),
        sum(total.kept for total in totals),
        sum(total.dropped for total in totals),
    )


def kept_requests(url: str) -> list[str]:
    """Return the requests of all calls that are kept, the newest first."""
    page = read_refusals(url).page(ALL, limit=1_000_000)
    return [kept.call.request_id for kept in page.calls]


def no_fault(fault: Exception) -> NoReturn:
    """Fail for a fault where none is due; what was noted is then missing."""
    raise AssertionError(fault)
