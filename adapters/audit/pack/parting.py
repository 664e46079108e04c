"""Parts a log into the events that go into a pack and the stretches that stand for the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import IO

import orjson
from attrs import Factory, define

from adapters.audit.keys import encoded
from adapters.audit.pack.archive import Inside
from adapters.audit.pack.verify import Event, add_version, line
from domain.history.audit_log import LogEntry
from domain.tlog.leaves import entry_hash
from domain.tlog.omitted_ranges import OmittedEvents


@define
class Parting:
    """Writes each event as it passes to where it belongs; `taken` counts those for the pack.

    No stretch goes beyond one of `sizes`, so that the root is known there.
    """

    chosen: Iterator[LogEntry]
    sizes: set[int]
    events: Inside
    stretches: IO[bytes]
    oldest: int | None
    """The version that each flow begins with, None if any will do."""
    taken: int = 0
    flows: dict[str, tuple[int, int]] = Factory(dict)
    gap: str | None = None
    """What is wrong with the versions of a flow, if anything is."""

    def pass_through(self, entries: Iterable[LogEntry]) -> Iterator[LogEntry]:
        """Part some events, the log's first ones, in order."""
        due, gap = next(self.chosen, None), OmittedEvents()
        for entry in entries:
            if due is not None and due.position == entry.position:
                gap = self._closed(gap)
                self._take(entry)
                due = next(self.chosen, None)
            else:
                gap.add(entry.position, entry_hash(entry))
            if entry.position in self.sizes:
                gap = self._closed(gap)
            yield entry

    def _take(self, entry: LogEntry) -> None:
        event = Event(entry.position, entry.flow_id, entry.version, entry.name, entry.state)
        self.gap = add_version(self.flows, event, self.oldest) or self.gap
        self.events.write(line(event))
        self.taken += 1

    def _closed(self, gap: OmittedEvents) -> OmittedEvents:
        for one in gap.ranges():
            document = {"first": one.first, "last": one.last, "hash": encoded(one.hash)}
            self.stretches.write(orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE))
        return OmittedEvents()
