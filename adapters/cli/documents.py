"""JSON documents: the names of the HTTP API, times in milliseconds, and what operators may see."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from attrs import AttrsInstance, asdict, has

from adapters.cli.happenings import Happening, said
from domain.flow import Flow
from domain.values import Json
from domain.views import flow_view, task_views

Document: TypeAlias = dict[str, Any]


def flow_document(flow: Flow) -> Document:
    """Return what callers see of a flow, its owner, and its version."""
    view = document(flow_view(flow))
    return {**view, "syncMode": "managed", "owner": flow.owner, "version": flow.version}


def task_documents(flow: Flow) -> list[Document]:
    """Return what callers see of a flow's tasks, newest first."""
    constant = {"scopeKind": "session", "deliveryStatus": "pending"}
    return [{**document(view), **constant} for view in task_views(flow)]


def history_documents(history: Iterable[Happening]) -> list[Document]:
    """Return what happened to a flow, and by whom."""
    return [_happening(step) for step in history]


def _happening(step: Happening) -> Document:
    record = step.record
    data = camel_case(said(record.event))
    return {
        "version": record.version,
        "revision": step.flow.revision,
        "event": step.word,
        "at": data.pop("at"),
        "data": data,
        **document(record.metadata),
    }


def document(value: AttrsInstance) -> Document:
    """Return what a value holds; what is None in it is left out."""
    given = asdict(value, recurse=False)
    return camel_case({name: field for name, field in given.items() if field is not None})


def camel_case(values: Mapping[str, object]) -> Document:
    """Return some values under the names of the HTTP API."""
    return {_camel(name): _plain(value) for name, value in values.items()}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(map(str.capitalize, rest))


def _plain(value: Any) -> Any:  # noqa: ANN401 - any value of ours, any JSON value
    if isinstance(value, Json):
        return json.loads(value.text)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return document(value) if has(type(value)) else value
