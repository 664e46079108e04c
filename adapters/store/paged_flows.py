"""What callers and operators are shown of flows: one, the latest, or a page of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from eventsourcing.persistence import StoredEvent

from adapters.presentation.wire_json import render_flow
from adapters.store import schema
from adapters.store.application import FlowApplication
from adapters.store.codec import Undecodable
from adapters.store.database import DatabaseCursor
from adapters.store.faults import translated
from adapters.store.lists import page_query
from adapters.store.names import SNAPSHOT
from adapters.store.snapshot import LoadRows
from adapters.store.values import filled, with_values
from adapters.store.views import sound_json
from domain.application.ports import ListFilter, Page, itself
from domain.flow.evolve import BrokenHistory
from domain.flow.ids import FlowId, Owner
from domain.flow.state import Flow
from domain.flow.status import FlowStatus

T = TypeVar("T")


class PagedFlows:
    """The flows of an application, in the order of creation; the part of a store that shows them.

    What is shown comes from derived rows, and from the events where a row is not right.
    """

    def __init__(self, application: FlowApplication) -> None:
        self.application = application

    def find_json(self, owner: Owner, flow_id: FlowId) -> bytes | None:
        """Return what callers are shown of an owner's flow; a foreign one costs what none costs."""
        return self._one_json(schema.VIEW_OF, owner, (flow_id, owner))

    def latest_json(self, owner: Owner) -> bytes | None:
        """Return what callers are shown of the flow that an owner created last."""
        return self._one_json(schema.LATEST_VIEW, owner, (owner,))

    def page_json(
        self,
        owner: Owner,
        *,
        limit: int,
        before: int | None,
        only: ListFilter,
        add: Callable[[bytes], bool],
    ) -> FlowId | None:
        """Hand over what callers are shown of flows, and return the last if others follow.

        PERF: one row at a time is read, as each may be as large as a body.
        """
        query, params = page_query(owner, limit + 1, before, only, None)
        last: FlowId | None = None
        with translated(), self.application.datastore.one_statement() as cursor:
            cursor.execute(query, params)
            for number, (flow_id, _, version, check, json) in enumerate(cursor):
                if number == limit:
                    return last
                # PERF: nearly all rows are right, and a call less is a twelfth of a long page.
                text = sound_json(owner, flow_id, version, check, json)
                if text is None or b"\0" in text:
                    text = self._json(cursor, owner, flow_id, (version, check, json))
                if text is not None and not add(text):
                    return last
                last = last if text is None else flow_id
        return None

    def latest(self, owner: Owner) -> Flow | None:
        """Return the flow that an owner created last."""
        flows = self.page(owner, limit=1, before=None, status=None, show=itself).flows
        return flows[0] if flows else None

    def page(
        self,
        owner: Owner | None,
        *,
        limit: int,
        before: int | None,
        status: FlowStatus | None,
        show: Callable[[Flow], T],
    ) -> Page[T]:
        """Return what is shown of flows, newest first; of all owners (for operators) if None.

        They are without tasks. PERF: one at a time is read, as each may be as large as a body.
        """
        columns = "SELECT i.flow_id, i.position FROM flow_index AS i"
        only = ListFilter(status=status)
        query, params = page_query(owner, limit + 1, before, only, columns)
        shown: list[T] = []
        last: int | None = None
        with translated(), self.application.datastore.reading() as cursor:
            cursor.execute(query, params)
            for number, (flow_id, position) in enumerate(cursor.fetchall()):
                if number == limit:
                    return Page(flows=shown, next_cursor=last)
                flow = self._listed(cursor, owner, flow_id)
                shown += [] if flow is None else [show(flow)]
                # NOTE: of a damaged row a position may be no number; such rows come first.
                last = position if isinstance(position, int) else last
        return Page(flows=shown, next_cursor=None)

    def position_of(self, owner: Owner, flow_id: FlowId) -> int | None:
        """Return where an owner's flow stands in the order of creation; it never changes."""
        with translated(), self.application.datastore.one_statement() as cursor:
            row = cursor.execute(schema.SELECT_POSITION, (flow_id, owner)).fetchone()
        return None if row is None else int(row["position"])

    def _one_json(self, query: str, owner: Owner, params: tuple[str, ...]) -> bytes | None:
        with translated(), self.application.datastore.one_statement() as cursor:
            row = cursor.execute(query, params).fetchone()
            if row is None:
                return None
            flow_id, _, version, check, json, latest = row
            found = (version, check, json if version == latest else None)
            return self._json(cursor, owner, flow_id, found)

    def _json(
        self,
        cursor: DatabaseCursor,
        owner: Owner,
        flow_id: FlowId,
        found: tuple[object, object, object],
    ) -> bytes | None:
        """Return the JSON of a row of the view, or of the flow itself if the row is not right."""
        text = sound_json(owner, flow_id, *found)
        if text is not None and b"\0" in text:
            text = filled(self.application.datastore.beside(cursor), flow_id, text)
        if text is not None:
            return text
        flow = self.application.load_of(owner, flow_id)
        return None if flow is None else render_flow(flow)

    def _listed(self, cursor: DatabaseCursor, owner: Owner | None, flow_id: FlowId) -> Flow | None:
        """Return the flow of an index row; None of a row that is not of any flow of the owner."""
        cursor.execute(schema.SELECT_SNAPSHOT, (flow_id,))
        row = cursor.fetchone()
        flow = None if row is None else self._snapshot(cursor, flow_id, row)
        if flow is not None and owner in (None, flow.owner):
            return flow
        with translated():  # the snapshot is a cache: it was deleted or damaged
            if owner is None:
                return self.application.load(flow_id)
            return self.application.load_of(owner, flow_id)

    def _snapshot(self, cursor: DatabaseCursor, flow_id: FlowId, row: sqlite3.Row) -> Flow | None:
        return self._head(flow_id, row, partial(with_values, cursor))

    def _head(self, flow_id: FlowId, row: sqlite3.Row, load_rows: LoadRows = itself) -> Flow | None:
        stored = StoredEvent(flow_id, row["originator_version"], SNAPSHOT, row["state"])
        try:
            return self.application.snapshot_mapper.to_domain_event(stored).state(load_rows)
        except (Undecodable, BrokenHistory):
            return None
