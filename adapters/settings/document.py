"""A JSON5 file as values with places; anything else is a problem."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pyjson5
from attrs import field, frozen

from adapters.settings.diagnostics import ConfigPath, ConfigProblem
from adapters.settings.source_lines import Repeat, locate

MAX_BYTES: Final = 1 << 20
MAX_DEPTH: Final = 64


@frozen
class Json5File:
    """What a configuration file says. APPSEC: `value` holds inline secrets, so no repr shows it."""

    file: str
    value: object = field(repr=False)
    lines: Mapping[ConfigPath, int] = field(repr=False)
    repeats: tuple[Repeat, ...] = ()


def read_document(path: Path) -> Json5File | ConfigProblem:
    """Read a JSON5 file of at most 1 MiB and 64 levels, in UTF-8."""
    octets = _read(path)
    if isinstance(octets, ConfigProblem):
        return octets
    text = _decode(str(path), octets)
    return text if isinstance(text, ConfigProblem) else _parse(str(path), text)


def _read(path: Path) -> bytes | ConfigProblem:
    try:
        with path.open("rb") as file:
            octets = file.read(MAX_BYTES + 1)
    except OSError as error:
        found = error.strerror or type(error).__name__
        return ConfigProblem(file=str(path), expected="a readable file", found=f"an error: {found}")
    if len(octets) > MAX_BYTES:
        expected = f"at most {MAX_BYTES} bytes"
        return ConfigProblem(file=str(path), expected=expected, found="a larger file")
    return octets


def _decode(file: str, octets: bytes) -> str | ConfigProblem:
    try:
        return octets.decode()
    except UnicodeDecodeError as error:
        line = octets.count(b"\n", 0, error.start) + 1
    return ConfigProblem(file=file, line=line, expected="text in UTF-8", found="bytes that are not")


def _parse(file: str, text: str) -> Json5File | ConfigProblem:
    try:
        value = pyjson5.decode(text, MAX_DEPTH)
    except pyjson5.Json5DecoderException as error:
        # APPSEC: the parser's exception carries what it had read so far. Only its own sentence
        # goes on, and the problem is returned, so that the exception is nobody's context.
        sentence = str(error.args[0])
    else:
        places = locate(text)
        return Json5File(file, value, places.lines, places.repeats)
    return _syntax_problem(file, text, sentence)


_UNCLOSED: Final = re.compile(r"Unclosed (b'\w+') ")
_UNEXPECTED: Final = re.compile(r"Expected (.+) near ")
_TERM: Final = re.compile(r"b'([\w ]+)'|U\+([0-9a-fA-F]{4,6})")
_NEAR: Final = re.compile(r"near (\d+)")
_OTHERS: Final = (
    ("Extra data", "nothing after the outermost value", "more text"),
    ("Maximum nesting", f"at most {MAX_DEPTH} levels of nesting", "more"),
    ("No JSON data", "an object", "nothing"),
    ("Stray", "valid JSON5", "a comma too many"),
    ("", "valid JSON5", "something else"),
)
"""How the parser's sentences begin, and what we say instead."""

_TERMS: Final = {"IdentifierStart": "key", "JSON5Value": "value", "NumericLiteral": "number"}


def _syntax_problem(file: str, text: str, sentence: str) -> ConfigProblem:
    """Translate the parser's sentence, which counts characters from 1, into one of ours."""
    expected, found = _syntax_fault(sentence)
    line = _syntax_line(text, sentence)
    return ConfigProblem(file=file, line=line, expected=expected, found=found)


def _syntax_line(text: str, sentence: str) -> int | None:
    near = _NEAR.search(sentence)
    position = int(near[1]) - 1 if near else 0
    if sentence.startswith("Extra data"):  # NOTE: counted at the end of the value before it
        position += len(text[position + 1 :]) - len(text[position + 1 :].lstrip()) + 1
    return text.count("\n", 0, max(0, position)) + 1 if near else None


def _syntax_fault(sentence: str) -> tuple[str, str]:
    if unclosed := _UNCLOSED.match(sentence):
        return "valid JSON5", f"{_TERM.sub(_term, unclosed[1])} that does not end as it should"
    if unexpected := _UNEXPECTED.match(sentence):
        return _TERM.sub(_term, unexpected[1]), "something else"
    starts = (other for other in _OTHERS if sentence.startswith(other[0]))
    _, expected, found = next(starts)
    return expected, found


def _term(match: re.Match[str]) -> str:
    """Return a term of the parser with its article, or a code point as the character it is."""
    name, codepoint = match.groups()
    if name is None:
        return f'"{chr(int(codepoint, 16))}"'
    term = _TERMS.get(name, name)
    return f"an {term}" if term[0] in "aeiou" else f"a {term}"
