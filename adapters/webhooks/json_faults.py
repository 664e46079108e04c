"""What is wrong with a body that `strict_json` refuses, and at which of its bytes.

This runs for refused bodies alone, in time linear in their length. Named is the first fault: the
syntax is read once more by the standard library's scanner, which knows the place, and all else by
one search for what may be wrong before that. A fault never shows a value, which may be a secret; of
a key that is there twice, the beginning.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from adapters.webhooks.text import quoted

BOM: Final = b"\xef\xbb\xbf"
_SPACE: Final = " \t\r\n"


class _Fault(NamedTuple):
    """A place, in characters, and what is wrong there."""

    at: int
    what: str


def explain(body: bytes, *, levels: int, digits: int) -> str:
    """Return the first fault of a body that is refused, and the offset of its byte."""
    start = len(BOM) if body.startswith(BOM) else 0
    encoding = json.detect_encoding(body)
    if not encoding.startswith("utf-8"):
        return f"byte 0: {encoding[:6].upper()}, where UTF-8 is expected"
    text, broken = _decoded(body[start:])
    if broken is None and not text.strip(_SPACE):
        return "the body is empty"
    fault = _first_fault(text, broken, levels, digits)
    return f"byte {start + len(text[: fault.at].encode())}: {fault.what}"


def _decoded(body: bytes) -> tuple[str, _Fault | None]:
    """Return a text as far as it is UTF-8, and the fault behind it."""
    try:
        return body.decode(), None
    except UnicodeDecodeError as error:
        text = body[: error.start].decode()
        return text, _Fault(len(text), "not UTF-8")


def _first_fault(text: str, broken: _Fault | None, levels: int, digits: int) -> _Fault:
    found = next(_faults(text, levels, digits), broken)
    if found is None:
        return _syntax_fault(text) or _Fault(0, "not JSON")
    # NOTE: behind the greatest depth the scanner would recurse. The quote ends a string that the
    # fault stands in, and begins one elsewhere, so that whatever is wrong before it is before it.
    syntax = _syntax_fault(text[: found.at] + '"')
    return found if syntax is None or syntax.at >= found.at else syntax


# All that may be wrong where the syntax is right: strings (with the colon behind a key), brackets,
# words and long integers. NOTE: a string's end is optional, so that the search is linear.
_TOKEN: Final = re.compile(
    r'(?P<string>"[^"\\]*(?:\\.[^"\\]*)*"?)(?P<colon>[ \t\r\n]*:)?'
    r"|(?P<open>[\[{])|(?P<close>[\]}])"
    r"|(?P<word>[+-]?(?:NaN|Infinity))|(?P<integer>-?\d+)(?:\.\d+)?(?:[eE][+-]?\d+)?",
    re.DOTALL,
)
_ESCAPE: Final = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|(?P<nul>\\u0000)|(?P<half>\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\.",
    re.DOTALL,
)


def _faults(text: str, levels: int, digits: int) -> Iterator[_Fault]:
    """Give what is wrong although its syntax is right, in order."""
    keys: list[set[str]] = []
    for token in _TOKEN.finditer(text):
        match token.lastgroup:
            case "string":
                yield from _escape_faults(token)
            case "colon":
                yield from _escape_faults(token)
                yield from _repeated(token, keys)
            case "open":
                keys.append(set())
                if len(keys) > levels:
                    yield _Fault(token.start(), f"more than {levels} levels")
            case "close":
                del keys[-1:]
            case "word":
                yield _Fault(token.start(), f"{token['word']} is not JSON")
            case _:
                yield from _length_fault(token, digits)


def _escape_faults(token: re.Match[str]) -> Iterator[_Fault]:
    if r"\u" not in token["string"]:
        return
    for escape in _ESCAPE.finditer(token["string"]):
        if escape.lastgroup is not None:
            what = "half of a surrogate pair" if escape.lastgroup == "half" else "a NUL character"
            yield _Fault(token.start() + escape.start(), what)


def _repeated(token: re.Match[str], keys: list[set[str]]) -> Iterator[_Fault]:
    try:
        key = json.loads(token["string"])
    except ValueError:
        return  # its syntax is wrong, which is found anyhow
    if not keys:
        return
    if key in keys[-1]:
        yield _Fault(token.start(), f"the key {quoted(key)} is there twice")
    keys[-1].add(key)


def _length_fault(token: re.Match[str], digits: int) -> Iterator[_Fault]:
    integer = token["integer"]
    if token[0] == integer and len(integer.removeprefix("-")) > digits:
        yield _Fault(token.start(), f"an integer of more than {digits} digits")


def _syntax_fault(text: str) -> _Fault | None:
    try:
        _SCANNER.decode(text)
    except json.JSONDecodeError as error:
        return _worded(error, text)
    return None


# PERF: what is read here is thrown away.
_SCANNER: Final = json.JSONDecoder(object_pairs_hook=len, parse_int=len, parse_float=len)
_CUT_ESCAPE: Final = re.compile(r"\\u[0-9a-fA-F]{0,4}\Z")
_WORDS: Final = {
    "Expecting ',' delimiter": "expected a comma or a closing bracket",
    "Expecting ':' delimiter": "expected a colon",
    "Extra data": "something follows the JSON value",
}


def _worded(error: json.JSONDecodeError, text: str) -> _Fault:
    """Return a fault of the syntax; the scanner's own texts differ between versions of Python."""
    at, message = error.pos, error.msg
    if message.startswith("Unterminated string"):
        return _Fault(at, "a string without an end")
    if message.startswith("Invalid control character"):
        return _Fault(at, "a control character in a string")
    if message.startswith("Invalid") and not _CUT_ESCAPE.search(text[-6:]):
        return _Fault(text.rfind("\\", 0, at + 1), "an escape that is not JSON")
    rest = text[at : at + 10]
    if not rest or message.startswith("Invalid"):
        return _Fault(len(text), "the body ends too early")
    before = text[:at].rstrip(_SPACE)
    if rest[0] in "]}" and before.endswith(","):
        return _Fault(len(before) - 1, "a comma before a closing bracket")
    return _Fault(at, _thing(rest) or _WORDS.get(message) or _expected(message))


def _thing(rest: str) -> str | None:
    if rest.startswith("\ufeff"):
        return "a byte order mark"
    if rest.startswith("'"):
        return "a single quote"
    if rest.startswith(("//", "/*", "#")):
        return "a comment"
    return "white space that is not JSON's" if rest[0].isspace() else None


def _expected(message: str) -> str:
    if "trailing comma" in message:
        return "a comma before a closing bracket"
    return "expected a key in double quotes" if "property name" in message else "expected a value"
