"""A correlation key names one live flow of its owner, and is free again when that has ended."""

from __future__ import annotations

from typing import Final

from attrs import evolve as replace

from adapters.testing.examples import CREATED, NOW, STRANGER
from adapters.testing.scenario import given
from domain.application.outcomes import Accepted, NotPersisted, Outcome
from domain.flow.commands import (
    CancelFlow,
    Command,
    CommandContext,
    FailFlow,
    FinishFlow,
    ResumeFlow,
    RunTask,
    SetWaiting,
)
from domain.flow.decide import decide
from domain.flow.ids import FlowId
from domain.flow.refusals import Refusal, RefusalCode
from domain.flow.status import Runtime
from tests.core.service import CREATE, ORIGIN, World, keyed, must
from tests.core.test_batches import Answers, seen
from tests.memory_store import WatchedStore

KEY: Final = "pull request 17"
NOBODY: Final = FlowId("")
NAMED: Final = replace(CREATE, correlation_key=KEY)
WAIT: Final = SetWaiting(flow_id=NOBODY, expected_revision=0)
FINISH: Final = FinishFlow(flow_id=NOBODY, expected_revision=0)


def together(world: World, *asked: Command | tuple[Command, str]) -> Answers:
    """Carry out commands in one batch, some of them on the flow that a key names."""
    submission = world.owner.submission
    return world.owner.carry_out(
        [
            submission(each[0], ORIGIN, each[1])
            if isinstance(each, tuple)
            else submission(each, ORIGIN)
            for each in asked
        ]
    )


def shown(answer: Outcome | Exception) -> str | None:
    """Return the id of the flow that an answer shows."""
    assert not isinstance(answer, Exception)
    return None if answer.flow is None else answer.flow.flow_id


def test_a_key_is_taken_while_its_flow_lives_and_the_second_is_shown_that_flow() -> None:
    world = World()
    first = world.accepted(NAMED)
    assert first.flow.correlation_key == KEY
    second = world.owner.execute(NAMED, ORIGIN)
    assert (seen(second), shown(second)) == ("correlation_key_taken", first.flow.flow_id)
    assert world.owner.find_by_correlation(KEY) == first.flow.flow_id
    world.accepted(FinishFlow(flow_id=first.flow.flow_id, expected_revision=0))
    assert world.owner.find_by_correlation(KEY) is None
    assert must(world.owner.execute(NAMED, ORIGIN)).flow.flow_id != first.flow.flow_id


def test_another_owner_and_another_key_are_not_in_the_way() -> None:
    world = World()
    world.accepted(NAMED)
    assert world.stranger.find_by_correlation(KEY) is None
    must(world.stranger.execute(NAMED, ORIGIN))
    world.accepted(replace(NAMED, correlation_key="pull request 18"))
    world.accepted(CREATE)
    world.accepted(CREATE)


def test_the_flow_of_another_owner_is_neither_in_the_way_nor_shown() -> None:
    flow = given(replace(CREATED, correlation_key=KEY)).flow
    context = CommandContext(command=NAMED, owner=STRANGER, at=NOW, new_id="new")
    refusal = decide(flow, context)
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.flow) == (RefusalCode.CREATE_REJECTED, None)


def test_a_batch_sees_which_keys_its_commands_so_far_have_taken_and_freed() -> None:
    world = World()
    answers = together(
        world,
        (WAIT, KEY),
        NAMED,
        NAMED,
        (WAIT, KEY),
        (ResumeFlow(flow_id=NOBODY, expected_revision=1), KEY),
        NAMED,
        (RunTask(flow_id=NOBODY, runtime=Runtime.ACP, task="work"), KEY),
        (replace(FINISH, expected_revision=2), KEY),
        (FINISH, KEY),
        NAMED,
        (FailFlow(flow_id=NOBODY, expected_revision=0), KEY),
        NAMED,
        (CancelFlow(flow_id=NOBODY), KEY),
        (CancelFlow(flow_id=NOBODY), KEY),
    )
    assert list(map(seen, answers)) == [
        "not_found",
        "queued 0",
        "correlation_key_taken",
        "waiting 1",
        "queued 2",
        "correlation_key_taken",
        "queued 2",
        "succeeded 3",
        "not_found",
        "queued 0",
        "failed 1",
        "queued 0",
        "cancelled 2",
        "not_found",
    ]
    assert world.store.asked == ["find_named", "append_many"]
    assert shown(answers[5]) == shown(answers[1])
    assert [flow.goal for flow in world.owner.page(limit=9).flows] == [CREATE.goal] * 3


def test_who_opens_a_flow_with_the_key_meanwhile_is_found_and_shown() -> None:
    world = World()
    world.store.meanwhile.append(lambda: world.owner.execute(NAMED, ORIGIN))
    answer = world.owner.execute(NAMED, ORIGIN)
    assert seen(answer) == "correlation_key_taken"
    assert len(world.store.streams) == 1
    assert shown(answer) in world.store.streams


def test_what_rests_on_an_end_that_was_not_written_is_decided_again() -> None:
    world = World()
    flow_id = world.accepted(NAMED).flow.flow_id
    world.store.meanwhile.append(
        lambda: world.owner.execute(replace(WAIT, flow_id=FlowId(flow_id)), ORIGIN)
    )
    answers = together(world, (FINISH, KEY), (WAIT, KEY), NAMED)
    assert list(map(seen, answers)) == [
        "revision_conflict",
        "revision_conflict",
        "correlation_key_taken",
    ]


def test_a_repeat_is_answered_as_the_first_although_the_key_names_nothing_any_more() -> None:
    world = World()
    world.accepted(NAMED, keyed("k1"))
    submission = world.owner.submission(FINISH, keyed("k2"), KEY)
    first, again = (world.owner.carry_out([submission])[0] for _ in range(2))
    assert (seen(first), seen(again)) == ("succeeded 1", "succeeded 1 again")
    opened = world.owner.execute(NAMED, keyed("k1"))
    assert isinstance(opened, Accepted)
    assert opened.is_replay


def test_a_creation_that_could_not_be_written_shows_no_other_flow() -> None:
    world = World()
    world.accepted(NAMED)
    world.accepted(FinishFlow(flow_id=FlowId("id-1"), expected_revision=0))
    world = World(WatchedStore(streams=world.store.streams, broken=frozenset({"append_many"})))
    (answer,) = together(world, NAMED)
    assert isinstance(answer, NotPersisted)
    assert answer.flow is None
