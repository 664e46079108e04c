"""Where each flow stands while a log is read, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import reduce
from typing import Final

from domain.audit.standing import standing_after
from domain.flow import Flow
from domain.records import Record

MOST_FLOWS: Final = 50_000
"""About 35 MB."""


class Standings:
    """Follows the flows of a log; those not heard of for long are forgotten, and read again.

    `earlier` returns the records of a flow before a given one: what a forgotten flow, or one
    whose log is read from the middle, is folded from again.
    """

    def __init__(self, earlier: Callable[[Record], Iterable[Record]]) -> None:
        self._earlier = earlier
        self._flows: dict[str, Flow] = {}

    def after(self, record: Record) -> Flow:
        """Return where a flow stands after a record, the next one of it in the log."""
        before = self._flows.pop(record.flow_id, None)
        if before is None and record.version > 1:
            before = reduce(standing_after, self._earlier(record), before)
        flow = standing_after(before, record)
        self._flows[record.flow_id] = flow
        if len(self._flows) > MOST_FLOWS:
            del self._flows[next(iter(self._flows))]
        return flow
