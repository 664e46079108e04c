"""Refused calls and their totals as tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from attrs import frozen
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from adapters.cli.tables import REST, folded, table
from adapters.cli.terminal import Terminal
from adapters.presentation.http_status import http_status
from adapters.presentation.printable import counted, printable, to_the_millisecond, to_the_second
from domain.flow.ids import KeyId, RouteId
from domain.flow.values import Timestamp
from domain.history.refused_requests import (
    KeptCall,
    RefusalPage,
    RefusalTotal,
    TurnedAwayTotal,
    adds_up,
)

_NUMBER: Final = 11


@frozen(kw_only=True)
class Found:
    """What there is to show; without totals where these would not be those of what is asked."""

    page: RefusalPage
    totals: Sequence[RefusalTotal] | None = None
    turned_away: Sequence[TurnedAwayTotal] = ()


def tell(found: Found, terminal: Terminal) -> None:
    """Show a page of refused calls, and the totals, as tables."""
    parts = list(_parts(found))
    if parts:
        terminal.show(*parts)
    else:
        terminal.say("No refusals.")


def _parts(found: Found) -> Iterator[RenderableType]:
    if found.page.calls:
        yield _calls(found.page.calls)
        yield Text(_ending(found.page))
    if found.totals:
        yield _totals(found.totals)
    if found.turned_away:
        yield _turned_away(found.turned_away)
    for total in found.totals or ():
        if not adds_up(total):
            yield Text(_complaint(total))


def _calls(calls: Sequence[KeptCall]) -> Table:
    columns = {"When, answer, from": 26, "Route, key": REST, "Action, flow, request": 36}
    shown = table("Refused calls", columns)
    for call in (kept.call for kept in calls):
        shown.add_row(
            folded(
                to_the_millisecond(call.at),
                f"{http_status(call.code)} {call.code}",
                *filter(None, [call.remote_address]),
            ),
            folded(call.route_id, call.key_id),
            folded(call.action, call.flow_id or "-", call.request_id),
        )
    return shown


def _ending(page: RefusalPage) -> str:
    shown = counted(len(page.calls), "refused call")
    if page.next_cursor is None:
        return f"{shown}."
    return f"{shown}, and there are more: --cursor {page.next_cursor}"


def _totals(totals: Sequence[RefusalTotal]) -> Table:
    columns = {
        "Route, key": REST,
        "Code": 23,
        **dict.fromkeys(("Counted", "Kept", "Dropped"), _NUMBER),
    }
    shown = table(f"Totals, {_days(total.day for total in totals)}", columns)
    sums: Counter[tuple[tuple[RouteId, KeyId, str], str]] = Counter()
    for total in totals:
        group = total.route_id, total.key_id, total.code
        sums[group, "counted"] += total.counted
        sums[group, "kept"] += total.kept
        sums[group, "dropped"] += total.dropped
    for group in sorted({group for group, _ in sums}):
        route_id, key_id, code = group
        numbers = (f"{sums[group, what]:,}" for what in ("counted", "kept", "dropped"))
        shown.add_row(folded(route_id, key_id), folded(code), *numbers)
    return shown


def _turned_away(totals: Sequence[TurnedAwayTotal]) -> Table:
    columns = {"Route": REST, "Code": 23, "Counted": _NUMBER}
    shown = table(f"Not let in, {_days(total.day for total in totals)}", columns)
    sums: Counter[tuple[str, str]] = Counter()
    for total in totals:
        sums[total.route_id, total.code] += total.counted
    for (route_id, code), count in sorted(sums.items()):
        shown.add_row(folded(route_id), folded(code), f"{count:,}")
    return shown


def _days(days: Iterable[Timestamp]) -> str:
    known = sorted(days)
    first, last = _date(known[0]), _date(known[-1])
    return first if first == last else f"{first} to {last}"


def _date(day: Timestamp) -> str:
    return to_the_second(day).partition("T")[0]


def _complaint(total: RefusalTotal) -> str:
    what = f"{_date(total.day)}, {total.route_id}, {total.key_id}, {total.code}"
    sums = f"{total.counted:,} counted, {total.kept:,} kept, {total.dropped:,} dropped"
    return printable(f"{what} does not add up: {sums}. Somebody has changed the log.")
