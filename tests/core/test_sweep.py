"""Children that nobody hears of, in a real store."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import closing

import pytest
from attrs import Factory, define

from adapters.store import EventSourcedStore, open_for_writing
from domain.commands import CancelFlow, CreateFlow, FinishFlow, RunTask, UpdateTask
from domain.operators import SYSTEM, Operators
from domain.outcomes import Accepted
from domain.records import Origin
from domain.service import OwnerSession, TaskFlows
from domain.status import Runtime, TaskStatus
from domain.sweep import Swept

OWNER = "agent:main:main"
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
        outcome = self.owner.execute(command, Origin(actor=SYSTEM, request_id="r"))  # type: ignore[arg-type]
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
    flow = world.store.load(flow_id)
    assert flow is not None
    assert (flow.status, flow.revision, flow.tasks[0].status) == ("cancelled", 2, "lost")


def test_without_a_cancel_intent_nobody_is_lost(world: World) -> None:
    world.flow_with("child", cancel=False)
    world.now = 100 * MINUTE
    assert world.sweep() == Swept(0, 0)


def test_a_child_that_gave_news_has_its_time_again(world: World) -> None:
    flow_id = world.flow_with("one", "two", cancel=True)
    flow = world.store.load(flow_id)
    assert flow is not None
    world.now = 4 * MINUTE
    news = UpdateTask(flow_id=flow_id, task_id=flow.tasks[0].task_id, status=TaskStatus.RUNNING)
    world.accept(news)
    world.now = 6 * MINUTE
    assert world.sweep() == Swept(1, 0)
    world.now = 9 * MINUTE
    assert world.sweep() == Swept(1, 1)


def test_children_of_a_finished_flow_are_lost_too_and_the_flow_stays_finished(
    world: World,
) -> None:
    flow_id = world.flow_with("child", cancel=True)
    world.accept(FinishFlow(flow_id=flow_id, expected_revision=1))
    world.now = 6 * MINUTE
    assert world.sweep() == Swept(1, 0)
    flow = world.store.load(flow_id)
    assert flow is not None
    assert (flow.status, flow.tasks[0].status) == ("succeeded", "lost")


def test_one_sweep_gives_up_more_flows_than_a_batch(world: World) -> None:
    for number in range(205):
        world.flow_with(f"child {number}", cancel=True)
    world.now = 6 * MINUTE
    assert world.sweep() == Swept(205, 205)
    assert world.sweep() == Swept(0, 0)
