"""How much an answer has room for, where its caller decides how much there is to show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import orjson
from attrs import define, field
from orjson import Fragment

ENVELOPE_BYTES: Final = 1024
"""What is kept free for all that is around the items."""


@define
class Room:
    """The bytes that an answer may have; each item that is shown takes its own of them.

    The first item always fits, so that whoever asks for the rest gets on.
    """

    answer_bytes: int
    _used: int = field(default=ENVELOPE_BYTES, init=False)
    _is_empty: bool = field(default=True, init=False)

    def show(self, item: Mapping[str, Any]) -> Fragment | None:
        """Return an item as JSON, or None if there is no room for it: then for none after it."""
        # PERF: an item is text as soon as it is read, so that a long list is held but once.
        text = orjson.dumps(item)
        self._used += len(text) + len(",")
        if self._used > self.answer_bytes and not self._is_empty:
            return None
        self._is_empty = False
        return Fragment(text)

    def show_first(self, items: Iterable[Mapping[str, Any]]) -> list[Fragment]:
        """Return the first items, up to one for which there is no room."""
        shown: list[Fragment] = []
        for item in items:
            fragment = self.show(item)
            if fragment is None:
                break
            shown.append(fragment)
        return shown
