"""JSON Schema (draft 2020-12) of what stands on the wire, as far as we need it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from types import NoneType
from typing import Any, Final, TypeAlias, get_args, get_origin

from attrs import AttrsInstance, fields, resolve_types

from domain.flow.values import Json

JsonSchema: TypeAlias = dict[str, Any]

ANYTHING: Final[JsonSchema] = {}
TEXT: Final[JsonSchema] = {"type": "string"}
YES: Final[JsonSchema] = {"const": True}
NO: Final[JsonSchema] = {"const": False}
_SIMPLE: Final = {str: "string", int: "integer", bool: "boolean"}


def ref(name: str) -> JsonSchema:
    """Refer to a schema of the document by its name."""
    return {"$ref": f"#/components/schemas/{name}"}


def any_of(*schemas: JsonSchema) -> JsonSchema:
    """Take what one of some takes."""
    return schemas[0] if len(schemas) == 1 else {"anyOf": list(schemas)}


def or_null(schema: JsonSchema) -> JsonSchema:
    """Take null as well."""
    return any_of(schema, {"type": "null"})


def list_of(schema: JsonSchema) -> JsonSchema:
    """Take a list of what a schema takes."""
    return {"type": "array", "items": schema}


def an_object(
    title: str,
    required: Mapping[str, JsonSchema],
    optional: Mapping[str, JsonSchema] | None = None,
) -> JsonSchema:
    """Take an object with some members; the document has it under its title."""
    members = {**required, **(optional or {})}
    return {
        "title": title,
        "type": "object",
        "required": list(required),
        "properties": members,
        "additionalProperties": False,
    }


NOTHING_TO_SHOW: Final = an_object("Nothing", {})


def wire_name(name: str) -> str:
    """Return what an attribute is called on the wire."""
    return re.sub("_([a-z])", lambda found: found[1].upper(), name)


def shown_schema(title: str, view: type[AttrsInstance], **constants: str) -> JsonSchema:
    """Return the schema of a view as it is shown: what may be None is left out then."""
    required: dict[str, JsonSchema] = {}
    optional: dict[str, JsonSchema] = {}
    for each in fields(resolve_types(view)):
        kinds = [kind for kind in get_args(each.type) or [each.type] if kind is not NoneType]
        if NoneType in get_args(each.type):
            optional[wire_name(each.name)] = _of_kind(kinds[0])
        else:
            required[wire_name(each.name)] = _of_kind(each.type)
    required |= {name: {"const": text} for name, text in constants.items()}
    return an_object(title, required, optional)


def _of_kind(kind: Any) -> JsonSchema:  # noqa: ANN401 - a type, or an alias of one
    kind = getattr(kind, "__supertype__", kind)
    if kind is Json:
        return ANYTHING
    if get_origin(kind) is not None:
        return {"type": "object", "additionalProperties": _of_kind(get_args(kind)[1])}
    if issubclass(kind, StrEnum):
        return ref(kind.__name__)
    return {"type": _SIMPLE[kind]}
