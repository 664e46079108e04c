"""Large JSON values of a flow, a row each, which is written only when the value changes.

In their place the snapshot and the view of the flow hold a mark: a byte that no JSON has, the name
of the value, and its checksum, by which a row of another value is found out.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final, TypeAlias
from zlib import crc32

from adapters.store.database import DatabaseCursor
from domain.flow.evolve import BrokenHistory
from domain.flow.ids import FlowId
from domain.flow.replace import replace
from domain.flow.state import Flow
from domain.flow.values import Json

LARGE: Final = 4096
"""A value of more bytes has a row of its own."""

ValueRow: TypeAlias = tuple[FlowId, str, int, bytes]
"""Flow, name, checksum and text."""

NAMES: Final = ("state_json", "wait_json")
"""The values of a flow that may be large."""

_MARK: Final = re.compile(rb"\0(state_json|wait_json):(\d+)")
_PUT: Final = (
    "INSERT INTO flow_values VALUES (?,?,?,?) ON CONFLICT (flow_id, name) DO UPDATE"
    " SET checksum=excluded.checksum, json=excluded.json"
    # APPSEC: a caller can make values of one length and one checksum.
    " WHERE flow_values.checksum<>excluded.checksum OR flow_values.json<>excluded.json"
)
_SELECT: Final = "SELECT json FROM flow_values WHERE flow_id=? AND name=?"
_DELETE: Final = "DELETE FROM flow_values WHERE flow_id=? AND name=?"


def parted(flow: Flow) -> tuple[Flow, list[ValueRow]]:
    """Return a flow with marks in the place of its large values, and the rows of those.

    PERF: a flow is parted once a change, as a checksum of 200 kB takes a tenth of it.
    """
    rows = [(flow.flow_id, name, crc32(text), text) for name, text in _large(flow)]
    marks: dict[str, Any] = {name: Json(f"\0{name}:{check}") for _, name, check, _ in rows}
    return (replace(flow, **marks) if marks else flow), rows


def value_rows(flow: Flow) -> list[ValueRow]:
    """Return the rows of those values of a flow that are large."""
    return parted(flow)[1]


def with_marks(flow: Flow) -> Flow:
    """Return a flow with marks in the place of its large values; one that has them stays."""
    return parted(flow)[0]


def large_names(flow: Flow) -> set[str]:
    """Return the names of those values of a flow that are large."""
    return {name for name, _ in _large(flow)}


def write_values(
    c: DatabaseCursor,
    flow_id: FlowId,
    rows: Sequence[ValueRow],
    were_large: Collection[str] = NAMES,
) -> None:
    """Leave exactly these rows of a flow that had others; one that is right is not written."""
    if rows:
        c.executemany(_PUT, rows)
    for name in set(were_large) - {row[1] for row in rows}:
        c.execute(_DELETE, (flow_id, name))


def with_values(c: DatabaseCursor, flow: Flow) -> Flow:
    """Return a flow with its large values in the place of their marks.

    Raises:
        BrokenHistory: if the row of one is not there, or not that of its mark.
    """
    values: dict[str, Any] = {}
    for name in NAMES:
        value: Json | None = getattr(flow, name)
        if value is not None and value.text.startswith("\0"):
            values[name] = Json(_filled(c, flow.flow_id, value.text.encode()).decode())
    return replace(flow, **values) if values else flow


def filled(c: DatabaseCursor, flow_id: FlowId, json: bytes) -> bytes | None:
    """Return the JSON of a view with its large values; None if a row is not that of its mark."""
    try:
        return _filled(c, flow_id, json) if b"\0" in json else json
    except BrokenHistory:
        return None


def _filled(c: DatabaseCursor, flow_id: FlowId, json: bytes) -> bytes:
    def value(mark: re.Match[bytes]) -> bytes:
        c.execute(_SELECT, (flow_id, mark[1].decode()))
        row = c.fetchone()
        text = None if row is None else row[0]
        if type(text) is not bytes or crc32(text) != int(mark[2]):
            raise BrokenHistory(f"flow {flow_id}: the row of its {mark[1].decode()} is not right")
        return text

    return _MARK.sub(value, json)


def _large(flow: Flow) -> Iterator[tuple[str, bytes]]:
    for name in NAMES:
        value: Json | None = getattr(flow, name)
        if value is not None and len(text := value.text.encode()) > LARGE:
            yield name, text
