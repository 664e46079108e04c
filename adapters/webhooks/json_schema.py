"""JSON Schema (draft 2020-12) of what stands on the wire, as far as we need it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

JsonSchema: TypeAlias = dict[str, Any]

ANYTHING: Final[JsonSchema] = {}
TEXT: Final[JsonSchema] = {"type": "string"}
YES: Final[JsonSchema] = {"const": True}
NO: Final[JsonSchema] = {"const": False}


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
