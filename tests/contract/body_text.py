"""What a request's body holds that the reference passes and we refuse."""

import json
from collections.abc import Iterator
from typing import Any, NoReturn

BOM = b"\xef\xbb\xbf"
JSON_SPACE = " \t\r\n"
JS_SPACE = (
    JSON_SPACE
    + "\v\f\u00a0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff"
    + "".join(chr(code) for code in range(0x2000, 0x200B))
)


class _DuplicateKeyError(ValueError):
    """An object has the same key twice."""


def as_the_reference_reads(body: bytes) -> object:
    """Parse a body leniently, as the reference does; None where even that fails."""
    try:
        text = body.decode("utf-8", errors="replace").strip(JS_SPACE)
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None


def is_ambiguous(body: bytes) -> bool:
    """Tell whether two readers could see two requests here, or a store could not keep it."""
    try:
        text = body.removeprefix(BOM).decode("utf-8").strip(JSON_SPACE)
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse)
    except _DuplicateKeyError:
        return True
    except ValueError:
        return as_the_reference_reads(body) is not None
    return any(_is_unstorable(part) for part in strings(value))


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) < len(pairs):
        raise _DuplicateKeyError
    return dict(pairs)


def _is_unstorable(text: str) -> bool:
    return any(char == "\0" or "\ud800" <= char <= "\udfff" for char in text)


def strings(value: object) -> Iterator[str]:
    """Give every string of a JSON value, keys included."""
    match value:
        case str():
            yield value
        case list():
            for item in value:
                yield from strings(item)
        case dict():
            yield from strings([*value.keys(), *value.values()])
        case _:
            return
