"""Refused calls and their totals as tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, TypeAlias

from attrs import frozen
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from adapters.cli.tables import REST, folded, list_end, table
from adapters.cli.terminal import Terminal
from adapters.presentation.answer_codes import http_status
from adapters.presentation.printable import printable, to_the_millisecond, to_the_second
from domain.flow.values import Timestamp
from domain.history.refused_requests import (
    KeptCall,
    RefusalPage,
    RefusalTotal,
    TurnedAwayTotal,
    adds_up,
)

_NUMBER: Final = 11

_Row: TypeAlias = tuple[tuple[str, ...], str, tuple[int, ...]]
"""Who was refused, the code, and how often."""


@frozen(kw_only=True)
class FoundRefusals:
    """What there is to show; without totals where these would not be those of what is asked."""

    page: RefusalPage
    totals: Sequence[RefusalTotal] | None = None
    turned_away: Sequence[TurnedAwayTotal] = ()


def show_refusals(found: FoundRefusals, terminal: Terminal) -> None:
    """Show a page of refused calls, and the totals, as tables."""
    parts = list(_parts(found))
    if parts:
        terminal.show(*parts)
    else:
        terminal.say("No refusals.")


def _parts(found: FoundRefusals) -> Iterator[RenderableType]:
    if found.page.calls:
        yield _calls(found.page.calls)
        yield Text(list_end(len(found.page.calls), "refused call", found.page.next_cursor))
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


def _totals(totals: Sequence[RefusalTotal]) -> Table:
    rows = (
        ((total.route_id, total.key_id), total.code, (total.counted, total.kept, total.dropped))
        for total in totals
    )
    title = f"Totals, {_days(total.day for total in totals)}"
    return _sums(title, "Route, key", ("Counted", "Kept", "Dropped"), rows)


def _turned_away(totals: Sequence[TurnedAwayTotal]) -> Table:
    rows = (((total.route_id,), total.code, (total.counted,)) for total in totals)
    return _sums(f"Not let in, {_days(total.day for total in totals)}", "Route", ("Counted",), rows)


def _sums(title: str, who: str, what: Sequence[str], rows: Iterable[_Row]) -> Table:
    shown = table(title, {who: REST, "Code": 23, **dict.fromkeys(what, _NUMBER)})
    sums: dict[tuple[tuple[str, ...], str], tuple[int, ...]] = {}
    for names, code, numbers in rows:
        known = sums.get((names, code), (0,) * len(numbers))
        sums[names, code] = tuple(map(sum, zip(known, numbers, strict=True)))
    for (names, code), numbers in sorted(sums.items()):
        shown.add_row(folded(*names), folded(code), *(f"{number:,}" for number in numbers))
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
