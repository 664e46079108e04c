"""Searches over more flows than one request looks at."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest

from adapters.pages.log_search import position_after
from adapters.pages.query import FlowQuery
from adapters.pages.search import BUDGET_SECONDS, PAGE, search
from adapters.store import EventSourcedStore, StoreAuditLog, open_for_reading
from domain.history.audit_log import AuditLog
from tests.pages.seeds import DAY, HOUR, NOON, sowing

COUNT = 150


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EventSourcedStore]:
    """A store with a flow every hour, each third of which is an invoice."""
    url = f"sqlite:///{tmp_path_factory.mktemp('search') / 'flows.db'}"
    with sowing(url) as seeder:
        for number in range(COUNT):
            seeder.at = NOON + number * HOUR - 1000
            seeder.create(f"{'Invoice' if number % 3 == 0 else 'Letter'} {number}")
    store = open_for_reading(url)
    yield store
    store.close()


@pytest.fixture
def audit_log(store: EventSourcedStore) -> AuditLog:
    """That store laid open."""
    return StoreAuditLog(store)


def numbers(audit_log: AuditLog, query: FlowQuery, tick: float = 0.0) -> list[list[int]]:
    """Return the numbers of the flows that are found, request by request."""
    clock, found, cursor = count(0, tick), [], query.before
    while True:
        asked = FlowQuery(since=query.since, until=query.until, q=query.q, before=cursor)
        page = search(audit_log, asked, lambda: next(clock))
        found.append([int(flow.goal.split()[1]) for flow in page.flows])
        cursor = page.next_cursor
        if cursor is None:
            return found


def test_a_search_fills_a_page_and_goes_on_behind_it(audit_log: AuditLog) -> None:
    everything = FlowQuery(q=" ")
    newest, *rest = numbers(audit_log, everything)
    assert newest == list(range(COUNT - 1, COUNT - 1 - PAGE, -1))
    assert sum(rest, newest) == list(range(COUNT - 1, -1, -1))


def test_a_search_whose_time_is_up_goes_on_where_it_was(audit_log: AuditLog) -> None:
    found = numbers(audit_log, FlowQuery(q="invoice"), tick=BUDGET_SECONDS)
    assert found == [list(range(147, 49, -3)), list(range(48, -1, -3))]


def test_a_search_begins_and_ends_where_the_times_allow(audit_log: AuditLog) -> None:
    since, until = NOON + 40 * HOUR, NOON + 50 * HOUR
    assert numbers(audit_log, FlowQuery(since=since, until=until)) == [list(range(49, 39, -1))]
    page = search(audit_log, FlowQuery(since=since, until=until), lambda: 0.0)
    assert page.looked_at < COUNT


def test_a_moment_is_found_by_halving(audit_log: AuditLog) -> None:
    moments = (NOON - 1, NOON, NOON + HOUR // 2, NOON + 70 * HOUR, NOON + 999 * HOUR)
    assert [position_after(audit_log, at) for at in moments] == [1, 2, 2, 72, COUNT + 1]


def test_what_is_too_late_by_more_than_a_day_is_not_looked_at(audit_log: AuditLog) -> None:
    page = search(audit_log, FlowQuery(until=NOON - 2 * DAY), lambda: 0.0)
    assert (page.flows, page.looked_at) == ([], 0)


def test_a_moment_behind_a_gap_is_looked_for_from_the_newest_on(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'flows.db'}"
    with sowing(url) as seeder:
        for number in range(3):
            seeder.create(f"Letter {number}")
    for spoiled in (
        "UPDATE stored_events SET state = x'00' WHERE rowid = 2",
        "DELETE FROM stored_events WHERE rowid = 2",
    ):
        with sqlite3.connect(tmp_path / "flows.db") as database:
            database.execute(spoiled)
        database.close()
        with closing(open_for_reading(url)) as store:
            assert position_after(StoreAuditLog(store), NOON) == 4
