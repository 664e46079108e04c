"""Two values side by side: what was expected and what was there, a line a field."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import ndiff
from enum import Enum
from typing import Any, Final

from attrs import NOTHING, fields, has

_MOST: Final = 200
"""Characters of one field; the values of callers may be large."""


def difference(expected: object, actual: object) -> str:
    """Return the lines of both values: `-` what was expected, `+` what was there instead."""
    lines = ndiff(list(described(expected)), list(described(actual)))
    return "\n".join(line for line in lines if not line.startswith("?"))


def described(value: object) -> Iterator[str]:
    """Return a value as lines of text; fields that hold their default are left out."""
    if isinstance(value, Mapping):
        yield from _fields(value.items())
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for item in value:
            yield from described(item)
    elif has(type(value)):
        yield type(value).__name__
        yield from _indented(_fields(_given(value)))
    else:
        yield _word(value)


def one_line(value: object) -> str:
    """Return a value as one line of text; fields that hold their default are left out."""
    if not has(type(value)):
        return _word(value)
    given = ", ".join(f"{name}={one_line(each)}" for name, each in _given(value))
    return f"{type(value).__name__}({given})"


def _given(value: Any) -> Iterator[tuple[str, object]]:  # noqa: ANN401 - any attrs class
    for field in fields(type(value)):
        held = getattr(value, field.name)
        if field.default is NOTHING or held != field.default:
            yield field.name, held


def _fields(members: Iterable[tuple[object, object]]) -> Iterator[str]:
    for name, value in members:
        if isinstance(value, Mapping) or (isinstance(value, tuple) and value):
            yield f"{name}:"
            yield from _indented(described(value))
        else:
            yield f"{name}: {one_line(value)}"


def _indented(lines: Iterable[str]) -> Iterator[str]:
    return (f"  {line}" for line in lines)


def _word(value: object) -> str:
    text = value.value if isinstance(value, Enum) else value
    shown = repr(text)
    return shown if len(shown) <= _MOST else f"{shown[:_MOST]}... ({len(shown)} characters)"
