"""What callers are shown of a flow, kept as the wire's JSON: rendered once a change, read as it is.

A row is a cache. One that is missing, of an older format or damaged is not used, and the flow is
rendered from what its events add up to.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, TypeAlias
from zlib import crc32

from adapters.presentation.wire_json import FLOW_FORMAT, render_flow
from adapters.store.database import DatabaseCursor
from adapters.store.schema import HAS_FORMAT, ROWS_FORMAT
from adapters.store.values import with_marks
from domain.flow.ids import FlowId, Owner
from domain.flow.state import Flow

ViewRow: TypeAlias = tuple[FlowId, Owner, int, int, bytes]
"""The columns of a row behind its position."""

FORMAT: Final = 100 * ROWS_FORMAT + FLOW_FORMAT
"""Of what is derived; a store of another one is brought to this one when it is opened."""


def view_row(flow: Flow) -> ViewRow:
    """Return the row of a flow as it is, with marks in the place of large values."""
    json = render_flow(with_marks(flow))
    check = _checksum(flow.owner, flow.flow_id, flow.version, json)
    return (flow.flow_id, flow.owner, flow.version, check, json)


def are_rows_kept(cursor: DatabaseCursor) -> bool:
    """Say whether a store has all that is derived of its flows, in the present format."""
    cursor.execute(HAS_FORMAT)
    if cursor.fetchone() is None:
        return False
    cursor.execute("SELECT format FROM view_format")
    return [row[0] for row in cursor.fetchall()] == [FORMAT]


def sound_json(
    owner: Owner, flow_id: FlowId, version: object, check: object, json: object
) -> bytes | None:
    """Return the JSON of a row, unless the row is not what we wrote for this flow of this owner."""
    if type(json) is not bytes or type(version) is not int:
        return None
    return json if check == _checksum(owner, flow_id, version, json) else None


def _checksum(owner: Owner, flow_id: FlowId, version: int, json: bytes) -> int:
    # NOTE: against damage, and rows put in one another's place; not against a forger.
    return crc32(json, crc32(f"{flow_id}\0{version}".encode(), _beginning(FLOW_FORMAT, owner)))


@lru_cache(256)
def _beginning(flow_format: int, owner: Owner) -> int:
    # PERF: all rows of a list begin alike.
    return crc32(f"{flow_format}\0{owner}\0".encode())
