"""How much an answer has room for, where its caller decides how much there is to show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import orjson
from attrs import define, evolve, field
from orjson import Fragment

from adapters.webhooks.responses import Response
from adapters.webhooks.schemas import MOST_LISTED
from adapters.webhooks.steps import LONG

ENVELOPE_BYTES: Final = 1024
"""What is kept free for all that is around the list."""

PIECE_BYTES: Final = 1_048_576
"""Pieces are at least this long: few writes, each of memory that is given back when it is sent."""

_HOLE: Final = b"\0"
"""Stands for the items until a response is whole; no JSON has this byte."""

SHORT_BYTES: Final = 262_144
"""What an answer may have that the I/O thread makes."""

LIST: Final = Fragment(b"[" + _HOLE + b"]")
"""What a result holds in the place of its list."""


@define
class Room:
    """The bytes that an answer may have, and the list of items that takes them.

    PERF: an item is text as soon as it is read, and the text is sent from where it is; so a list
    of 8 MB takes 8 MB, not 40.
    """

    answer_bytes: int
    most_items: int = MOST_LISTED
    is_short: bool = False
    count: int = field(default=0, init=False)
    """How many items the list has."""
    _used: int = field(default=ENVELOPE_BYTES, init=False)
    _pieces: list[bytes] = field(factory=list, init=False)
    _piece: list[bytes] = field(factory=list, init=False)
    _piece_bytes: int = field(default=0, init=False)

    @classmethod
    def short(cls, answer_bytes: int) -> Room:
        """Return one for an answer that is made within a moment."""
        return cls(min(answer_bytes, SHORT_BYTES), LONG, is_short=True)

    def spend(self, text: bytes) -> Fragment:
        """Count what the answer shows beside its list."""
        self._used += len(text)
        return Fragment(text)

    def add(self, item: Mapping[str, Any]) -> bool:
        """Add an item to the list, if there is room for it; the first one always fits."""
        return self.add_text(orjson.dumps(item))

    def add_text(self, text: bytes) -> bool:
        """Add the JSON of an item to the list, if there is room for it; else as `add`."""
        used = self._used + len(text)
        if used > self.answer_bytes and self.count:
            return False
        self.count += 1
        self._used = used + len(b",")
        self._piece.append(text)
        self._piece_bytes += len(text)
        if self._piece_bytes >= PIECE_BYTES:
            self._pieces.append(b",".join(self._piece))
            self._piece, self._piece_bytes = [b""], 0
        return True

    def add_first(self, items: Iterable[Mapping[str, Any]]) -> int:
        """Add the first items, up to one for which there is no room; return how many."""
        count = 0
        for item in items:
            if not self.add(item):
                break
            count += 1
        return count

    def put_into(self, response: Response) -> Response:
        """Put the list into the place that a response has for it, if it has one."""
        before, hole, after = response.body.partition(_HOLE)
        if not hole:
            return response
        pieces = [before, *self._pieces, b",".join(self._piece) + after]
        if not self._pieces:
            return evolve(response, body=b"".join(pieces))
        return evolve(response, body=b"", pieces=pieces)
