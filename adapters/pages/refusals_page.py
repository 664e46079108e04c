"""What callers were refused: the calls that are form_values, and the counts of all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import falcon
from attrs import evolve, frozen
from falcon import Request, Response

from adapters.pages.dependencies import PageDependencies
from adapters.pages.query import FormFields, Misread, Reader, form_values, read_cursor, read_fields
from adapters.pages.rendering import render_page
from domain.flow.ids import KeyId, RouteId
from domain.history.as_of import parse_time
from domain.history.refused_requests import (
    RefusalLog,
    RefusalPage,
    RefusalTotal,
    TurnedAwayTotal,
    Wanted,
    adds_up,
)

PAGE: Final = 50

_READERS: Final[Mapping[str, Reader]] = {
    "route_id": str,
    "key_id": str,
    "code": str,
    "flow_id": str,
    "since": parse_time,
    "until": parse_time,
    "before": read_cursor,
}


@frozen
class RefusalSum:
    """How often something was refused, over the days that were asked for."""

    route_id: RouteId
    key_id: KeyId | None
    code: str
    counted: int = 0
    dropped: int = 0
    adds_up: bool = True


@frozen
class RefusalsPage:
    """`GET /refusals`: what a form asks for of what was refused."""

    given: PageDependencies

    def on_get(self, req: Request, resp: Response) -> None:
        """Show it."""
        fields = {name: req.get_param(name) or "" for name in _READERS}
        read = read_fields(fields, _READERS)
        if isinstance(read, Misread):
            resp.status = falcon.HTTP_400
            resp.text = _page(fields, read.problems, RefusalPage(calls=(), next_cursor=None), ())
            return
        before = read.pop("before", None)
        wanted, refusals = Wanted(**read), self.given.refusals
        found = refusals.page(wanted, limit=PAGE, before=before)
        resp.text = _page(fields, {}, found, _totals(refusals, wanted))

    on_head = on_get


def _page(
    fields: FormFields, problems: FormFields, found: RefusalPage, totals: Sequence[RefusalSum]
) -> str:
    return render_page(
        "refusals.html",
        {
            "nav": "refusals",
            **form_values("/refusals", fields, problems, found.next_cursor),
            "found": found,
            "totals": totals,
        },
    )


def _totals(refusals: RefusalLog, wanted: Wanted) -> Sequence[RefusalSum]:
    """Return the totals over all days, the most frequent first; they know no flows."""
    if wanted.flow_id is not None:
        return ()
    strangers = () if wanted.key_id is not None else refusals.turned_away(wanted)
    totals = [*summed(refusals.totals(wanted)), *_summed_strangers(strangers)]
    return sorted(totals, key=lambda total: -total.counted)


def summed(totals: Iterable[RefusalTotal]) -> Iterable[RefusalSum]:
    """Return the totals of days as totals over all of them."""
    sums: dict[tuple[str, str, str], RefusalSum] = {}
    for day in totals:
        key = (day.route_id, day.key_id, day.code)
        known = sums.get(key) or RefusalSum(day.route_id, day.key_id, day.code)
        sums[key] = evolve(
            known,
            counted=known.counted + day.counted,
            dropped=known.dropped + day.dropped,
            adds_up=known.adds_up and adds_up(day),
        )
    return sums.values()


def _summed_strangers(totals: Iterable[TurnedAwayTotal]) -> Iterable[RefusalSum]:
    sums: Counter[tuple[RouteId, str]] = Counter()
    for day in totals:
        sums[day.route_id, day.code] += day.counted
    for (route_id, code), counted in sums.items():
        yield RefusalSum(route_id, None, code, counted)
