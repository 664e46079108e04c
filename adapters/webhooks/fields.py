"""What the value of one field must be, and the words for what is wrong with it.

A decoder takes a JSON value, or UNDEFINED for a field that is required and absent, and returns what
the domain is given, or an `Issue`; its schema says the same to machines. The words are the
reference's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum
from types import NoneType
from typing import Any, Final, TypeAlias

from attrs import frozen

from adapters.presentation.printable import read_rfc_3339
from adapters.webhooks.json_schema import ANYTHING, JsonSchema, any_of, or_null
from adapters.webhooks.strict_json import Overflow, compact_json
from adapters.webhooks.text import collapse, trim
from domain.flow.values import BLANKS, Json, Timestamp

MOST: Final = 2**53 - 1
"""The largest integer that every reader of JSON holds exactly."""


@frozen
class Issue:
    """Why something is not accepted, for the caller to read."""

    text: str


class Undefined:
    """What an absent field holds."""


UNDEFINED: Final = Undefined()

Take: TypeAlias = Callable[[object], Any]
"""Returns what a value means to the domain, or an Issue."""


@frozen
class Decoder:
    """What a field takes: as a function, and as a schema."""

    take: Take
    schema: JsonSchema


_TYPES: Final = {
    Undefined: "undefined",
    NoneType: "null",
    bool: "boolean",
    int: "number",
    float: "number",
    Overflow: "number",
    str: "string",
    list: "array",
    dict: "object",
}


def type_name(value: object) -> str:
    """Return the name of a value's type in JSON."""
    return _TYPES[type(value)]


def _expected(what: str, value: object) -> Issue:
    return Issue(f"Invalid input: expected {what}, received {type_name(value)}")


def object_issue(value: object) -> Issue:
    """Say that a value should have been an object."""
    return _expected("object", value)


def _text(value: object) -> str | Issue:
    if not isinstance(value, str):
        return _expected("string", value)
    return trim(value) or Issue("Too small: expected string to have >=1 characters")


def _single_line(value: object) -> str | Issue:
    taken = _text(value)
    return taken if isinstance(taken, Issue) else collapse(taken)


def text_up_to(most: int) -> Decoder:
    """Take a text of so many characters at most."""
    issue = Issue(f"Too big: expected string to have <={most} characters")
    return Decoder(
        lambda value: issue if isinstance(value, str) and len(value) > most else _text(value),
        {**text.schema, "maxLength": most},
    )


def nullable(decoder: Decoder) -> Decoder:
    """Take null, or what another decoder takes."""
    take = decoder.take
    return Decoder(lambda value: None if value is None else take(value), or_null(decoder.schema))


def one_of(choices: Iterable[StrEnum]) -> Decoder:
    """Take one of some words, exactly."""
    words = {choice.value: choice for choice in choices}
    options = "|".join(f'"{word}"' for word in words)
    issue = Issue(f"Invalid option: expected one of {options}")
    return Decoder(
        lambda value: words.get(value, issue) if isinstance(value, str) else issue,
        {"type": "string", "enum": list(words)},
    )


def integer_between(low: int, high: int, *, most: str) -> Decoder:
    """Take a whole number between two; `most` names the type in the words for a larger one."""

    def take(value: object) -> int | Issue:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return _expected("number", value)
        if isinstance(value, float) and not value.is_integer():
            return _expected("int", value)
        if value < low:
            return Issue(f"Too small: expected number to be >={low}")
        if value > high:
            return Issue(f"Too big: expected {most} to be <={high}")
        return int(value)

    return Decoder(take, {"type": "integer", "minimum": low, "maximum": high})


def _boolean(value: object) -> bool | Issue:
    return value if isinstance(value, bool) else _expected("boolean", value)


def _any_json(value: object) -> Json | Issue:
    compact = compact_json(value)
    return Issue("Invalid input") if compact is None else Json(compact)


def _page_cursor(value: object) -> str | Issue:
    return value if isinstance(value, str) else _expected("string", value)


_A_CHARACTER: Final = "[^" + "".join(f"\\u{ord(blank):04x}" for blank in "\0" + BLANKS) + "]"

_milliseconds: Final = integer_between(0, MOST, most="int")
_DATE: Final = (
    r"(19[7-9][0-9]|[2-9][0-9]{3})-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])"
    r"|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-9]))"
)
_TIME: Final = r"([01][0-9]|2[0-3]):[0-5][0-9]"
_INSTANT: Final = rf"^{_DATE}T{_TIME}:[0-5][0-9](\.[0-9]+)?(Z|[+-]{_TIME})$"


def _instant(value: object) -> Timestamp | Issue:
    if not isinstance(value, str):
        number: int | Issue = _milliseconds.take(value)
        return number
    moment = read_rfc_3339(value)
    words = "Invalid input: expected an instant like 2026-12-01T00:00:00Z"
    return Issue(words) if moment is None or moment < 0 else moment


text: Final = Decoder(_text, {"type": "string", "pattern": _A_CHARACTER})
"""Takes a string; trimmed, it has at least one character."""

single_line: Final = Decoder(_single_line, text.schema)
"""Takes a string, and makes one line of it."""

boolean: Final = Decoder(_boolean, {"type": "boolean"})
"""Takes true or false."""

instant: Final = Decoder(
    _instant, any_of({"type": "string", "pattern": _INSTANT}, _milliseconds.schema)
)
"""Takes a moment, as RFC 3339 writes it or in milliseconds since 1970 as answers show it."""

any_json: Final = Decoder(_any_json, ANYTHING)
"""Takes any JSON value, null too, but no number that a double cannot hold."""

page_cursor: Final = Decoder(_page_cursor, {"type": "string"})
"""Takes a cursor that an answer gave out; whether it is one is for the store to say."""
