"""JSON laid out for people, piece by piece: nothing in it is read, so nothing is changed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from adapters.presentation.printable import printable

_PIECE: Final = re.compile(r'"(?:[^"\\]|\\.)*"?|[][{},:]|[^][{},:"\s]+', re.DOTALL)
_DEEPEST: Final = 40
"""Levels that are indented; text nested deeper stays at this one."""

_SHORT: Final = 60
"""Characters of a text that stays on one line."""


def laid_out(text: str) -> str:
    """Return a JSON text in one line if it is short, else indented; what does not print is written.

    Numbers and strings stay as they were sent, to the letter. Text that is no JSON is laid out by
    its brackets all the same.
    """
    pieces = [printable(piece) for piece in _PIECE.findall(text)]
    line = "".join(_spaced(piece) for piece in pieces)
    return line if len(line) <= _SHORT else "".join(_indented(pieces))


def _spaced(piece: str) -> str:
    return f"{piece} " if piece in {",", ":"} else piece


def _indented(pieces: list[str]) -> Iterator[str]:
    depth = 0
    for piece, following in pairwise([*pieces, ""]):
        yield _spaced(piece) if piece == ":" else piece
        opens, closes = piece in {"{", "["}, following in {"}", "]"}
        depth = max(0, depth + opens - closes)
        if (opens and not closes) or piece == "," or (closes and not opens):
            yield "\n" + "  " * min(depth, _DEEPEST)
