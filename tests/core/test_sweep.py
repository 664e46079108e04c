"""Children that nobody hears of, in a real store."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing

import pytest
from attrs import Factory, define, evolve

from adapters.store import EventSourcedStore, open_for_writing
from domain.application.batch import Submission, carry_out
from domain.application.operators import SYSTEM, Operators
from domain.application.outcomes import Accepted, Outcome
from domain.application.ports import Commit, FlowRef, KeyRef, Loaded
from domain.application.recorded_events import CommandMetadata
from domain.application.sessions import OwnerSession, TaskFlows
from domain.application.sweep import Swept
from domain.flow.commands import (
    CancelFlow,
    CreateFlow,
    FinishFlow,
    FlowCommand,
    RunTask,
    UpdateTask,
)
from domain.flow.events import FlowCancelled, TaskEnded
from domain.flow.ids import FlowId, Owner
from domain.flow.status import Runtime, TaskStatus

OWNER = Owner("agent:main:main")
MINUTE = 60_000


@define
class World:
    """A store and a clock that stands until it is moved."""

    store: EventSourcedStore
    now: int = 0
    numbers: Iterator[int] = Factory(lambda: itertools.count(1))

    def new_id(self) -> str:
        return f"id-{next(self.numbers)}"

    @property
    def owner(self) -> OwnerSession:
        return TaskFlows(self.store, lambda: self.now, self.new_id).bind_session(OWNER)

    def sweep(self) -> Swept:
        operators = Operators(self.store, lambda: self.now, self.new_id, SYSTEM)
        return operators.sweep(5 * MINUTE)

    def accept(self, command: object) -> Accepted:
        outcome = self.owner.execute(command, CommandMetadata(actor=SYSTEM, request_id="r"))  # type: ignore[arg-type]
        assert isinstance(outcome, Accepted), outcome
        return outcome

    def flow_with(self, *children: str, cancel: bool) -> str:
        flow_id = self.accept(CreateFlow(goal="g", controller_id="c")).flow.flow_id
        for child in children:
            self.accept(RunTask(flow_id=flow_id, runtime=Runtime.ACP, task=child))
        if cancel:
            self.accept(CancelFlow(flow_id=flow_id))
        return flow_id


@pytest.fixture
def world() -> Iterator[World]:
    with closing(open_for_writing("sqlite://:memory:")) as store:
        yield World(store)


def test_a_child_is_lost_after_five_minutes_of_silence_and_not_before(world: World) -> None:
    flow_id = world.flow_with("child", cancel=True)
    world.now = 5 * MINUTE - 1
    assert world.sweep() == Swept(0, 0)
    world.now = 5 * MINUTE
    assert world.sweep() == Swept(1, 1)
    flow = world.store.load(FlowId(flow_id))
    assert flow is not None
    assert (flow.status, flow.revision, flow.tasks[0].status) == ("cancelled", 2, "lost")


def test_without_a_cancel_intent_nobody_is_lost(world: World) -> None:
    world.flow_with("child", cancel=False)
    world.now = 100 * MINUTE
    assert world.sweep() == Swept(0, 0)


def test_a_child_that_gave_news_has_its_time_again(world: World) -> None:
    flow_id = world.flow_with("one", "two", cancel=True)
    flow = world.store.load(FlowId(flow_id))
    assert flow is not None
    world.now = 4 * MINUTE
    news = UpdateTask(
        flow_id=FlowId(flow_id), task_id=flow.tasks[0].task_id, status=TaskStatus.RUNNING
    )
    world.accept(news)
    world.now = 6 * MINUTE
    assert world.sweep() == Swept(1, 0)
    world.now = 9 * MINUTE
    assert world.sweep() == Swept(1, 1)


def test_children_of_a_finished_flow_are_lost_too_and_the_flow_stays_finished(
    world: World,
) -> None:
    flow_id = world.flow_with("child", cancel=True)
    world.accept(FinishFlow(flow_id=FlowId(flow_id), expected_revision=1))
    world.now = 6 * MINUTE
    assert world.sweep() == Swept(1, 0)
    flow = world.store.load(FlowId(flow_id))
    assert flow is not None
    assert (flow.status, flow.tasks[0].status) == ("succeeded", "lost")


def test_one_sweep_gives_up_more_flows_than_a_batch(world: World) -> None:
    for number in range(205):
        world.flow_with(f"child {number}", cancel=True)
    world.now = 6 * MINUTE
    assert world.sweep() == Swept(205, 205)
    assert world.sweep() == Swept(0, 0)


def writes_of(world: World, monkeypatch: pytest.MonkeyPatch) -> list[Sequence[Commit]]:
    """Note what is written from now on."""
    batches: list[Sequence[Commit]] = []
    append_many = world.store.append_many

    def noting(commits: Sequence[Commit]) -> Sequence[bool]:
        batches.append(commits)
        return append_many(commits)

    monkeypatch.setattr(world.store, "append_many", noting)
    return batches


def test_the_children_of_a_flow_are_given_up_in_one_commit_each_as_if_alone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow_id = world.flow_with("a", "b", "c", cancel=True)
    world.now = 5 * MINUTE
    batches = writes_of(world, monkeypatch)
    assert world.sweep() == Swept(3, 1)
    assert len(batches) == 1
    *_, first, second, third, cancelled = world.store.history(FlowId(flow_id))
    ends = (first, second, third)
    assert [type(each.event) for each in (*ends, cancelled)] == [*[TaskEnded] * 3, FlowCancelled]
    request_id = first.metadata.request_id
    assert [each.metadata.causation_id for each in ends] == [request_id] * 3
    assert cancelled.metadata.causation_id == f"{flow_id}/{third.version}"


def test_a_child_with_news_keeps_nobody_from_being_given_up(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow_id = world.flow_with("a", "b", "c", cancel=True)
    flow = world.store.load(FlowId(flow_id))
    assert flow is not None
    world.now = 5 * MINUTE
    load_many = world.store.load_many

    def with_news(
        wanted: Mapping[FlowRef, Sequence[FlowCommand]], keys: Collection[KeyRef]
    ) -> Loaded:
        monkeypatch.undo()
        task_id = flow.tasks[1].task_id
        world.accept(UpdateTask(flow_id=flow.flow_id, task_id=task_id, status=TaskStatus.RUNNING))
        return load_many(wanted, keys)

    monkeypatch.setattr(world.store, "load_many", with_news)
    assert world.sweep() == Swept(2, 0)
    after = world.store.load(FlowId(flow_id))
    assert after is not None
    assert [task.status for task in after.tasks] == ["lost", "running", "lost"]


def test_a_sweep_that_loses_a_race_decides_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow_id = world.flow_with("a", "b", cancel=True)
    flow = world.store.load(FlowId(flow_id))
    assert flow is not None
    world.now = 5 * MINUTE
    append_many = world.store.append_many

    def overtaken(commits: Sequence[Commit]) -> Sequence[bool]:
        monkeypatch.undo()
        world.accept(
            UpdateTask(
                flow_id=FlowId(flow_id), task_id=flow.tasks[0].task_id, status=TaskStatus.SUCCEEDED
            )
        )
        return append_many(commits)

    monkeypatch.setattr(world.store, "append_many", overtaken)
    assert world.sweep() == Swept(1, 1)


def test_a_sweep_of_many_children_is_several_commits(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("domain.application.sweep.MOST_AT_ONCE", 2)
    world.flow_with(*"abcde", cancel=True)
    world.now = 5 * MINUTE
    batches = writes_of(world, monkeypatch)
    assert world.sweep() == Swept(5, 1)
    assert [sum(len(each.events) for each in batch) for batch in batches] == [2, 2, 2]


def test_a_sweep_ends_when_it_is_told_to(world: World) -> None:
    flows = [world.flow_with("a", "b", cancel=True) for _ in range(5)]
    world.now = 5 * MINUTE
    answers = iter((True, True, True, False))
    operators = Operators(world.store, lambda: world.now, world.new_id, SYSTEM)
    sweeper = evolve(operators._sweeper(), goes_on=lambda: next(answers, False))  # noqa: SLF001
    assert sweeper.sweep(0) == Swept(6, 3)
    assert len(world.store.stale(0, 10)) == len(flows) - 3


def test_whoever_writes_for_a_gateway_writes_for_its_sweep_too(world: World) -> None:
    world.flow_with("a", "b", cancel=True)
    world.now = 5 * MINUTE
    batches: list[Sequence[Submission]] = []

    def one_writer(submissions: Sequence[Submission]) -> Sequence[Outcome | Exception]:
        batches.append(submissions)
        return carry_out(world.store, submissions)

    operators = Operators(world.store, lambda: world.now, world.new_id, SYSTEM, one_writer)
    assert operators.sweep(lost_after=0) == Swept(2, 1)
    assert [len(batch) for batch in batches] == [2]
