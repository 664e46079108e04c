from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from adapters.pages.flow_history import MOST_REPLAYED
from adapters.pages.flow_page import MOST_TASKS
from adapters.store import StoreAuditLog, open_for_reading, read_refusals
from domain.flow.commands import RunTask
from domain.flow.ids import FlowId
from domain.flow.status import Runtime
from tests.pages.seeds import DAY, HOSTILE, Seeds, sow, sowing
from tests.pages.workbench import Desk, desk_over, seen


def test_a_flow_tells_its_goal_state_and_steps(desk: Desk, seeds: Seeds) -> None:
    text = seen(desk.page(f"/flows/{seeds.busy}")).text
    assert "Reconcile the invoices of November with the statements of the bank" in text
    assert "State after version 13" in text
    assert "Flow became blocked 2026-11-25T17:05:23.000Z · version 11, revision 3" in text
    assert "by route zapier, key 2026-01, from 203.0.113.7" in text
    assert "13 events and 2 tasks; the flow is succeeded." in text


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ("8", "As it was after version 8 of 13, 2026-11-23T12:03:43.000Z"),
        ("r1", "As it was after version 8 of 13"),
        ("2026-11-24", "As it was after version 8 of 13"),
    ],
)
def test_a_flow_is_shown_as_it_was(desk: Desk, seeds: Seeds, at: str, said: str) -> None:
    text = seen(desk.page(f"/flows/{seeds.busy}?at={at}")).text
    assert said in text
    assert "State after version 8" in text


@pytest.mark.parametrize(
    ("at", "status", "said"),
    [
        ("99", 404, "This flow was nothing at 99: it has versions 1 to 13."),
        ("2020-01-01", 404, "This flow was nothing at 2020-01-01"),
        ("soon", 400, "expected a version (7), a revision (r3) or a time in UTC"),
    ],
)
def test_a_moment_that_is_none_is_named(
    desk: Desk, seeds: Seeds, at: str, status: int, said: str
) -> None:
    answer = desk.get(f"/flows/{seeds.busy}?at={at}")
    assert answer.status_code == status
    assert said in seen(answer.text).text


def test_an_unknown_flow_is_named(desk: Desk) -> None:
    answer = desk.get("/flows/a%2Fb%3Cscript%3E")
    assert answer.status_code == 404
    assert "There is no flow a/b<script>." in seen(answer.text).text
    assert "<script" not in answer.text


@pytest.mark.parametrize("path", ["/", "/flows/{}", "/flows/{}?at=1", "/?q=%3Cscript%3E"])
def test_nothing_that_a_caller_wrote_becomes_a_part_of_the_page(
    desk: Desk, seeds: Seeds, path: str
) -> None:
    page = desk.page(path.format(seeds.hostile))
    assert seen(page).tags.isdisjoint({"script", "img", "b", "style"} - {"b"})
    assert "<script" not in page
    assert "<img" not in page
    assert not any(character in page for character in "\u202e\x1b")
    assert repr(HOSTILE)[1:8] in seen(page).text


def test_a_long_flow_is_told_in_windows(desk: Desk, seeds: Seeds) -> None:
    page = seen(desk.page(f"/flows/{seeds.long}"))
    assert "Versions 101 to 120 of 120" in page.text
    earlier = f"/flows/{seeds.long}?at=120&from=1"
    assert f"{earlier}#steps" in page.links
    assert "Versions 1 to 100 of 120" in seen(desk.page(earlier)).text


def test_a_huge_flow_makes_no_huge_page(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'flows.db'}"
    with sowing(url) as seeder:
        flow = seeder.create("<i>" + "\u202e" * 262_144, state=["</pre>" * 40_000])
    store = open_for_reading(url)
    desk = Desk(StoreAuditLog(store), read_refusals(url), tmp_path / "none", "no key")
    pages = [desk.page(path) for path in ("/", f"/flows/{flow}", f"/proofs/{flow}?at=1")]
    store.close()
    assert max(map(len, pages)) < 1_500_000
    assert not any("\u202e" in page or "<i>" in page for page in pages)
    assert "characters more" in pages[1]


def test_a_damaged_history_is_told_as_far_as_it_goes(tmp_path: Path) -> None:
    sown = sow(tmp_path, long=3)
    with sqlite3.connect(tmp_path / "flows.db") as database:
        database.execute("DELETE FROM stored_events WHERE rowid = 5")
    database.close()
    with desk_over(sown) as desk:
        text = seen(desk.page(f"/flows/{sown.seeds.busy}")).text
    assert "The history is damaged." in text
    assert "version 6 follows where 5 was due" in text
    assert "What follows is shown up to version 4." in text
    assert "Stored, but not understood" in text


def test_what_a_gateway_writes_meanwhile_is_seen(tmp_path: Path) -> None:
    sown = sow(tmp_path, long=3)
    with desk_over(sown) as desk, sowing(sown.url, first=1000) as gateway:
        gateway.at += 10 * DAY
        for number in range(3):
            state = {"number": number}
            flow = gateway.create(f"Letter {number}", state=state)
            assert f"Letter {number}" in seen(desk.page("/")).text
            assert f'"number": {number}' in seen(desk.page(f"/flows/{flow}")).text


def test_a_flow_of_many_tasks_shows_the_last_ones(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'flows.db'}"
    with sowing(url) as seeder:
        flow = seeder.create("Write many letters")
        for number in range(MOST_TASKS + 2):
            run = RunTask(flow_id=FlowId(flow), runtime=Runtime.ACP, task=f"Letter {number}.")
            seeder.execute(run)
    store = open_for_reading(url)
    desk = Desk(StoreAuditLog(store), read_refusals(url), tmp_path / "none", "no key")
    text = seen(desk.page(f"/flows/{flow}?from=1")).text
    store.close()
    tasks = text[text.index("Tasks after") : text.index("Proof of")]
    assert "Letter 2." in tasks
    assert "Letter 1." not in tasks
    assert "2 earlier tasks are not shown" in tasks


def test_a_snapshot_that_was_deleted_is_no_alarm(tmp_path: Path) -> None:
    sown = sow(tmp_path, long=3)
    with sqlite3.connect(tmp_path / "flows.db") as database:
        database.execute("DELETE FROM stored_snapshots")
    database.close()
    with desk_over(sown) as desk:
        page = desk.page(f"/flows/{sown.seeds.busy}")
    assert 'role="alert"' not in page
    assert "State after version 13" in seen(page).text


def test_a_healthy_flow_is_said_to_follow_the_rules(desk: Desk, seeds: Seeds) -> None:
    for flow in (seeds.busy, seeds.failed, seeds.hostile, seeds.long, seeds.pending):
        page = desk.page(f"/flows/{flow}")
        assert "Replayed with this look: every event follows" in page
        assert 'role="alert"' not in page


def test_a_flow_with_too_many_events_is_not_replayed_with_each_look(tmp_path: Path) -> None:
    sown = sow(tmp_path, long=MOST_REPLAYED + 1)
    with sqlite3.connect(tmp_path / "flows.db") as database:
        database.execute(
            "UPDATE stored_snapshots SET state = CAST(replace(CAST(state AS TEXT), 'temperature',"
            " 'humidity') AS BLOB)"
        )
    database.close()
    with desk_over(sown) as desk:
        text = seen(desk.page(f"/flows/{sown.seeds.long}")).text
    assert "too many events to be replayed with each look" in text
    assert "The store's snapshot is not what the events add up to." in text
