"""JSON as every reader understands it alike (RFC 8259), and nothing else.

Refused are duplicate keys, invalid UTF-8, NUL, lone surrogates, nesting deeper than 128 levels and
integers longer than 1,000 digits. A byte order mark before the value is ignored (RFC 8259 §8.1).
Integers are exact; other numbers are doubles, and a double without a fraction is the integer that
it equals, as the reference shows it.
"""

from __future__ import annotations

import json
import math
import re
from itertools import accumulate
from typing import Any, Final, NoReturn

import orjson
from attrs import frozen

from adapters.webhooks.json_faults import BOM, explain

MOST_LEVELS: Final = 128
MOST_DIGITS: Final = 1000


@frozen
class Malformed:
    """A text that is not JSON, or not JSON of our kind: which byte, and what is wrong there."""

    reason: str


class Overflow:
    """A number beyond what a double can hold. No encoder takes it, so that it is never stored."""


OVERFLOW: Final = Overflow()


def read_json(body: bytes) -> Any | Malformed:  # noqa: ANN401 - any JSON value
    """Return the JSON value that a body is, or why it is none; it never raises."""
    text = body.removeprefix(BOM)
    if not (is_too_deep(text) or _has_forbidden_escape(text)):
        decoder = _COUNTING if _LONG_RUN.search(text) else _PLAIN
        try:
            return decoder.decode(text.decode())
        except ValueError:
            pass
    return Malformed(explain(body, levels=MOST_LEVELS, digits=MOST_DIGITS))


def compact_json(value: object) -> str | None:
    """Return the compact text of a value that was read, or None if it holds an OVERFLOW."""
    try:
        return orjson.dumps(value).decode()
    except orjson.JSONEncodeError:  # an integer of more than 64 bits, or an OVERFLOW
        return _compact_slowly(value)


def _compact_slowly(value: object) -> str | None:
    try:
        return _ENCODER.encode(value)
    except TypeError:
        return None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a key is there twice")
    return members


_WHOLE_BELOW: Final = 1e21  # from here on the reference writes an exponent


def _number(text: str) -> int | float | Overflow:
    number = float(text)
    if number.is_integer() and abs(number) < _WHOLE_BELOW:
        return int(number)
    return OVERFLOW if math.isinf(number) else number


def _short_integer(text: str) -> int:
    if len(text.removeprefix("-")) > MOST_DIGITS:
        raise ValueError("an integer is too long")
    return int(text)


def _constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")


_HOOKS: Final[dict[str, Any]] = {
    "object_pairs_hook": _object,
    "parse_float": _number,
    "parse_constant": _constant,
}
_PLAIN: Final = json.JSONDecoder(**_HOOKS)
_COUNTING: Final = json.JSONDecoder(**_HOOKS, parse_int=_short_integer)
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)

# PERF: each check below begins with a search for the bytes without which it has nothing to find;
# for an ordinary body all of them cost 1 µs, and for the worst of 256 KiB about 20 ms.

_LONG_RUN: Final = re.compile(rb"(?<!\d)\d{%d}" % (MOST_DIGITS + 1))
# NOTE: the closing quote is optional, so that the search is linear where it is missing.
_STRING: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?', re.DOTALL)
_NO_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))
_STEPS: Final = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_PAIR: Final = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}",
)
_HALF: Final = re.compile(rb"\\u[dD][89a-fA-F]")


def is_too_deep(body: bytes) -> bool:
    """Say whether a JSON text has more levels than are read."""
    if body.count(b"[") + body.count(b"{") <= MOST_LEVELS:
        return False
    brackets = _STRING.sub(b"", body).translate(None, _NO_BRACKETS)
    return max(accumulate(map(_STEPS.__getitem__, brackets)), default=0) > MOST_LEVELS


def _has_forbidden_escape(body: bytes) -> bool:
    if b"\\u" not in body:
        return False
    # NOTE: an escaped backslash begins no escape; its stand-in keeps what is beside it apart.
    escapes = body.replace(rb"\\", b"__")
    return rb"\u0000" in escapes or _HALF.search(_PAIR.sub(b"", escapes)) is not None
