"""The same request twice at once, found by `python -m tests.prove concurrent`."""

from __future__ import annotations

from collections.abc import Callable

from attrs import Factory, define

from domain.application.outcomes import Accepted
from domain.flow.commands import CancelFlow, RunTask, SetWaiting
from domain.flow.concerned import ALL_TASKS, TaskSelection
from domain.flow.ids import FlowId, Owner
from domain.flow.state import Flow
from domain.flow.status import Runtime
from tests.core.service import World, keyed
from tests.memory_store import WatchedStore

WAIT = SetWaiting(flow_id=FlowId("id-1"), expected_revision=0)
RUN = RunTask(flow_id=FlowId("id-1"), runtime=Runtime.ACP, task="work")
CANCEL = CancelFlow(flow_id=FlowId("id-1"))


@define
class RacedStore(WatchedStore):
    """A store in which others are faster: they act between a look for the key and the flow's."""

    faster: list[Callable[[], object]] = Factory(list)

    def find(self, owner: Owner, flow_id: FlowId, tasks: TaskSelection = ALL_TASKS) -> Flow | None:
        """Return an owner's flow, after what others do."""
        while self.faster:
            self.faster.pop()()
        return super().find(owner, flow_id, tasks)


def raced() -> tuple[World, RacedStore]:
    """Return a world with one flow, and its store."""
    store = RacedStore()
    world = World(store)
    world.create()
    return world, store


def test_a_request_that_its_twin_made_late_is_told_what_its_twin_was_told() -> None:
    world, store = raced()
    answers: list[Accepted] = []
    store.faster.append(lambda: answers.append(world.accepted(WAIT, keyed("key"))))
    assert world.owner.execute(WAIT, keyed("key")) == answers[0]
    assert len(store.streams["id-1"]) == 2


def test_a_request_whose_twin_left_nothing_to_do_is_told_of_the_flow_as_it_was_then() -> None:
    world, store = raced()
    world.accepted(RUN)
    answers: list[Accepted] = []

    def meanwhile() -> None:
        answers.append(world.accepted(CANCEL, keyed("key")))
        world.accepted(SetWaiting(flow_id=FlowId("id-1"), expected_revision=1))

    store.faster.append(meanwhile)
    assert world.owner.execute(CANCEL, keyed("key")) == answers[0]
    assert answers[0].flow.revision == 1


def test_another_request_with_the_key_of_a_faster_one_is_told_so() -> None:
    world, store = raced()
    store.faster.append(lambda: world.accepted(WAIT, keyed("key", "aa")))
    refused = world.owner.execute(WAIT, keyed("key", "bb"))
    assert getattr(refused, "code", "") == "idempotency_key_reused"
