"""Events as CloudEvents 1.0, each in the JSON event format, one a line, in the order of the log.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md (§2 types, §3 attributes),
.../formats/json-format.md (§3 envelope), .../extensions/{sequence,correlation}.md.

NOTE: the batch format is one JSON array, which few can read without holding all of it, and which
cannot be cut, joined or grepped. `jq -s .` makes a batch of these lines.
"""

from __future__ import annotations

import re
from typing import IO, Final

from adapters.audit.export.writing import embedded, watched, write_lines
from adapters.presentation.printable import rfc_3339
from domain.application.ports import Progress
from domain.application.recorded_events import ActorKind, Metadata
from domain.history.audit_log import AuditLog, LogEntry
from domain.history.published import Published, published, said
from domain.history.reading import read_entry
from domain.history.selection import Selection

_DIGITS: Final = 19
"""As many as the largest position has: sequences then sort as texts."""

_FORBIDDEN: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\ufdd0-\ufdef"
    + "".join(chr(plane << 16 | low) for plane in range(17) for low in (0xFFFE, 0xFFFF))
    + "]"
)
"""Control characters and noncharacters, which no attribute may hold."""


def write_cloud_events(
    audit_log: AuditLog, selection: Selection, sink: IO[bytes], *, source: str, progress: Progress
) -> int:
    """Write the selected events, and return how many there are.

    Raises:
        Unreadable: if one of them is not what we wrote.
    """
    return write_lines(
        watched(audit_log, selection, progress), sink, lambda e: _line(audit_log, e, source)
    )


def _line(audit_log: AuditLog, entry: LogEntry, source: str) -> Published:
    record = read_entry(audit_log, entry)
    data = published(said(record.event), embedded)
    attributes = {
        "id": f"{entry.flow_id}/{entry.version}",
        "source": source,
        "type": entry.name,
        "subject": entry.flow_id,
        "time": rfc_3339(data.pop("at")),
        "datacontenttype": "application/json",
        "sequence": f"{entry.position:0{_DIGITS}}",
        **_extensions(record.metadata),
    }
    given = {name: _allowed(text) for name, text in attributes.items() if text is not None}
    return {"specversion": "1.0", **given, "data": data}


def _extensions(metadata: Metadata) -> dict[str, str | None]:
    actor = metadata.actor
    who = "route" if actor.kind in {ActorKind.ROUTE, ActorKind.LINK} else "actor"
    return {
        "actorkind": actor.kind.value,
        who: actor.name,
        "keyid": actor.key_id,
        "requestid": metadata.request_id,
        "correlationid": metadata.correlation_id,
        "causationid": metadata.causation_id,
        "idempotencykey": metadata.idempotency_key,
        "requesthash": metadata.request_hash,
        "remoteaddress": metadata.remote_address,
        "recordedtime": rfc_3339(metadata.recorded_at),
    }


def _allowed(text: str) -> str:
    return _FORBIDDEN.sub(lambda found: f"\\u{{{ord(found[0]):x}}}", text)
