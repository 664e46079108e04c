"""Waits on a real store: found by an index when they are due, and ended once."""

from __future__ import annotations

from contextlib import closing
from typing import Final

import pytest
from attrs import evolve

from adapters.store import EventSourcedStore, StoreAuditLog, open_for_writing, rebuild, schema
from adapters.testing.clock import ControlledClock
from adapters.testing.ids import CountedIds
from domain.application.due_waits import AT_ONCE, DueWait, EndedWaits
from domain.application.outcomes import Rejected
from domain.application.ports import IssuedLink
from domain.application.recorded_events import ActorKind
from domain.application.sessions import TaskFlows
from domain.flow.commands import ExpireWait, FollowLink, ResumeFlow
from domain.flow.commands import SetWaiting as Wait
from domain.flow.ids import KeyId, RouteId
from domain.flow.status import FlowStatus, OnTimeout
from domain.replay.findings import FindingCode
from tests.audit.healthy import FAR_PAST
from tests.audit.whole_logs import replay_store
from tests.store.service import ORIGIN, OWNER, ROUTE, STRANGER, creation, shown
from tests.store.tables import HEALTHY, LINKS, WAITS, execute, rows
from tests.store.waits import BY_LINK, DUE, LINK, World

FORGE: Final = "UPDATE stored_events SET state=CAST(replace(CAST(state AS TEXT), ?, ?) AS BLOB)"


@pytest.fixture
def world(store: EventSourcedStore) -> World:
    return World(store)


@pytest.fixture
def on_sqlite(file_store: EventSourcedStore) -> World:
    """A world whose tables are looked at, and forged, in SQLite's own words."""
    return World(file_store)


def test_a_wait_that_is_due_ends_once_and_one_that_is_not_goes_on(world: World) -> None:
    goes_on = world.waiting(until=DUE, on_timeout=OnTimeout.RESUME)
    fails = world.waiting(until=DUE)
    later = world.waiting(until=DUE + 1)
    assert world.system.end_due_waits() == EndedWaits()
    world.clock.now = DUE
    assert world.system.end_due_waits() == EndedWaits(resumed=1, failed=1)
    assert world.system.end_due_waits() == EndedWaits()
    statuses = [world.flow(each).status for each in (goes_on, fails, later)]
    assert statuses == [FlowStatus.QUEUED, FlowStatus.FAILED, FlowStatus.WAITING]
    last = list(world.store.history(goes_on))[-1].metadata.actor
    assert (last.kind, last.name) == (ActorKind.SYSTEM, "sweep")


def test_a_wait_is_in_the_index_while_it_lasts(world: World) -> None:
    flow_id = world.waiting(until=DUE)
    assert rows(world.store, WAITS) == [(flow_id, DUE)]
    later = Wait(flow_id=flow_id, expected_revision=1, until=DUE + 5)
    shown(world.session.execute(later, ORIGIN))
    assert rows(world.store, WAITS) == [(flow_id, DUE + 5)]
    shown(world.session.execute(ResumeFlow(flow_id=flow_id, expected_revision=2), ORIGIN))
    assert rows(world.store, WAITS) == []


def test_due_waits_are_found_without_a_look_at_the_others(on_sqlite: World) -> None:
    with on_sqlite.store.application.datastore.reading() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {schema.SELECT_DUE}", (DUE, -1, "", 10))
        plan = [row["detail"] for row in cursor.fetchall()]
    assert [step.split(" ")[0] for step in plan] == ["SEARCH", "SEARCH"]
    assert "flow_waits_until" in plan[0]


def test_due_waits_come_in_their_order_and_in_parts(world: World) -> None:
    ids = [world.waiting(until=DUE - number % 2) for number in range(5)]
    first = world.store.due(DUE, None, 3)
    rest = world.store.due(DUE, first[-1], 3)
    found = [(wait.until, wait.flow_id) for wait in (*first, *rest)]
    assert found == sorted((DUE - number % 2, each) for number, each in enumerate(ids))
    assert len(first) == 3


def test_more_waits_than_one_commit_takes_end_in_steps_until_it_is_stopped(world: World) -> None:
    for _ in range(AT_ONCE + 1):
        world.waiting(until=DUE)
    world.clock.now = DUE
    assert world.system.end_due_waits(lambda: False) == EndedWaits(failed=AT_ONCE)
    assert world.system.end_due_waits() == EndedWaits(failed=1)


def test_a_flow_that_cannot_be_read_keeps_no_other_from_its_end(on_sqlite: World) -> None:
    broken, *_ = [on_sqlite.waiting(until=DUE - 1) for _ in range(AT_ONCE)]
    sound = on_sqlite.waiting(until=DUE)
    execute(on_sqlite.store, "UPDATE stored_events SET state=x'00' WHERE originator_id=?", broken)
    execute(on_sqlite.store, "DELETE FROM stored_snapshots")
    on_sqlite.clock.now = DUE
    with pytest.raises(Exception, match=broken):
        on_sqlite.system.end_due_waits()
    assert on_sqlite.flow(sound).status is FlowStatus.FAILED


def test_a_wait_that_was_due_while_nobody_served_ends_once_after_the_start(file_url: str) -> None:
    with closing(open_for_writing(file_url)) as store:
        flow_id = World(store).waiting(until=DUE)
    with closing(open_for_writing(file_url)) as store:
        world = World(store, ControlledClock(DUE + 10**6), CountedIds())
        assert world.system.end_due_waits() == EndedWaits(failed=1)
        assert world.system.end_due_waits() == EndedWaits()
        assert world.flow(flow_id).ended_at == DUE + 10**6


