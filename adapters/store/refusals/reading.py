"""The refusals of a store, read beside their writer."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence

from attrs import frozen

from adapters.store.refusals import schema
from adapters.store.refusals.buffer import day
from adapters.store.refusals.file import page_of
from adapters.store.refusals.place import SidePlace, existing_side_place
from domain.flow.ids import FlowId
from domain.history.refused_requests import (
    KeptCall,
    RefusalPage,
    RefusalTotal,
    RefusedRequest,
    TurnedAwayTotal,
    Wanted,
)


def read_refusals(url: str) -> StoredRefusals:
    """Return the refusals of a store; none if it has no log of them.

    Raises:
        StoreFault: if the store is in memory, where nobody else can read it.
    """
    return StoredRefusals(existing_side_place(url, "a store in memory keeps no refusals"))


@frozen
class StoredRefusals:
    """A refusal log, which may not be there yet: a `refused_requests.RefusalLog`."""

    place: SidePlace

    def of_flow(self, flow_id: FlowId, *, limit: int = 100) -> Sequence[RefusedRequest]:
        """Return at most `limit` of the refused calls that named a flow, newest first."""
        page = self.page(Wanted(flow_id=flow_id), limit=limit)
        return [kept.call for kept in page.calls]

    def page(self, wanted: Wanted, *, limit: int, before: int | None = None) -> RefusalPage:
        """Return at most `limit` refused calls, newest first, those numbered before a cursor."""
        conditions = {
            **_of_route(wanted),
            "key_id = ?": wanted.key_id,
            "flow_id = ?": wanted.flow_id,
            "at >= ?": wanted.since,
            "at < ?": wanted.until,
            "number < ?": before,
        }
        rows = self._rows(schema.SELECT_CALLS, conditions, limit + 1)
        shown, cursor = page_of(rows, limit)
        return RefusalPage(calls=[_kept(row) for row in shown], next_cursor=cursor)

    def totals(self, wanted: Wanted) -> Sequence[RefusalTotal]:
        """Return the totals by day, route, key and code, of each day that is touched."""
        conditions = {**_of_route(wanted), "key_id = ?": wanted.key_id, **_of_days(wanted)}
        return [RefusalTotal(**row) for row in self._rows(schema.SELECT_TOTALS, conditions)]

    def turned_away(self, wanted: Wanted) -> Sequence[TurnedAwayTotal]:
        """Return the totals by day, route and code of those who were not let in."""
        conditions = {**_of_route(wanted), **_of_days(wanted)}
        rows = self._rows(schema.SELECT_TURNED_AWAY, conditions)
        return [TurnedAwayTotal(**row) for row in rows]

    def _rows(
        self, query: str, conditions: Mapping[str, object], *params: object
    ) -> Sequence[sqlite3.Row]:
        given = {text: value for text, value in conditions.items() if value is not None}
        where = f" WHERE {' AND '.join(given)}" if given else ""
        bound = (*given.values(), *params)
        return self.place.select("refused_calls", query.format(where=where), *bound)


def _of_route(wanted: Wanted) -> Mapping[str, object]:
    return {"route_id = ?": wanted.route_id, "code = ?": wanted.code}


def _of_days(wanted: Wanted) -> Mapping[str, object]:
    since = None if wanted.since is None else day(wanted.since)
    return {"day >= ?": since, "day < ?": wanted.until}


def _kept(row: sqlite3.Row) -> KeptCall:
    fields = dict(row)
    del fields["status"]  # for those who read the file; it follows from the code
    return KeptCall(number=fields.pop("number"), call=RefusedRequest(**fields))
