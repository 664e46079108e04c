"""JSON documents: the names of the HTTP API, times in milliseconds, and what operators may see."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeAlias

from attrs import AttrsInstance

from adapters.presentation.event_text import event_name
from domain.application.recorded_events import RecordedEvent
from domain.application.views import flow_view, task_views
from domain.flow.state import Flow
from domain.flow.values import Json
from domain.history.published import published, published_record, published_value

JsonDocument: TypeAlias = dict[str, Any]


def flow_document(flow: Flow) -> JsonDocument:
    """Return what callers see of a flow, its owner, and its version."""
    view = document(flow_view(flow))
    return {**view, "syncMode": "managed", "owner": flow.owner, "version": flow.version}


def task_documents(flow: Flow) -> list[JsonDocument]:
    """Return what callers see of a flow's tasks, newest first."""
    constant = {"scopeKind": "session", "deliveryStatus": "pending"}
    return [{**document(view), **constant} for view in task_views(flow)]


def event_document(record: RecordedEvent, after: Flow) -> JsonDocument:
    """Return what happened in an event, by whom, and the revision of the flow after it."""
    return {
        "version": record.version,
        "revision": after.revision,
        "event": event_name(record.event),
        **published_record(record, _read),
    }


def document(value: AttrsInstance) -> JsonDocument:
    """Return what a value holds; what is None in it is left out."""
    return published_value(value, _read)


def cursor_document(next_cursor: int | str | None) -> JsonDocument:
    """Return what a list says of those after it."""
    return {} if next_cursor is None else {"nextCursor": str(next_cursor)}


def camel_case(values: Mapping[str, object]) -> JsonDocument:
    """Return some values under the names of the HTTP API."""
    return published(values, _read)


def _read(value: Json) -> object:
    return json.loads(value.text)