def test_a_clock_that_steps_back_ends_no_wait_twice_and_none_early(world: World) -> None:
    flow_id = world.waiting(until=DUE, on_timeout=OnTimeout.RESUME)
    world.clock.now = DUE
    assert world.system.end_due_waits() == EndedWaits(resumed=1)
    world.clock.step_back(1500)
    wait = Wait(flow_id=flow_id, expected_revision=2, until=DUE + 1, on_timeout=OnTimeout.RESUME)
    shown(world.session.execute(wait, ORIGIN))
    assert world.system.end_due_waits() == EndedWaits()
    world.clock.now = DUE + 1
    assert world.system.end_due_waits() == EndedWaits(resumed=1)


def test_a_link_is_found_by_its_hash_with_the_key_that_it_was_made_for(world: World) -> None:
    flow_id = world.waiting(link_hash=LINK)
    assert world.store.find_link(LINK) == IssuedLink(
        owner=OWNER, flow_id=flow_id, route_id=RouteId("zapier"), key_id=KeyId("default")
    )
    shown(world.session.execute(ResumeFlow(flow_id=flow_id, expected_revision=1), ORIGIN))
    assert world.store.find_link(LINK) is not None
    assert world.store.find_link("cd" * 32) is None


@pytest.mark.parametrize("damage", ["DELETE FROM flow_waits", "UPDATE flow_waits SET until=1"])
def test_a_wait_that_is_wrong_in_the_index_is_found_and_put_right(
    world: World, damage: str
) -> None:
    world.waiting(until=DUE)
    execute(world.store, damage)
    report = replay_store(StoreAuditLog(world.store), FAR_PAST)
    assert [each.code for each in report.findings.kept] == [FindingCode.INDEX_DIFFERS]
    assert rebuild(world.store).changed == {**HEALTHY, WAITS: 1}
    assert replay_store(StoreAuditLog(world.store), FAR_PAST).findings.kept == []


@pytest.mark.parametrize(
    "damage", ["DELETE FROM resume_links", "UPDATE resume_links SET key_id='x'"]
)
def test_a_link_that_is_wrong_in_its_table_is_found_and_put_right(
    world: World, damage: str
) -> None:
    world.waiting(link_hash=LINK)
    execute(world.store, damage)
    report = replay_store(StoreAuditLog(world.store), FAR_PAST)
    assert [each.code for each in report.findings.kept] == [FindingCode.LINKS_DIFFER]
    assert rebuild(world.store).changed == {**HEALTHY, LINKS: 1}
    assert replay_store(StoreAuditLog(world.store), FAR_PAST).findings.kept == []


def test_a_stranger_has_none_of_it(world: World) -> None:
    flow_id = world.waiting(until=DUE, link_hash=LINK)
    session = TaskFlows(world.store, world.clock, world.new_id).bind_session(STRANGER)
    for command in (
        FollowLink(flow_id=flow_id, link_hash=LINK),
        ExpireWait(flow_id=flow_id, until=DUE),
    ):
        outcome = session.execute(command, BY_LINK)
        assert isinstance(outcome, Rejected)
        assert outcome.code == "not_found"


def test_only_another_key_resumes_what_waits_for_one(world: World) -> None:
    flow_id = world.waiting(separate_approver=True)
    resume = ResumeFlow(flow_id=flow_id, expected_revision=1)
    refused = world.session.execute(resume, ORIGIN)
    assert isinstance(refused, Rejected)
    assert refused.code == "same_approver"
    other = evolve(ROUTE, key_id=KeyId("2026-02"))
    shown(world.session.execute(resume, evolve(ORIGIN, actor=other)))
    assert replay_store(StoreAuditLog(world.store), FAR_PAST).findings.kept == []
    same = creation()
    same = evolve(same, status=FlowStatus.WAITING, separate_approver=True)
    new = shown(world.session.execute(same, ORIGIN))
    again = world.session.execute(ResumeFlow(flow_id=new.flow_id, expected_revision=0), ORIGIN)
    assert isinstance(again, Rejected)


def test_a_forged_approval_by_the_key_that_asked_is_found(on_sqlite: World) -> None:
    flow_id = on_sqlite.waiting(separate_approver=True)
    other = evolve(ROUTE, key_id=KeyId("2026-02"))
    resume = ResumeFlow(flow_id=flow_id, expected_revision=1)
    shown(on_sqlite.session.execute(resume, evolve(ORIGIN, actor=other)))
    execute(on_sqlite.store, FORGE, '"key_id":"2026-02"', '"key_id":"default"')
    report = replay_store(StoreAuditLog(on_sqlite.store), FAR_PAST)
    assert FindingCode.ILLEGAL_TRANSITION in {each.code for each in report.findings.kept}


def test_waits_are_told_apart_by_their_place(world: World) -> None:
    first = world.waiting(until=DUE)
    assert world.store.due(DUE, DueWait(owner=OWNER, flow_id=first, until=DUE), 10) == []


def test_a_link_that_was_followed_in_the_name_of_a_key_is_found(on_sqlite: World) -> None:
    flow_id = on_sqlite.waiting(link_hash=LINK)
    shown(on_sqlite.session.execute(FollowLink(flow_id=flow_id, link_hash=LINK), BY_LINK))
    assert replay_store(StoreAuditLog(on_sqlite.store), FAR_PAST).findings.kept == []
    execute(on_sqlite.store, FORGE, '"kind":"link"', '"kind":"route"')
    report = replay_store(StoreAuditLog(on_sqlite.store), FAR_PAST)
    assert [each.code for each in report.findings.kept] == [FindingCode.METADATA_DIFFERS]
