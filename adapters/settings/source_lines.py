"""Where each field of a JSON5 text stands: the lines for messages, and the keys given twice.

The parser gives values without places. This walk reads only what the parser has accepted, so it
knows tokens and nesting and leaves the grammar (https://spec.json5.org) to the parser.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import takewhile
from typing import Final, TypeAlias

import pyjson5
from attrs import Factory, define, field, frozen

from adapters.settings.diagnostics import ConfigPath

_TOKEN: Final = re.compile(
    r"""
      (?P<blank> [\s\ufeff]+ | //[^\n\r\u2028\u2029]* | /\*.*?\*/ )
    | [{}\[\]:,]
    | "[^"\\]*(?:\\.[^"\\]*)*"
    | '[^'\\]*(?:\\.[^'\\]*)*'
    | [^\s\ufeff{}\[\]:,"'/]+
    """,
    re.VERBOSE | re.DOTALL,
)

_Token: TypeAlias = tuple[str, int]
"""A token's text and its line, counted from 1."""


@frozen
class Repeat:
    """A key that an object has a second time."""

    path: ConfigPath
    line: int
    first_line: int


@frozen
class Places:
    """The line of every field, and every repeated key."""

    lines: dict[ConfigPath, int]
    repeats: tuple[Repeat, ...]


def locate(text: str) -> Places:
    """Return the places of a JSON5 text that the parser has accepted."""
    walk = _Walk(iter(_tokens(text)))
    walk.value((), next(walk.tokens))
    return Places(walk.lines, tuple(walk.repeats))


def _tokens(text: str) -> list[_Token]:
    tokens, line = [], 1
    for match in _TOKEN.finditer(text):
        if match["blank"] is None:
            tokens.append((match[0], line))
        line += match[0].count("\n")
    return tokens


@define
class _Walk:
    tokens: Iterator[_Token]
    lines: dict[ConfigPath, int] = field(factory=dict)
    repeats: list[Repeat] = Factory(list)

    # NOTE: the parser's limit on nesting bounds this recursion.
    def value(self, path: ConfigPath, token: _Token) -> None:
        self.lines[path] = token[1]
        if token[0] == "{":
            self._members(path)
        elif token[0] == "[":
            self._elements(path)

    def _members(self, path: ConfigPath) -> None:
        for raw, line in self._until("}"):
            self._member((*path, _key(raw)), line)

    def _member(self, path: ConfigPath, line: int) -> None:
        if path in self.lines:
            self.repeats.append(Repeat(path, line, self.lines[path]))
        next(self.tokens)  # the colon
        self.value(path, next(self.tokens))
        self.lines[path] = line

    def _elements(self, path: ConfigPath) -> None:
        for index, token in enumerate(self._until("]")):
            self.value((*path, index), token)

    def _until(self, end: str) -> Iterator[_Token]:
        """Yield the tokens that begin a member or an element; the caller reads the rest of each."""
        inside = takewhile(lambda token: token[0] != end, self.tokens)
        return (token for token in inside if token[0] != ",")


def _key(raw: str) -> str:
    """Return a key without its quotes and escapes."""
    if raw[0] not in "\"'" and "\\" not in raw:
        return raw
    (key,) = pyjson5.decode("{" + raw + ":0}")
    return str(key)
