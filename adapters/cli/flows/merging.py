"""Lists of the flows of several stores, merged, with a cursor that has a place in each."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError
from collections.abc import Mapping, Sequence
from heapq import merge
from itertools import islice
from typing import Final, TypeAlias

from attrs import frozen

from adapters.cli.parser import positive_number
from domain.application.ports import Page
from domain.flow.state import Flow

FlowsCursor: TypeAlias = Mapping[str, int]
"""By the name of a shard, the position before which its list goes on; one store has no name."""

_PART: Final = re.compile(r"(?:(?P<name>[a-z0-9-]+):)?(?P<position>\d+)")


def parse_cursor(text: str) -> FlowsCursor:
    """Return the cursor that an argument is: `4711`, or `first:4711,second:12`."""
    parts = [_PART.fullmatch(part) for part in text.split(",")]
    found = {part["name"] or "": positive_number(part["position"]) for part in parts if part}
    if len(found) < len(parts) or ("" in found and len(found) > 1):
        raise ArgumentTypeError(f"expected the cursor of a list, found {text!r}")
    return found


@frozen
class PartOfList:
    """The newest flows of one store that are to be listed, and the position of each."""

    name: str
    before: int | None
    page: Page[Flow]
    positions: Sequence[int | None]


@frozen
class MergedList:
    """Flows of all stores, newest first, and the cursor of the rest if there is a rest."""

    flows: Sequence[Flow]
    next_cursor: str | None


def merged(parts: Sequence[PartOfList], limit: int) -> MergedList:
    """Return the newest flows of some stores; those of each stay in the order of its own.

    A flow that a clock puts before an older one of its store is so listed in no wrong place of it,
    and the cursor has one place in each store.
    """
    if len(parts) == 1 and not parts[0].name:
        page = parts[0].page
        rest = None if page.next_cursor is None else str(page.next_cursor)
        return MergedList(page.flows, rest)
    rows = [
        [(flow, part.name, at) for flow, at in zip(part.page.flows, part.positions, strict=True)]
        for part in parts
    ]
    shown = list(islice(merge(*rows, key=lambda row: -row[0].created_at), limit))
    reached = {part.name: part.before for part in parts} | {name: at for _, name, at in shown}
    is_cut = len(shown) < sum(map(len, rows)) or any(part.page.next_cursor for part in parts)
    places = [f"{name}:{at}" for name, at in reached.items() if at is not None]
    return MergedList([flow for flow, _, _ in shown], ",".join(places) if is_cut else None)
