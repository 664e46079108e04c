"""A page out of a million flows reads as many rows, and blocks, as one out of a hundred."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import psycopg
import pytest

from adapters.store.lists import page_query
from adapters.store.postgres.rows import to_postgres
from domain.application.ports import ListFilter
from domain.flow.ids import Owner
from domain.flow.status import FlowStatus

PAGE: Final = 100
MANY: Final = 1_000_000
OWNERS: Final = {Owner("few"): PAGE, Owner("many"): MANY}
LARGER: Final = 2
"""How many levels more a tree of a million may have, in each of two of them."""
_INDEX: Final = (
    "INSERT INTO flow_index SELECT %(o)s || '-' || n, %(o)s, %(first)s + n, 'queued', NULL"
    " FROM generate_series(1, %(count)s) n"
)
_VIEWS: Final = (
    "INSERT INTO flow_views SELECT position, flow_id, owner, 1, 1, '{}' FROM flow_index"
    " WHERE owner = %(o)s"
)


@pytest.mark.full
@pytest.mark.parametrize("status", [None, FlowStatus.QUEUED])
def test_a_page_reads_as_many_rows_and_blocks(own_url: str, status: FlowStatus | None) -> None:
    with psycopg.connect(own_url, autocommit=True) as connection:
        connection.execute("SET statement_timeout = 0")
        for first, (owner, count) in enumerate(OWNERS.items()):
            named = {"o": owner, "first": first * PAGE, "count": count}
            connection.execute(_INDEX, named)
            connection.execute(_VIEWS, named)
        connection.execute("VACUUM ANALYZE")
        few, many = (
            explained(connection, owner, before, status)
            for owner, before in ((Owner("few"), None), (Owner("many"), MANY // 2))
        )
    assert few["Plan"]["Actual Rows"] == many["Plan"]["Actual Rows"] == PAGE
    assert most_rows(few) == most_rows(many) == PAGE
    assert blocks(many) <= blocks(few) + PAGE * LARGER


def explained(
    connection: psycopg.Connection[Any], owner: Owner, before: int | None, status: FlowStatus | None
) -> Any:  # noqa: ANN401 - JSON
    query, params = page_query(owner, PAGE, before, ListFilter(status=status), None)
    cursor = psycopg.RawCursor(connection)
    cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {to_postgres(query)}", params)
    row = cursor.fetchone()
    assert row is not None
    return row[0][0]


def nodes(plan: Any) -> Iterator[Any]:  # noqa: ANN401 - JSON
    yield plan
    for each in plan.get("Plans", ()):
        yield from nodes(each)


def most_rows(explained: Any) -> float:  # noqa: ANN401 - JSON
    """Return how many rows the node with most of them read."""
    return max(
        float(node["Actual Rows"] * node["Actual Loops"]) for node in nodes(explained["Plan"])
    )


def blocks(explained: Any) -> int:  # noqa: ANN401 - JSON
    plan = explained["Plan"]
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])
