"""Finding flows: by the store's index where it can, else by looking at one after another.

No index knows goals or times of creation. So flows are looked at from the newest to the oldest,
as far as their times allow, for a bounded time a request; a page says how many were looked at, and
its cursor goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from attrs import define, field, frozen

from adapters.pages.log_search import SLACK, position_after
from adapters.pages.query import FlowQuery
from domain.flow.state import Flow
from domain.history.audit_log import AuditLog

PAGE: Final = 50
BUDGET_SECONDS: Final = 0.25
"""For how long one request goes on looking."""

_FIRST_CHUNK: Final = 100
_MOST_CHUNK: Final = 3200
_QUICK_SECONDS: Final = 0.04
"""A chunk that took less is followed by one of twice its size.

PERF: without an owner each chunk costs a walk over the index, 20 ms of 100,000 flows; a state may
have 256 KiB, so that large chunks of large flows would cost gigabytes.
"""


@frozen(kw_only=True)
class FoundFlows:
    """Some flows, newest first, how many were looked at for them, and the cursor of the rest."""

    flows: Sequence[Flow]
    looked_at: int
    next_cursor: int | None


def search(audit_log: AuditLog, query: FlowQuery, seconds: Callable[[], float]) -> FoundFlows:
    """Return one page of the flows that a query asks for."""
    if not query.needs_a_look:
        page = audit_log.page(query.owner, limit=PAGE, before=query.before, status=query.status)
        return FoundFlows(flows=page.flows, looked_at=len(page.flows), next_cursor=page.next_cursor)
    return _Look(audit_log, query, seconds).found()


@define
class _Look:
    audit_log: AuditLog
    query: FlowQuery
    seconds: Callable[[], float]
    _found: list[Flow] = field(factory=list, init=False)
    _looked_at: int = field(default=0, init=False)

    def found(self) -> FoundFlows:
        """Look until a page is full, the time is up, or all flows were seen."""
        deadline = self.seconds() + BUDGET_SECONDS
        cursor, size = self._begin(), _FIRST_CHUNK
        while True:
            began = self.seconds()
            page = self.audit_log.page(
                self.query.owner, limit=size, before=cursor, status=self.query.status
            )
            cursor = None if self._is_past(page.flows) else page.next_cursor
            if last := self._take(page.flows):
                return self._so_far(self._cursor_after(last, page.flows, cursor))
            now = self.seconds()
            if cursor is None or now >= deadline:
                return self._so_far(cursor)
            if now - began < _QUICK_SECONDS:
                size = min(2 * size, _MOST_CHUNK)

    def _begin(self) -> int | None:
        """Return where to begin: after a time of creation that is too late anyway."""
        query = self.query
        if query.before is not None or query.until is None:
            return query.before
        return position_after(self.audit_log, query.until + SLACK)

    def _is_past(self, flows: Sequence[Flow]) -> bool:
        """Say whether all that is older than some flows was created too early."""
        since = self.query.since
        return bool(flows) and since is not None and flows[-1].created_at < since - SLACK

    def _take(self, flows: Sequence[Flow]) -> Flow | None:
        """Take what matches; return the flow that fills the page, if one does."""
        for flow in flows:
            self._looked_at += 1
            if self.query.matches(flow):
                self._found.append(flow)
                if len(self._found) == PAGE:
                    return flow
        return None

    def _cursor_after(self, last: Flow, flows: Sequence[Flow], cursor: int | None) -> int | None:
        if last is flows[-1]:
            return cursor
        index = self.audit_log.examine(last.flow_id).index
        return cursor if index is None else index.position

    def _so_far(self, cursor: int | None) -> FoundFlows:
        return FoundFlows(flows=self._found, looked_at=self._looked_at, next_cursor=cursor)
