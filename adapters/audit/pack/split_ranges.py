"""Splits a log into the events that go into a pack and the ranges that stand for the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import IO

import orjson
from attrs import Factory, define

from adapters.audit.pack.archive import MemberWriter
from adapters.audit.pack.verifier.events import PackedEvent, add_version
from adapters.audit.pack.verifier.forms import encode_base64
from domain.history.audit_log import LogEntry
from domain.tlog.leaves import entry_hash
from domain.tlog.omitted_ranges import OmittedEvents


@define
class RangeSplitter:
    """Writes each event as it passes to where it belongs; `taken` counts those for the pack.

    No range goes beyond one of `sizes`, so that the root is known there.
    """

    chosen: Iterator[LogEntry]
    sizes: set[int]
    events: MemberWriter
    ranges: IO[bytes]
    oldest: int | None
    """The version that each flow begins with, None if any will do."""
    taken: int = 0
    flows: dict[str, tuple[int, int]] = Factory(dict)
    gap: str | None = None
    """What is wrong with the versions of a flow, if anything is."""

    def pass_through(self, entries: Iterable[LogEntry]) -> Iterator[LogEntry]:
        """Split some events, the log's first ones, in order."""
        due, omitted = next(self.chosen, None), OmittedEvents()
        for entry in entries:
            if due is not None and due.position == entry.position:
                omitted = self._close(omitted)
                self._take(entry)
                due = next(self.chosen, None)
            else:
                omitted.add(entry.position, entry_hash(entry))
            if entry.position in self.sizes:
                omitted = self._close(omitted)
            yield entry

    def _take(self, entry: LogEntry) -> None:
        event = PackedEvent(entry.position, entry.flow_id, entry.version, entry.name, entry.state)
        self.gap = add_version(self.flows, event, self.oldest) or self.gap
        self.events.write(event.line())
        self.taken += 1

    def _close(self, omitted: OmittedEvents) -> OmittedEvents:
        for one in omitted.ranges():
            document = {"first": one.first, "last": one.last, "hash": encode_base64(one.hash)}
            self.ranges.write(orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE))
        return OmittedEvents()
