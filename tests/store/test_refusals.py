"""What was refused is kept, bounded, and its counts always add up."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from threading import Barrier, Thread

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.store import open_for_writing, read_refusals, recording_refusals
from domain.flow.ids import FlowId, KeyId, RouteId
from domain.history.refused_requests import (
    DAY,
    DeniedRequest,
    KeptCall,
    NoteDenied,
    RefusalPage,
    RefusalTotal,
    TurnedAway,
    TurnedAwayTotal,
    Wanted,
)
from tests.store.refused import ALL, MONDAY, NOON, a_call, kept_requests, no_fault, sums, url_of

FLOW = FlowId("00000000-0000-4000-8000-000000000001")
OTHER = FlowId("00000000-0000-4000-8000-000000000002")


def record(folder: Path, *refused: DeniedRequest, most: int = 100, buffered: int = 1000) -> str:
    """Note refusals as a gateway does that starts and stops; return the URL of its store."""
    url = url_of(folder)
    with recording_refusals(url, most=most, on_fault=no_fault, buffered=buffered) as note:
        for each in refused:
            note(each)
    return url


def test_a_store_without_a_log_has_no_refusals(tmp_path: Path) -> None:
    url = url_of(tmp_path)
    refusals = read_refusals(url)
    assert refusals.page(ALL, limit=1) == RefusalPage(calls=[], next_cursor=None)
    assert (refusals.totals(ALL), refusals.turned_away(ALL), refusals.of_flow(FLOW)) == ([], [], [])
    assert list(tmp_path.iterdir()) == []


def test_the_status_of_an_answer_stands_in_the_file_beside_its_code(tmp_path: Path) -> None:
    codes = ("not_found", "terminal", "idempotency_key_reused")
    record(tmp_path, *(a_call(number, code=code) for number, code in enumerate(codes)))
    (file,) = tmp_path.glob("*.refusals")
    with closing(sqlite3.connect(file)) as connection:
        rows = connection.execute("SELECT code, status FROM refused_calls ORDER BY number")
        assert rows.fetchall() == list(zip(codes, (404, 409, 422), strict=True))


def test_what_was_noted_is_read_back_whole(tmp_path: Path) -> None:
    first, second = a_call(1, flow_id=FLOW), a_call(2, at=NOON + 5, key_id=KeyId("july"))
    stranger = TurnedAway(at=NOON, route_id=RouteId("zapier"), code="unauthorized")
    refusals = read_refusals(record(tmp_path, first, stranger, second, stranger))
    assert refusals.page(ALL, limit=2) == RefusalPage(
        calls=[KeptCall(number=2, call=second), KeptCall(number=1, call=first)], next_cursor=None
    )
    assert refusals.totals(ALL) == [
        RefusalTotal(
            day=MONDAY,
            route_id=RouteId("zapier"),
            key_id=KeyId(key_id),
            code="terminal",
            counted=1,
            kept=1,
            dropped=0,
        )
        for key_id in ("july", "june")
    ]
    assert refusals.turned_away(ALL) == [
        TurnedAwayTotal(day=MONDAY, route_id=RouteId("zapier"), code="unauthorized", counted=2)
    ]


def test_the_log_is_a_file_for_its_owner_beside_the_database(tmp_path: Path) -> None:
    record(tmp_path, a_call(1))
    (file,) = tmp_path.iterdir()
    assert (file.name, oct(file.stat().st_mode)) == ("flows.db.refusals", "0o100600")


def test_a_store_in_memory_keeps_nothing() -> None:
    with recording_refusals("sqlite://:memory:", most=1, on_fault=no_fault) as note:
        note(a_call(1))


def test_the_oldest_are_dropped_and_stay_counted(tmp_path: Path) -> None:
    days = [a_call(n, at=NOON + n // 4 * DAY) for n in range(10)]
    url = record(tmp_path, *days, most=3)
    assert kept_requests(url) == ["request-9", "request-8", "request-7"]
    counts = [(t.day, t.counted, t.kept, t.dropped) for t in read_refusals(url).totals(ALL)]
    assert counts == [(MONDAY + 2 * DAY, 2, 2, 0), (MONDAY + DAY, 4, 1, 3), (MONDAY, 4, 0, 4)]


def test_a_log_that_keeps_nothing_still_counts(tmp_path: Path) -> None:
    assert sums(record(tmp_path, a_call(1), a_call(2), most=0)) == (2, 0, 2)


def test_a_smaller_bound_is_kept_from_the_next_start_on(tmp_path: Path) -> None:
    record(tmp_path, *map(a_call, range(10)))
    url = record(tmp_path, most=4)
    assert sums(url) == (10, 4, 6)
    assert sums(record(tmp_path, a_call(10), most=4)) == (11, 4, 7)


def test_what_has_no_room_on_its_way_to_the_disk_is_counted_as_dropped(tmp_path: Path) -> None:
    url = record(tmp_path, *map(a_call, range(1000)), most=2000, buffered=5)
    counted, kept, dropped = sums(url)
    assert (counted, kept + dropped) == (1000, 1000)
    assert 5 <= kept < 1000


def test_refusals_are_found_by_what_they_are_of(tmp_path: Path) -> None:
    url = record(
        tmp_path,
        a_call(1, flow_id=FLOW),
        a_call(2, flow_id=OTHER, code="not_found"),
        a_call(3, at=NOON + DAY, route_id=RouteId("n8n"), flow_id=FLOW),
        a_call(4, at=NOON + DAY, key_id=KeyId("july")),
    )

    def found(wanted: Wanted) -> tuple[Sequence[str], int]:
        """Return the last digits of the requests that are shown, and how many are counted."""
        page = read_refusals(url).page(wanted, limit=10)
        totals = read_refusals(url).totals(wanted)
        calls = [kept.call.request_id[-1] for kept in page.calls]
        return calls, sum(total.counted for total in totals)

    assert found(Wanted(route_id=RouteId("n8n"))) == (["3"], 1)
    assert found(Wanted(key_id=KeyId("june"))) == (["3", "2", "1"], 3)
    assert found(Wanted(code="not_found")) == (["2"], 1)
    assert found(Wanted(since=NOON + 1)) == (["4", "3"], 4)
    assert found(Wanted(until=NOON + 1)) == (["2", "1"], 2)
    assert found(Wanted(since=NOON + DAY, until=NOON + 2 * DAY)) == (["4", "3"], 2)
    assert found(Wanted(flow_id=FLOW)) == (["3", "1"], 4)
    assert found(Wanted(flow_id=FLOW, route_id=RouteId("zapier"))) == (["1"], 3)
    of_flow = read_refusals(url).of_flow(FLOW)
    assert of_flow == [
        a_call(3, at=NOON + DAY, route_id=RouteId("n8n"), flow_id=FLOW),
        a_call(1, flow_id=FLOW),
    ]


def test_a_page_goes_on_where_the_one_before_ended(tmp_path: Path) -> None:
    refusals = read_refusals(record(tmp_path, *map(a_call, range(5))))
    seen, cursor = [], None
    while True:
        page = refusals.page(ALL, limit=2, before=cursor)
        seen.append([kept.number for kept in page.calls])
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == [[5, 4], [3, 2], [1]]


Life = list[tuple[list[tuple[int, str]], int, int]]
"""Of each start: the calls by day and route, how many are kept, and how many may wait."""

LIVES: st.SearchStrategy[Life] = st.lists(
    st.tuples(
        st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["a", "b"])), max_size=30),
        st.integers(0, 20),
        st.integers(1, 10),
    ),
    min_size=1,
    max_size=4,
)


@given(LIVES)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_counts_add_up_over_drops_and_restarts(
    tmp_path_factory: pytest.TempPathFactory, lives: Life
) -> None:
    folder = tmp_path_factory.mktemp("log")
    for calls, most, buffered in lives:
        noted = [a_call(0, at=NOON + day * DAY, route_id=RouteId(route)) for day, route in calls]
        record(folder, *noted, most=most, buffered=buffered)
    url = url_of(folder)
    counted = {(t.day, t.route_id): t.counted for t in read_refusals(url).totals(ALL)}
    everything = [(MONDAY + day * DAY, route) for calls, _, _ in lives for day, route in calls]
    assert counted == {each: everything.count(each) for each in set(everything)}
    total, kept, dropped = sums(url)
    assert total == kept + dropped
    assert kept <= lives[-1][1]


def test_counts_add_up_whenever_somebody_looks(tmp_path: Path) -> None:
    """Eight threads note, the log drops, and a reader adds up all the while."""
    url, start = url_of(tmp_path), Barrier(8)

    def busy(note: NoteDenied, thread: int) -> None:
        start.wait()
        for number in range(2000):
            note(a_call(number, route_id=RouteId(f"route-{thread}"), at=NOON + number * 100_000))

    with recording_refusals(url, most=500, on_fault=no_fault, buffered=1000) as note:
        threads = [Thread(target=busy, args=(note, thread)) for thread in range(8)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            counted, kept, dropped = sums(url)
            assert counted == kept + dropped
            assert kept <= 500
        for thread in threads:
            thread.join()
    counted, kept, dropped = sums(url)
    assert (counted, kept + dropped) == (16_000, 16_000)
    assert kept <= 500


def test_what_is_read_beside_the_writer_is_a_second_old_at_most(tmp_path: Path) -> None:
    url = url_of(tmp_path)
    with recording_refusals(url, most=10, on_fault=no_fault) as note:
        note(a_call(1))
        deadline = time.monotonic() + 1
        while not kept_requests(url):
            assert time.monotonic() < deadline
        note(a_call(2))
    assert kept_requests(url) == ["request-2", "request-1"]


def test_the_log_and_its_store_do_not_touch_one_another(tmp_path: Path) -> None:
    url = url_of(tmp_path)
    with closing(open_for_writing(url)) as store:
        record(tmp_path, a_call(1))
        assert store.is_readable()
    (tmp_path / "flows.db.refusals").unlink()
    with closing(open_for_writing(url)) as store:
        assert store.is_readable()
    assert sums(url) == (0, 0, 0)
