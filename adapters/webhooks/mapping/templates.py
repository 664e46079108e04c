"""Templates of JSON values: a value whose texts have placeholders, compiled once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeAlias, assert_never

from attrs import frozen

from adapters.webhooks.mapping.placeholders import (
    Budget,
    Delivery,
    JsonPath,
    Placeholder,
    TemplateError,
    TextTemplate,
    parse_template,
)

MOST_LEVELS: Final = 16
"""How deep a template may be; what is filled in is as deep as it is."""


@frozen
class ObjectTemplate:
    """An object; its keys stay as they are."""

    members: dict[str, ValueTemplate]


@frozen
class ArrayTemplate:
    """An array."""

    items: tuple[ValueTemplate, ...]


@frozen
class Constant:
    """A number, a truth value or null."""

    value: float | bool | None


ValueTemplate: TypeAlias = TextTemplate | Placeholder | ObjectTemplate | ArrayTemplate | Constant


def compile_value(value: object, path: JsonPath = ()) -> ValueTemplate:
    """Return the template that a JSON value is.

    Raises:
        TemplateError: for the first text in it that is none, and if it is too deep.
    """
    if len(path) > MOST_LEVELS:
        raise TemplateError(f"at most {MOST_LEVELS} levels", path)
    match value:
        case str():
            try:
                return parse_template(value)
            except TemplateError as error:
                raise TemplateError(error.expected, path) from error
        case dict():
            return ObjectTemplate({k: compile_value(v, (*path, k)) for k, v in value.items()})
        case list():
            return ArrayTemplate(tuple(compile_value(v, (*path, i)) for i, v in enumerate(value)))
        case bool() | int() | float() | None:
            return Constant(value)
        case _:
            raise TemplateError("a JSON value", path)


def fill(template: ValueTemplate, delivery: Delivery, budget: Budget) -> object:
    """Return the value that a template makes of a delivery.

    Raises:
        NotFilled: if there is nothing for a placeholder, or too much.
    """
    match template:
        case TextTemplate():
            return template.fill(delivery, budget)
        case Placeholder():
            return template.value(delivery, budget)
        case ObjectTemplate(members):
            return {key: fill(value, delivery, budget) for key, value in members.items()}
        case ArrayTemplate(items):
            return [fill(item, delivery, budget) for item in items]
        case Constant(value):
            return value
        case _:
            assert_never(template)


def placeholders_of(template: ValueTemplate) -> Iterator[Placeholder]:
    """Return the placeholders of a template, in the order in which they are filled."""
    match template:
        case TextTemplate():
            yield from template.placeholders
        case Placeholder():
            yield template
        case ObjectTemplate(members):
            for value in members.values():
                yield from placeholders_of(value)
        case ArrayTemplate(items):
            for item in items:
                yield from placeholders_of(item)
        case Constant():
            pass
        case _:
            assert_never(template)
