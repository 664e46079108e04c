"""Events as NDJSON: one JSON object a line, in UTF-8, in the order of the log."""

from __future__ import annotations

from typing import IO

from adapters.audit.export.writing import embedded, watched, write_lines
from domain.application.ports import Progress
from domain.history.audit_log import AuditLog, LogEntry
from domain.history.flow_heads import FlowHeads
from domain.history.published import Published, published_record
from domain.history.reading import read_entry
from domain.history.selection import Selection


def write_ndjson(
    audit_log: AuditLog, selection: Selection, sink: IO[bytes], *, progress: Progress
) -> int:
    """Write the selected events, and return how many there are.

    Raises:
        Unreadable: if one of them is not what we wrote.
        BrokenHistory: if the event that created its flow is missing.
    """
    heads = FlowHeads(audit_log)

    def line(entry: LogEntry) -> Published:
        record = read_entry(audit_log, entry)
        return {
            "position": entry.position,
            "flowId": entry.flow_id,
            "version": entry.version,
            "revision": heads.after(record).revision,
            "name": entry.name,
            **published_record(record, embedded),
        }

    return write_lines(watched(audit_log, selection, progress), sink, line)
