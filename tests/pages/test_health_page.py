from __future__ import annotations

import sqlite3
from pathlib import Path
from threading import Event
from threading import enumerate as threads

from attrs import evolve
from falcon.testing import TestClient

from domain.tlog.checkpoints import KnownCheckpoints
from tests.pages.seeds import Sown, sow
from tests.pages.workbench import PASSWORD, USER, Desk, basic, desk_over, seen


def checked(desk: Desk) -> str:
    """Start a checkup, wait for its end, and return what the page says then."""
    answer = desk.get("/health?check=now")
    assert (answer.status_code, answer.headers["location"]) == (303, "/health")
    for thread in threads():
        if thread.name == "checkup":
            thread.join()
    return seen(desk.page("/health")).text


def test_the_size_of_the_log_is_known_at_once(desk: Desk) -> None:
    text = seen(desk.page("/health")).text
    assert "Size of the log 144 Last event" in text
    assert "No checkup was made since these pages are served." in text
    assert "2 refusals to callers with a valid key; 0 of them are counted only." in text


def test_a_healthy_log_is_called_healthy(desk: Desk) -> None:
    text = checked(desk)
    assert "Nothing was found. 6 flows with 144 events were replayed" in text
    assert "1 checkpoint agreed with the log; the largest covers the first 141 events" in text
    assert "Of 3 events nothing is proven yet." in text


def test_a_changed_event_is_found(tmp_path: Path) -> None:
    sown = sow(tmp_path, long=3)
    with sqlite3.connect(tmp_path / "flows.db") as database:
        database.execute(
            "UPDATE stored_events SET state = CAST(replace(CAST(state AS TEXT), 'the bank',"
            " 'the bunk') AS BLOB) WHERE rowid = 1"
        )
    database.close()
    with desk_over(sown) as desk:
        text = checked(desk)
        flow = seen(desk.page(f"/flows/{sown.seeds.busy}")).text
    assert "There are findings." in text
    assert "history_changed" in text
    assert "snapshot_differs" in text
    assert "Replaying this flow shows 2 findings. The page shows what the events say." in flow
    assert "snapshot_differs at version 13: its snapshot differs in goal" in flow


def test_without_checkpoints_there_is_no_comparison(sown: Sown) -> None:
    with desk_over(evolve(sown, public_key="no key")) as desk:
        text = checked(desk)
    assert "Nothing was found." in text
    assert "Not compared:" in text


def test_a_checkup_that_runs_says_how_far_it_is(desk: Desk) -> None:
    reached, go_on = Event(), Event()

    def slow() -> KnownCheckpoints:
        reached.set()
        assert go_on.wait(30)
        return KnownCheckpoints(own=())

    desk.rearrange(checkpoints=slow)
    desk.get("/health?check=now")
    assert reached.wait(30)
    desk.get("/health?check=now")
    answer = desk.get("/health")
    go_on.set()
    assert answer.headers["refresh"] == "2"
    assert "A checkup runs since 2026-11-23T12:00:00.000Z" in seen(answer.text).text
    text = checked(desk)
    assert "No checkpoint agreed with the log, so nothing is proven by one." in text
    assert len([thread for thread in threads() if thread.name == "checkup"]) == 0


def test_a_checkup_that_fails_says_so_and_another_may_follow(desk: Desk) -> None:
    fault = RuntimeError("our fault")

    def failing() -> KnownCheckpoints:
        raise fault

    desk.rearrange(checkpoints=failing)
    for _ in range(2):
        assert "broke off at 2026-11-23T12:00:00.000Z : the log of this program" in checked(desk)
    assert desk.faults == [fault, fault]


def test_a_checkup_is_not_started_from_elsewhere(desk: Desk) -> None:
    headers = {**basic(USER, PASSWORD), "Sec-Fetch-Site": "cross-site"}
    answer = TestClient(desk.app).simulate_get("/health?check=now", headers=headers)
    assert answer.status_code == 403
    assert "No checkup was made" in seen(desk.page("/health")).text


def test_a_store_that_holds_something_else_says_so(tmp_path: Path) -> None:
    sown = sow(tmp_path, long=3)
    with sqlite3.connect(tmp_path / "flows.db") as database:
        database.execute("UPDATE stored_events SET state = 'text' WHERE rowid = 1")
    database.close()
    said = "the event at position 1: its version or state is not of the type that we write."
    with desk_over(sown) as desk:
        answer = desk.get(f"/flows/{sown.seeds.busy}")
        assert f"The store is damaged: {said}" in seen(answer.text).text
        text = checked(desk)
    assert (
        f"The last checkup broke off at 2026-11-23T12:00:00.000Z : the store is damaged: {said}"
        in text
    )
