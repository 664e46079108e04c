"""What the domain's views look like on the wire: a member for each of their attributes."""

from __future__ import annotations

from enum import StrEnum
from types import NoneType
from typing import Any, Final, get_args, get_origin

from attrs import AttrsInstance, fields, resolve_types

from adapters.webhooks.json_schema import ANYTHING, JsonSchema, an_object, list_of, or_null, ref
from domain.application.views import FlowView, TaskSummary, TaskView
from domain.flow.values import Json

_SIMPLE: Final = {str: "string", int: "integer", bool: "boolean"}


def _shown(title: str, view: type[AttrsInstance], **constants: str) -> JsonSchema:
    """Return the schema of a view; what may be None is left out then."""
    required: dict[str, JsonSchema] = {name: {"const": text} for name, text in constants.items()}
    optional: dict[str, JsonSchema] = {}
    for each in fields(resolve_types(view)):
        kinds = [kind for kind in get_args(each.type) if kind is not NoneType]
        is_optional = NoneType in get_args(each.type)
        members = optional if is_optional else required
        members[_wire_name(each.name)] = _of_kind(kinds[0] if is_optional else each.type)
    return an_object(title, required, optional)


def _wire_name(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))


def _of_kind(kind: Any) -> JsonSchema:  # noqa: ANN401 - a type, or an alias of one
    kind = getattr(kind, "__supertype__", kind)
    if kind is Json:
        return ANYTHING
    if get_origin(kind) is not None:
        return {"type": "object", "additionalProperties": _of_kind(get_args(kind)[1])}
    if issubclass(kind, StrEnum):
        return {"type": "string", "enum": list(kind)}
    return {"type": _SIMPLE[kind]}


FLOW: Final = _shown("Flow", FlowView, syncMode="managed")
TASK: Final = _shown("Task", TaskView, scopeKind="session", deliveryStatus="pending")
TASK_SUMMARY: Final = _shown("TaskSummary", TaskSummary)
FOUND_FLOW: Final = an_object("FoundFlow", {"flow": or_null(ref("Flow"))})
FOUND_SUMMARY: Final = an_object("FoundSummary", {"summary": or_null(ref("TaskSummary"))})
FLOW_LIST: Final = an_object(
    "FlowList", {"flows": list_of(ref("Flow"))}, {"nextCursor": {"type": "string"}}
)
