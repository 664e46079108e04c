"""What an owner's flows are found by: their correlation keys, and the filters of a list."""

from __future__ import annotations

from typing import Final, TypeAlias

from adapters.store import schema
from adapters.store.database import DatabaseCursor
from domain.application.ports import ListFilter
from domain.flow.ids import FlowId, Owner
from domain.flow.state import Flow, is_named
from domain.flow.values import Timestamp

NameRow: TypeAlias = tuple[Owner, str, FlowId]
FilterRow: TypeAlias = tuple[int, FlowId, Owner, str, str, str | None, str | None, Timestamp]
"""Position, flow, owner, status, controller, step, correlation key, and when it was updated."""

_EQUAL: Final = ("correlation_key", "current_step", "controller_id")
"""What an index finds flows by, the fewest first; each index has them in the order of creation."""


def name_rows(flow: Flow) -> list[NameRow]:
    """Return the row of the correlation key that names a flow now, if one does."""
    key = flow.correlation_key
    return [(flow.owner, key, flow.flow_id)] if key is not None and is_named(flow, key) else []


def filter_row(flow: Flow, position: int) -> FilterRow:
    """Return the row by which the lists of its owner find a flow."""
    return (
        position,
        flow.flow_id,
        flow.owner,
        flow.status.value,
        flow.controller_id,
        flow.current_step,
        flow.correlation_key,
        flow.updated_at,
    )


def changed_filters(flow: Flow) -> tuple[FlowId, str, str | None, Timestamp]:
    """Return the columns of a row that change with a flow, behind its id."""
    return (flow.flow_id, flow.status.value, flow.current_step, flow.updated_at)


def write_name(c: DatabaseCursor, flow: Flow, *, is_new: bool) -> None:
    """Let a correlation key name a flow that is new, and no flow any more that has ended.

    Raises:
        sqlite3.IntegrityError: if the key names another flow.
    """
    if flow.correlation_key is None:
        return
    rows = name_rows(flow)
    if is_new:
        c.executemany(schema.INSERT_NAME, rows)
    if not rows:
        c.execute(schema.DELETE_NAME, (flow.owner, flow.correlation_key, flow.flow_id))


def write_found_by(c: DatabaseCursor, flow: Flow) -> None:
    """Write all that a flow is found by, where the index has it."""
    c.executemany(schema.PUT_NAME, name_rows(flow))
    c.execute(schema.SELECT_POSITION, (flow.flow_id, flow.owner))
    row = c.fetchone()
    if row is not None and isinstance(row[0], int):  # of a damaged row it may be anything
        c.execute(schema.PUT_FILTERS, filter_row(flow, row[0]))


def page_query(
    owner: Owner | None, limit: int, before: int | None, only: ListFilter, columns: str | None
) -> tuple[str, list[object]]:
    """Return the statement of a page of some columns of the index, or else of the view.

    One filter chooses the index; what is left is compared flow by flow.
    """
    equal = {name: value for name in _EQUAL if (value := getattr(only, name)) is not None}
    first = next(iter(equal), None)
    conditions: list[tuple[str, object]] = [("i.owner=?", owner), ("i.position<?", before)]
    for name, value in equal.items():
        if name == first:
            # PERF: PostgreSQL has an index of the first 200 characters, SQLite of all.
            conditions += [(f"substr(i.{name},1,200)=substr(?,1,200)", value)]
        # PERF: of an expression there is no index.
        conditions += [(f"i.{name}=?" if name == first else f"i.{name}||''=?", value)]
    since = "i.updated_at>=?" if first is None else "i.updated_at+0>=?"
    status = None if only.status is None else only.status.value
    conditions += [(since, only.updated_since), ("i.status=?", status)]
    given = [(text, value) for text, value in conditions if value is not None]
    is_filtered = first is not None or only.updated_since is not None
    select = columns or (schema.FILTERED_VIEWS if is_filtered else schema.VIEWS)
    where = f" WHERE {' AND '.join(text for text, _ in given)}" if given else ""
    query = f"{select}{where} ORDER BY i.position DESC LIMIT ?"
    return query, [*(value for _, value in given), limit]
