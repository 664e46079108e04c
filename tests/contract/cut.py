"""Recorded bodies that end in `...<cut>`: the whole part of them as a template.

The containers that were still open where the text was cut may hold more than the text shows.
"""

import json

from attrs import frozen

from tests.contract.json_structure import CLOSER, marks

MARK = "...<cut>"


@frozen
class Cut:
    """The beginning of an object or of a list whose rest is unknown."""

    begun: object


def parse(text: str) -> object:
    """Parse a recorded JSON body, cut or whole; raises ValueError if it is neither."""
    if not text.endswith(MARK):
        return json.loads(text)
    begun, closers = _whole_part(text.removesuffix(MARK))
    return _mark(json.loads(begun + closers), len(closers))


def _whole_part(text: str) -> tuple[str, str]:
    """Give the text up to its last finished member, and the brackets that would close it."""
    closers, best = "", (0, "")
    for position, mark in marks(text):
        if mark in CLOSER:
            closers = CLOSER[mark] + closers
        elif mark != ",":
            closers = closers[1:]
        best = (position if mark == "," else position + 1, closers)
    return text[: best[0]], best[1]


def _mark(value: object, open_levels: int) -> object:
    """Wrap the containers that are open: each is the last member of the one around it."""
    if not open_levels:
        return value
    match value:
        case dict() if value:
            *_, last = value
            return Cut({**value, last: _mark(value[last], open_levels - 1)})
        case list() if value:
            return Cut([*value[:-1], _mark(value[-1], open_levels - 1)])
        case _:
            return Cut(value)
