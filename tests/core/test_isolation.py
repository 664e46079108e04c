"""A flow of another owner and a flow that does not exist: one answer, and the same work for it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from adapters.testing.examples import NOW, OWNER
from domain.application.outcomes import Rejected
from domain.application.sessions import OwnerSession
from domain.flow.commands import (
    CancelFlow,
    FailFlow,
    FinishFlow,
    FlowCommand,
    LoseTask,
    RequestCancel,
    ResumeFlow,
    RunTask,
    SetWaiting,
    UpdateTask,
)
from domain.flow.ids import FlowId, TaskId
from domain.flow.status import Runtime, TaskStatus
from tests.core.service import CREATE, ORIGIN, World, keyed, must

Ask = Callable[[OwnerSession, FlowId], object]

READS: tuple[Ask, ...] = (
    OwnerSession.find,
    OwnerSession.resolve,
    OwnerSession.summarize_tasks,
)
COMMANDS: tuple[Callable[[str], FlowCommand], ...] = (
    lambda flow_id: SetWaiting(flow_id=FlowId(flow_id), expected_revision=0),
    lambda flow_id: SetWaiting(flow_id=FlowId(flow_id), expected_revision=9),
    lambda flow_id: ResumeFlow(flow_id=FlowId(flow_id), expected_revision=0),
    lambda flow_id: FinishFlow(flow_id=FlowId(flow_id), expected_revision=0),
    lambda flow_id: FailFlow(flow_id=FlowId(flow_id), expected_revision=0),
    lambda flow_id: RequestCancel(flow_id=FlowId(flow_id), expected_revision=0),
    lambda flow_id: CancelFlow(flow_id=FlowId(flow_id)),
    lambda flow_id: RunTask(
        flow_id=FlowId(flow_id), runtime=Runtime.ACP, task="work", run_id="run-1"
    ),
    lambda flow_id: UpdateTask(
        flow_id=FlowId(flow_id), task_id=TaskId("id-2"), status=TaskStatus.RUNNING
    ),
    lambda flow_id: LoseTask(flow_id=FlowId(flow_id), task_id=TaskId("id-2"), silent_before=NOW),
)


def _world() -> World:
    """Return a world in which the owner has a flow with a child, and the stranger has none."""
    world = World()
    world.create()
    world.accepted(
        RunTask(flow_id=FlowId("id-1"), runtime=Runtime.ACP, task="work", run_id="run-1")
    )
    return world


def _told(world: World, ask: Ask, flow_id: str) -> tuple[object, list[str]]:
    world.store.asked.clear()
    return ask(world.stranger, FlowId(flow_id)), list(world.store.asked)


@pytest.mark.parametrize("ask", READS)
def test_a_foreign_flow_reads_like_none(ask: Ask) -> None:
    world = _world()
    foreign = _told(world, ask, "id-1")
    assert foreign == _told(world, ask, "missing") == (None, ["find"])


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_on_a_foreign_flow_is_answered_like_one_on_none(
    command: Callable[[str], FlowCommand],
) -> None:
    def ask(session: OwnerSession, flow_id: str) -> object:
        return session.execute(command(flow_id), ORIGIN)

    world = _world()
    foreign = _told(world, ask, "id-1")
    not_found = Rejected(code="not_found", reason="Flow not found.")
    assert foreign == _told(world, ask, "missing") == (not_found, ["load_many"])
    assert len(world.store.streams["id-1"]) == 2


def test_a_key_changes_nothing_about_it() -> None:
    def ask(session: OwnerSession, flow_id: FlowId) -> object:
        return session.execute(CancelFlow(flow_id=flow_id), keyed("key"))

    world = _world()
    assert _told(world, ask, "id-1") == _told(world, ask, "missing")


def test_lists_and_the_latest_flow_are_the_owners_own() -> None:
    world = _world()
    assert world.stranger.page(limit=10).flows == []
    assert world.stranger.find_latest() is None
    assert world.stranger.resolve(OWNER) is None
    own = must(world.stranger.execute(CREATE, ORIGIN)).flow
    assert world.stranger.page(limit=10).flows == [own]
    assert world.stranger.find_latest() == own
