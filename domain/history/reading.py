"""Stored events as recorded events, with nothing in them taken on trust."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Final, NoReturn

from attrs import fields

from domain.application.recorded_events import RecordedEvent
from domain.flow.events import EVENTS
from domain.flow.values import Json, Timestamp
from domain.history.audit_log import AuditLog, LogEntry, UnreadableEvent
from domain.history.published import public_name

_JSON_FIELDS: Final = {
    kind: tuple(field.name for field in fields(kind) if field.name.endswith("_json"))
    for kind in EVENTS
}


def read_entry(audit_log: AuditLog, entry: LogEntry) -> RecordedEvent:
    """Return what an entry says, its JSON values included.

    Raises:
        UnreadableEvent: if its bytes are not what we wrote.
    """
    record = audit_log.read(entry)
    for name in _JSON_FIELDS[type(record.event)]:
        value = getattr(record.event, name)
        if isinstance(value, Json) and not _is_compact_json(value.text):
            place = f"{entry.flow_id}/{entry.version} ({entry.name})"
            raise UnreadableEvent(f"event {place}: {public_name(name)} is no JSON")
    return record


def recorded_at(audit_log: AuditLog, position: int) -> Timestamp | None:
    """Return when the event at a position was recorded; None if there is none, or it is damaged.

    A checkpoint does not say when it was signed: not before its last event was recorded.
    """
    for entry in audit_log.entries(position, position):
        with suppress(UnreadableEvent):
            return audit_log.read(entry).metadata.recorded_at
    return None


def _is_compact_json(text: str) -> bool:
    # APPSEC: a line break could forge a line of an export; a JSON value on one line cannot.
    if "\n" in text or "\r" in text:
        return False
    try:
        _DECODER.decode(text)
    except (ValueError, RecursionError):
        return False
    return True


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


# PERF: numbers are left as text; making a decoder takes longer than a short text does.
_DECODER: Final = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=_refuse)
