"""Two values side by side: what was expected and what was there, only where they differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from enum import Enum
from typing import Any, Final

from attrs import NOTHING, asdict, fields, has

_MOST: Final = 200
"""Characters of one value; those of callers may be large."""


def difference(expected: object, actual: object) -> str:
    """Return the lines in which two values differ: `-` what was expected, `+` what was there."""
    was, found = list(_lines(_opened(expected), "")), list(_lines(_opened(actual), ""))
    lines: list[str] = []
    for kind, start, end, begin, stop in SequenceMatcher(a=was, b=found).get_opcodes():
        if kind != "equal":
            lines += [f"- {line}" for line in was[start:end]]
            lines += [f"+ {line}" for line in found[begin:stop]]
    return "\n".join(lines)


def one_line(value: object) -> str:
    """Return a value as one line of text; fields that hold their default are left out."""
    if isinstance(value, type) or not has(type(value)):
        return _word(value)
    given = ", ".join(f"{name}={one_line(each)}" for name, each in given_fields(value))
    return f"{type(value).__name__}({given})"


def _opened(value: Any) -> object:  # noqa: ANN401 - any value
    return asdict(value, recurse=False) if has(type(value)) else value


def _lines(value: object, path: str) -> Iterator[str]:
    """Return a value as lines: objects a line a field, with the path to it, all else one line."""
    if isinstance(value, Mapping):
        for name, each in sorted(value.items()):
            yield from _lines(each, f"{path}.{name}" if path else str(name))
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for number, each in enumerate(value):
            yield from _lines(each, f"{path}[{number}]" if isinstance(each, Mapping) else path)
    else:
        yield f"{path}: {one_line(value)}" if path else one_line(value)


def given_fields(value: Any) -> Iterator[tuple[str, object]]:  # noqa: ANN401 - any attrs class
    """Return the fields of an object that do not hold their default."""
    for field in fields(type(value)):
        held = getattr(value, field.name)
        if field.default is NOTHING or held != field.default:
            yield field.name, held


def _word(value: object) -> str:
    text = value.value if isinstance(value, Enum) else value
    shown = repr(text)
    return shown if len(shown) <= _MOST else f"{shown[:_MOST]}... ({len(shown)} characters)"
