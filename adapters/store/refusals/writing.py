"""How a batch of refusals is written: with its counts, in one transaction."""

from __future__ import annotations

import sqlite3
from collections import Counter

from attrs import asdict

from adapters.presentation.http_status import http_status
from adapters.store.refusals import schema
from adapters.store.refusals.waiting import Batch, total_of
from domain.history.refused_requests import RefusedRequest


def write(connection: sqlite3.Connection, batch: Batch, most: int) -> None:
    """Write a batch and its counts, and drop the oldest calls beyond `most`: all, or nothing.

    NOTE: whoever tries again must keep the connection. A commit that failed is rolled back in it;
    opened anew it might find that batch in the write-ahead log, which would then be counted twice.
    """
    totals = Counter(map(total_of, batch.calls))
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(schema.INSERT_CALL, map(_row, batch.calls))
        connection.executemany(schema.ADD_TO_TOTAL, ((*total, n, 0) for total, n in totals.items()))
        connection.executemany(
            schema.ADD_TO_TOTAL, ((*total, n, n) for total, n in batch.overflown.items())
        )
        connection.executemany(
            schema.ADD_TURNED_AWAY, ((*turning, n) for turning, n in batch.turned_away.items())
        )
        _drop_oldest(connection, most)


def _row(call: RefusedRequest) -> dict[str, object]:
    return {**asdict(call), "status": http_status(call.code)}


def _drop_oldest(connection: sqlite3.Connection, most: int) -> None:
    last = connection.execute(schema.LAST_TO_DROP, (most,)).fetchone()
    connection.execute(schema.COUNT_DROPPED, last)
    connection.execute(schema.DROP, last)
