"""How events are written out: one after the other, into any stream of bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import IO, Final

import orjson
from orjson import Fragment

from domain.application.ports import Progress
from domain.flow.values import Json
from domain.history.audit_log import AuditLog, LogEntry
from domain.history.selection import Selection, selected

_STEP: Final = 500
"""Progress is reported after so many events."""


def write_lines(
    entries: Iterator[LogEntry], sink: IO[bytes], line_of: Callable[[LogEntry], object]
) -> int:
    """Write a JSON document a line for each event, and return how many there are."""
    count = 0
    for count, entry in enumerate(entries, 1):  # noqa: B007 - it is the number of lines
        sink.write(orjson.dumps(line_of(entry), option=orjson.OPT_APPEND_NEWLINE))
    return count


def watched(audit_log: AuditLog, selection: Selection, progress: Progress) -> Iterator[LogEntry]:
    """Return the selected events, and report meanwhile how far in the log it is."""
    total = selection.last - selection.first + 1
    for count, entry in enumerate(selected(audit_log, selection)):
        if count % _STEP == 0:
            progress(entry.position - selection.first, total)
        yield entry
    progress(total, total)


def embedded(value: Json) -> Fragment:
    """Pass a caller's JSON through as it was sent, integers of any length and all."""
    return Fragment(value.text)
