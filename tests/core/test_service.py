"""One command, start to end, over a real store in memory."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from attrs import evolve as replace

from adapters.testing.examples import CREATED_FLOW, NOW, OWNER
from domain.application.outcomes import Accepted, NotPersisted, Rejected
from domain.application.ports import Commit, StoreUnavailable
from domain.application.views import flow_view, task_view
from domain.flow.commands import (
    CancelFlow,
    FinishFlow,
    RequestCancel,
    RunTask,
    SetWaiting,
    UpdateTask,
)
from domain.flow.ids import FlowId, TaskId
from domain.flow.status import FlowStatus, NotifyPolicy, Runtime, TaskStatus
from domain.flow.task import Task
from tests.core.service import CREATE, ORIGIN, World, must
from tests.memory_store import WatchedStore

FIRST = replace(CREATED_FLOW, flow_id=FlowId("id-1"), created_at=NOW, updated_at=NOW, latest_at=NOW)
CHILD = Task(
    task_id=TaskId("id-2"),
    runtime=Runtime.ACP,
    task="work",
    status=TaskStatus.QUEUED,
    agent_id="main",
    notify_policy=NotifyPolicy.DONE_ONLY,
    created_at=NOW,
    last_event_at=NOW,
    last_heartbeat_at=NOW,
)
RUN = RunTask(flow_id=FlowId("id-1"), runtime=Runtime.ACP, task="work")
WAIT = SetWaiting(flow_id=FlowId("id-1"), expected_revision=0)


def test_a_created_flow_is_shown_and_found_again() -> None:
    world = World()
    created = world.owner.execute(CREATE, ORIGIN)
    assert created == Accepted(flow=flow_view(FIRST), tasks=(), task=None)
    assert world.owner.find(FlowId("id-1")) == flow_view(FIRST)
    assert world.owner.find_latest() == flow_view(FIRST)
    assert world.owner.resolve(FlowId("id-1")) == flow_view(FIRST)
    assert world.owner.resolve(OWNER) == flow_view(FIRST)


def test_an_owner_without_flows_finds_none() -> None:
    owner = World().owner
    assert owner.find(FlowId("id-1")) is None
    assert owner.find_latest() is None
    assert owner.resolve(OWNER) is None
    assert owner.summarize_tasks(FlowId("id-1")) is None
    assert owner.page(limit=10).flows == []


def test_an_accepted_command_about_a_child_shows_the_child_that_was_meant() -> None:
    world = World()
    world.create()
    linked = must(world.owner.execute(replace(RUN, run_id="run-1"), ORIGIN))
    again = must(world.owner.execute(replace(RUN, run_id="run-1"), ORIGIN))
    report = UpdateTask(flow_id=FlowId("id-1"), task_id=TaskId("id-2"), status=TaskStatus.SUCCEEDED)
    ended = must(world.owner.execute(report, ORIGIN))
    child = replace(CHILD, run_id="run-1")
    done = replace(child, status=TaskStatus.SUCCEEDED, ended_at=NOW)
    assert (
        linked
        == again
        == Accepted(flow=flow_view(FIRST), tasks=(), task=task_view(child, FlowId("id-1")))
    )
    assert ended == Accepted(flow=flow_view(FIRST), tasks=(), task=task_view(done, FlowId("id-1")))


def test_a_cancellation_shows_the_children_of_the_flow() -> None:
    world = World()
    world.create()
    world.accepted(RUN)
    pending = world.accepted(CancelFlow(flow_id=FlowId("id-1")))
    assert (pending.flow.status, pending.flow.revision) == (FlowStatus.QUEUED, 1)
    assert pending.tasks == (task_view(CHILD, FlowId("id-1")),)


def test_a_refused_command_shows_the_flow_as_it_is_and_writes_nothing() -> None:
    world = World()
    world.create()
    world.accepted(FinishFlow(flow_id=FlowId("id-1"), expected_revision=0))
    before = world.owner.find(FlowId("id-1"))
    world.store.asked.clear()
    refused = world.owner.execute(CancelFlow(flow_id=FlowId("id-1")), ORIGIN)
    assert refused == Rejected(code="terminal", reason="Flow is already succeeded.", flow=before)
    assert "append_many" not in world.store.asked


def test_a_refused_cancellation_shows_the_children_of_the_flow() -> None:
    world = World()
    world.create()
    world.accepted(RUN)
    finished = world.accepted(FinishFlow(flow_id=FlowId("id-1"), expected_revision=0))
    assert world.owner.execute(CancelFlow(flow_id=FlowId("id-1")), ORIGIN) == Rejected(
        code="terminal",
        reason="Flow is already succeeded.",
        flow=finished.flow,
        tasks=(task_view(CHILD, FlowId("id-1")),),
    )


def test_a_refused_report_shows_the_task_that_was_meant() -> None:
    world = World()
    world.create()
    world.accepted(RUN)
    report = UpdateTask(flow_id=FlowId("id-1"), task_id=TaskId("id-2"), status=TaskStatus.FAILED)
    ended = world.accepted(report)
    assert world.owner.execute(report, ORIGIN) == Rejected(
        code="task_terminal", reason="Task is already failed.", flow=ended.flow, task=ended.task
    )


def test_a_lost_race_is_decided_again_and_a_stale_revision_is_told() -> None:
    world = World()
    world.create()
    request = RequestCancel(flow_id=FlowId("id-1"), expected_revision=0)
    world.store.meanwhile.append(lambda: world.accepted(request))
    lost = world.owner.execute(WAIT, ORIGIN)
    assert lost == Rejected(
        code="revision_conflict",
        reason="TaskFlow changed since the caller's expected revision.",
        flow=world.owner.find(FlowId("id-1")),
    )


def test_a_race_against_a_new_child_costs_no_revision() -> None:
    world = World()
    world.create()
    world.store.meanwhile.append(lambda: world.accepted(RUN))
    won = world.accepted(WAIT)
    assert (won.flow.status, won.flow.revision) == (FlowStatus.WAITING, 1)
    assert world.owner.summarize_tasks(FlowId("id-1")) is not None


def test_two_cancellations_at_once_bring_one_about() -> None:
    world = World()
    world.create()
    cancel = CancelFlow(flow_id=FlowId("id-1"))
    world.store.meanwhile.append(lambda: world.accepted(cancel))
    lost = world.owner.execute(cancel, ORIGIN)
    assert isinstance(lost, Rejected)
    assert (lost.code, lost.reason) == ("terminal", "Flow is already cancelled.")


class LosingStore(WatchedStore):
    """A store whose other writers are always first."""

    loses = False

    def append_many(self, commits: Sequence[Commit]) -> Sequence[bool]:
        """Write nothing, if others are first."""
        return [False] * len(commits) if self.loses else super().append_many(commits)


def test_a_command_that_loses_every_race_gives_up_and_changes_nothing() -> None:
    store = LosingStore()
    world = World(store)
    world.create()
    store.loses = True
    with pytest.raises(StoreUnavailable, match="written to by too many at once"):
        world.owner.execute(WAIT, ORIGIN)
    store.loses = False
    assert world.accepted(WAIT).flow.revision == 1


def test_pages_show_an_owners_flows_newest_first_and_by_status() -> None:
    world = World()
    for goal in ("a", "b", "c", "d"):
        world.create(replace(CREATE, goal=goal))
    world.stranger.execute(CREATE, ORIGIN)
    world.accepted(FinishFlow(flow_id=FlowId("id-2"), expected_revision=0))
    first = world.owner.page(limit=3)
    assert [flow.goal for flow in first.flows] == ["d", "c", "b"]
    rest = world.owner.page(limit=3, cursor=first.next_cursor)
    assert ([flow.goal for flow in rest.flows], rest.next_cursor) == (["a"], None)
    done = world.owner.page(limit=3, status=FlowStatus.SUCCEEDED)
    assert [flow.goal for flow in done.flows] == ["b"]


def test_a_store_that_cannot_write_leaves_the_flow_as_it_was() -> None:
    world = World()
    world.create()
    child = world.accepted(RUN).task
    world.store.broken = frozenset({"append_many"})
    with pytest.raises(NotPersisted) as failed:
        world.owner.execute(CancelFlow(flow_id=FlowId("id-1")), ORIGIN)
    assert failed.value.flow == flow_view(FIRST) == world.owner.find(FlowId("id-1"))
    assert failed.value.tasks == (child,)
    world.store.broken = frozenset()
    assert world.accepted(WAIT).flow.revision == 1


def test_a_store_that_cannot_write_creates_no_flow() -> None:
    world = World()
    world.store.broken = frozenset({"append_many"})
    with pytest.raises(NotPersisted) as failed:
        world.owner.execute(CREATE, ORIGIN)
    assert (failed.value.flow, failed.value.tasks) == (None, ())
    assert world.owner.find_latest() is None


def test_a_store_that_cannot_read_says_so_and_knows_no_flow() -> None:
    world = World()
    world.create()
    world.store.broken = frozenset({"load_many"})
    with pytest.raises(StoreUnavailable) as failed:
        world.owner.execute(WAIT, ORIGIN)
    assert not isinstance(failed.value, NotPersisted)


def test_an_outcome_never_names_the_owner() -> None:
    world = World()
    world.create()
    shown = (
        world.accepted(RUN),
        world.accepted(CancelFlow(flow_id=FlowId("id-1"))),
        world.owner.execute(RUN, ORIGIN),
        world.owner.find(FlowId("id-1")),
        world.owner.find_latest(),
        world.owner.summarize_tasks(FlowId("id-1")),
        world.owner.page(limit=1),
    )
    assert OWNER not in repr(shown)


def test_records_say_who_did_it_and_when_the_clock_was_read() -> None:
    world = World()
    world.create()
    world.now = NOW - 10
    world.accepted(CancelFlow(flow_id=FlowId("id-1")))
    records = world.store.streams["id-1"]
    assert [(r.version, r.event.at, r.metadata.recorded_at) for r in records] == [
        (1, NOW, NOW),
        (2, NOW, NOW - 10),
        (3, NOW, NOW - 10),
    ]
    assert [r.metadata.causation_id for r in records] == ["request-1", "request-1", "id-1/2"]
