"""What the value of one field must be, and the words for what is wrong with it.

A kind takes a JSON value, or UNDEFINED for a field that is required and absent, and returns what
the domain is given, or an `Issue`. The words are the reference's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum
from types import NoneType
from typing import Any, Final, TypeAlias

from attrs import frozen

from adapters.presentation.printable import read_rfc_3339
from adapters.webhooks.strict_json import Overflow, compact_json
from adapters.webhooks.text import collapse, trim
from domain.flow.values import Json, Timestamp

MOST: Final = 2**53 - 1
"""The largest integer that every reader of JSON holds exactly."""


@frozen
class Issue:
    """Why something is not accepted, for the caller to read."""

    text: str


class Undefined:
    """What an absent field holds."""


UNDEFINED: Final = Undefined()

Decoder: TypeAlias = Callable[[object], Any]
"""Returns what a value means to the domain, or an Issue."""

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


def text(value: object) -> str | Issue:
    """Take a string; trimmed, it has at least one character."""
    if not isinstance(value, str):
        return _expected("string", value)
    return trim(value) or Issue("Too small: expected string to have >=1 characters")


def single_line(value: object) -> str | Issue:
    """Take a string, and make one line of it."""
    taken = text(value)
    return taken if isinstance(taken, Issue) else collapse(taken)


def nullable(decoder: Decoder) -> Decoder:
    """Take null, or what another kind takes."""
    return lambda value: None if value is None else decoder(value)


def one_of(choices: Iterable[StrEnum]) -> Decoder:
    """Take one of some words, exactly."""
    words = {choice.value: choice for choice in choices}
    options = "|".join(f'"{word}"' for word in words)
    issue = Issue(f"Invalid option: expected one of {options}")
    return lambda value: words.get(value, issue) if isinstance(value, str) else issue


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

    return take


_milliseconds: Final = integer_between(0, MOST, most="int")


def boolean(value: object) -> bool | Issue:
    """Take true or false."""
    return value if isinstance(value, bool) else _expected("boolean", value)


def instant(value: object) -> Timestamp | Issue:
    """Take a moment, as RFC 3339 writes it or in milliseconds since 1970 as answers show it."""
    if not isinstance(value, str):
        number: int | Issue = _milliseconds(value)
        return number
    moment = read_rfc_3339(value)
    words = "Invalid input: expected an instant like 2026-12-01T00:00:00Z"
    return Issue(words) if moment is None or moment < 0 else moment


def any_json(value: object) -> Json | Issue:
    """Take any JSON value, null too, but no number that a double cannot hold."""
    compact = compact_json(value)
    return Issue("Invalid input") if compact is None else Json(compact)


def page_cursor(value: object) -> str | Issue:
    """Take a cursor that an answer gave out; whether it is one is for the store to say."""
    return value if isinstance(value, str) else _expected("string", value)
