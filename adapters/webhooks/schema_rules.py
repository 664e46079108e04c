"""What the fields of an action must be together: each rule said once, for all who read it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from attrs import frozen

from adapters.webhooks.fields import Issue
from adapters.webhooks.json_schema import JsonSchema
from domain.flow.status import TaskStatus

Values: TypeAlias = Mapping[str, Any]
"""What was given, by the names of the domain; what was not given is not there."""


@frozen
class SchemaRule:
    """What fields that are right one by one must be together: as a function, in words, as a schema.

    `holds` gets what was sent, by names on the wire, and what it means.
    """

    holds: Callable[[Mapping[str, object], Values], bool]
    issue: Issue
    text: str
    schema: JsonSchema


def only_beside(names: Sequence[str], statuses: Sequence[TaskStatus], issue: str) -> SchemaRule:
    """Take some fields only beside some statuses."""
    beside = {"required": ["status"], "properties": {"status": {"enum": list(statuses)}}}
    fields = ", ".join(f"`{name}`" for name in names)
    words = " or ".join(f"`{status}`" for status in statuses)
    return SchemaRule(
        lambda sent, values: sent.keys().isdisjoint(names) or values.get("status") in statuses,
        Issue(issue),
        f"{fields}: only beside a `status` of {words}.",
        {"dependentSchemas": dict.fromkeys(names, beside)},
    )


def _with(name: str) -> JsonSchema:
    return {"required": [name], "properties": {name: {}}, "additionalProperties": True}


def one_name_of(wire: str, other: str) -> SchemaRule:
    """Take a field, or another one in its place."""
    return SchemaRule(
        lambda sent, _: not sent.keys() >= {wire, other},
        Issue(f"{other}: {other} stands in the place of {wire}: send one of them"),
        f"`{wire}` or `{other}`: one of them.",
        # NOTE: generators of clients take a `oneOf` for two classes that share no field.
        {"if": _with(other), "then": {"not": _with(wire)}, "else": _with(wire)},
    )
