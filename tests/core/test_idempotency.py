"""A request with a key happens once, and its repeats are told what became of it then."""

from __future__ import annotations

from attrs import evolve as replace

from adapters.testing.examples import NOW
from domain.application.outcomes import Rejected
from domain.application.recorded_events import RequestKey
from domain.flow.commands import CancelFlow, FinishFlow, RunTask, SetWaiting, UpdateTask
from domain.flow.ids import FlowId, RouteId, TaskId
from domain.flow.status import FlowStatus, Runtime, TaskStatus
from tests.core.service import CREATE, ORIGIN, World, keyed, must

WAIT = SetWaiting(flow_id=FlowId("id-1"), expected_revision=0)
RUN = RunTask(flow_id=FlowId("id-1"), runtime=Runtime.ACP, task="work")
CANCEL = CancelFlow(flow_id=FlowId("id-1"))
REUSED = Rejected(
    code="idempotency_key_reused", reason="The idempotency key was used for another request."
)


def test_a_repeated_creation_makes_one_flow() -> None:
    world = World()
    first = world.accepted(CREATE, keyed("key"))
    world.now = NOW + 1
    assert world.accepted(CREATE, keyed("key")) == first
    assert world.owner.page(limit=10).flows == [first.flow]


def test_a_repeat_is_told_of_the_flow_as_it_was_then() -> None:
    world = World()
    world.create()
    first = world.accepted(WAIT, keyed("key"))
    world.accepted(FinishFlow(flow_id=FlowId("id-1"), expected_revision=1))
    world.store.asked.clear()
    assert world.accepted(WAIT, keyed("key")) == first
    assert "append_many" not in world.store.asked


def test_a_repeat_about_a_child_is_told_of_the_child_as_it_was_then() -> None:
    world = World()
    world.create()
    linked = world.accepted(RUN, keyed("link"))
    report = UpdateTask(flow_id=FlowId("id-1"), task_id=TaskId("id-2"), status=TaskStatus.RUNNING)
    started = world.accepted(report, keyed("start"))
    world.accepted(replace(report, status=TaskStatus.FAILED))
    assert world.accepted(RUN, keyed("link")) == linked
    assert world.accepted(report, keyed("start")) == started


def test_a_repeated_cancellation_is_told_of_the_children_of_then() -> None:
    world = World()
    world.create()
    world.accepted(RUN)
    pending = world.accepted(CANCEL, keyed("key"))
    world.accepted(
        UpdateTask(flow_id=FlowId("id-1"), task_id=TaskId("id-2"), status=TaskStatus.FAILED)
    )
    assert world.owner.find(FlowId("id-1")) != pending.flow
    assert world.accepted(CANCEL, keyed("key")) == pending


def test_a_key_does_not_stand_for_another_request() -> None:
    world = World()
    world.create()
    world.accepted(WAIT, keyed("key", "aa"))
    other = replace(WAIT, expected_revision=1)
    assert world.owner.execute(other, keyed("key", "bb")) == REUSED
    assert len(world.store.streams["id-1"]) == 2


def test_a_key_of_another_route_is_another_key() -> None:
    world = World()
    first = world.accepted(CREATE, keyed("key", route_id=RouteId("zapier")))
    second = world.accepted(CREATE, keyed("key", route_id=RouteId("twin")))
    assert first.flow.flow_id != second.flow.flow_id


def test_a_refused_request_leaves_its_key_free() -> None:
    world = World()
    world.create()
    stale = world.owner.execute(replace(WAIT, expected_revision=7), keyed("key", "aa"))
    assert isinstance(stale, Rejected)
    assert world.store.keys == {}
    assert world.accepted(WAIT, keyed("key", "bb")).flow.status is FlowStatus.WAITING


def test_a_cancellation_that_was_pending_already_is_answered_as_it_was() -> None:
    world = World()
    world.create()
    world.accepted(RUN)
    world.accepted(CANCEL)
    pending = world.accepted(CANCEL, keyed("key"))
    events = len(world.store.streams["id-1"])
    world.accepted(
        UpdateTask(flow_id=FlowId("id-1"), task_id=TaskId("id-2"), status=TaskStatus.FAILED)
    )
    again = world.accepted(CANCEL, keyed("key"))
    assert (again, again.is_replay, pending.is_replay) == (pending, True, False)
    assert (events, pending.flow.status) == (3, FlowStatus.QUEUED)
    assert world.owner.execute(CANCEL, keyed("key", "bb")) == REUSED


def test_a_run_that_had_no_news_is_answered_as_it_was() -> None:
    world = World()
    world.create()
    run = replace(RUN, run_id="r")
    world.accepted(run)
    first = world.accepted(run, keyed("key"))
    world.accepted(
        UpdateTask(flow_id=FlowId("id-1"), task_id=TaskId("id-2"), status=TaskStatus.FAILED)
    )
    world.accepted(FinishFlow(flow_id=FlowId("id-1"), expected_revision=0))
    assert world.accepted(run, keyed("key")) == first


def test_a_request_without_a_key_that_changes_nothing_writes_nothing() -> None:
    world = World()
    world.create()
    world.accepted(RUN)
    world.accepted(CANCEL)
    world.store.asked.clear()
    world.accepted(CANCEL)
    assert "append_many" not in world.store.asked


def test_a_key_is_found_as_an_earlier_release_stored_it() -> None:
    world = World()
    first = world.accepted(CREATE, keyed('"k"', "aa"))
    quoted = RequestKey(route_id=RouteId("zapier"), key="k", request_hash="aa", aliases=('"k"',))
    origin = replace(ORIGIN, request_key=quoted)
    assert world.accepted(CREATE, origin) == first
    other = replace(ORIGIN, request_key=replace(quoted, request_hash="bb"))
    assert world.owner.execute(CREATE, other) == REUSED


def test_of_two_stored_spellings_the_one_of_the_same_request_counts() -> None:
    world = World()
    world.accepted(CREATE, keyed("k", "aa"))
    second = world.accepted(CREATE, keyed('"k"', "bb"))
    key = RequestKey(route_id=RouteId("zapier"), key="k", request_hash="bb", aliases=('"k"',))
    assert world.accepted(CREATE, replace(ORIGIN, request_key=key)) == second


def test_two_requests_with_one_key_at_once_happen_once() -> None:
    world = World()
    answers = []
    world.store.meanwhile.append(lambda: answers.append(world.accepted(CREATE, keyed("key"))))
    answers.append(world.accepted(CREATE, keyed("key")))
    assert answers[0] == answers[1]
    assert list(world.store.streams) == [answers[0].flow.flow_id]


def test_two_requests_with_one_key_for_two_wishes_at_once_are_told_apart() -> None:
    world = World()
    world.create()
    world.store.meanwhile.append(lambda: world.accepted(RUN, keyed("key", "aa")))
    assert world.owner.execute(WAIT, keyed("key", "bb")) == REUSED


def test_a_route_with_a_new_owner_does_not_show_the_flows_of_the_former_one() -> None:
    world = World()
    world.accepted(CREATE, keyed("key"))
    assert world.stranger.execute(CREATE, keyed("key")) == REUSED
    assert must(world.stranger.execute(CREATE, keyed("another"))).flow.flow_id != "id-1"
