"""Commands carried out together: as if one after the other, and nothing is half answered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import repeat

import pytest
from attrs import evolve as replace
from hypothesis import given
from hypothesis import strategies as st

from adapters.store import open_for_writing
from adapters.testing.failing import FailingStore, Failure, WriteFault
from adapters.testing.memory import MemoryStore
from domain.application.batch import Submission, carry_out
from domain.application.outcomes import Accepted, NotPersisted, Outcome, Rejected
from domain.application.ports import Commit, FlowStore, StoreUnavailable
from domain.application.recorded_events import CommandMetadata
from domain.flow.commands import (
    CancelFlow,
    Command,
    CommandContext,
    FinishFlow,
    RunTask,
    SetWaiting,
)
from domain.flow.evolve import BrokenHistory
from domain.flow.ids import FlowId, Owner, RequestId
from domain.flow.status import FlowStatus, Runtime
from tests.core.service import CREATE, ORIGIN, World, keyed
from tests.memory_store import WatchedStore
from tests.store.conftest import MEMORY
from tests.store.histories import History, Step, histories
from tests.store.service import ROUTE
from tests.store.tables import contents

ONE, TWO = FlowId("id-1"), FlowId("id-2")
WAIT = SetWaiting(flow_id=ONE, expected_revision=0)
FINISH = FinishFlow(flow_id=ONE, expected_revision=1)
RUN = RunTask(flow_id=ONE, runtime=Runtime.ACP, task="work")
CANCEL = CancelFlow(flow_id=ONE)

Answers = Sequence[Outcome | Exception]


def together(world: World, *asked: Command | tuple[Command, CommandMetadata]) -> Answers:
    """Carry out an owner's commands in one batch."""
    pairs = [each if isinstance(each, tuple) else (each, ORIGIN) for each in asked]
    return world.owner.carry_out([world.owner.submission(*pair) for pair in pairs])


def seen(answer: Outcome | Exception) -> str:
    """Return an answer in a word."""
    match answer:
        case Accepted():
            return f"{answer.flow.status} {answer.flow.revision}{' again' * answer.is_replay}"
        case Rejected():
            return answer.code
        case _:
            return type(answer).__name__


def with_flows(store: WatchedStore | None = None) -> World:
    """Return a world with two flows."""
    world = World(store or WatchedStore())
    for _ in (ONE, TWO):
        world.create()
    world.store.asked.clear()
    return world


def test_a_later_command_is_decided_on_what_an_earlier_one_left_and_all_is_one_write() -> None:
    world = with_flows()
    answers = together(world, WAIT, WAIT, RUN, FINISH, RUN, CREATE)
    assert list(map(seen, answers)) == [
        "waiting 1",
        "revision_conflict",
        "waiting 1",
        "succeeded 2",
        "terminal",
        "queued 0",
    ]
    assert world.store.asked == ["load_many", "append_many"]
    assert [record.version for record in world.store.streams[ONE]] == [1, 2, 3, 4]


def test_refusals_alone_write_nothing() -> None:
    world = with_flows()
    assert list(map(seen, together(world, FINISH, FINISH))) == ["revision_conflict"] * 2
    assert world.store.asked == ["load_many"]


def test_a_key_that_comes_twice_in_one_batch_has_one_effect() -> None:
    world = with_flows()
    first, again, other, create, same = together(
        world,
        (WAIT, keyed("k")),
        (WAIT, keyed("k")),
        (FINISH, keyed("k", "bb")),
        (CREATE, keyed("c")),
        (CREATE, keyed("c")),
    )
    assert (seen(first), seen(again), seen(other)) == (
        "waiting 1",
        "waiting 1 again",
        "idempotency_key_reused",
    )
    assert (first, create) == (again, same)
    assert list(world.store.streams) == [ONE, TWO, "id-6"]


def test_a_repeat_in_a_batch_is_answered_with_the_flow_as_it_was_then() -> None:
    world = with_flows()
    first, _, again = together(world, (WAIT, keyed("k")), FINISH, (WAIT, keyed("k")))
    assert (seen(again), again) == ("waiting 1 again", first)
    assert world.accepted(WAIT, keyed("k")) == first


def test_a_key_of_a_command_without_an_event_is_kept_in_a_batch() -> None:
    world = with_flows()
    world.accepted(RUN)
    pending, without, again = together(world, CANCEL, (CANCEL, keyed("k")), (CANCEL, keyed("k")))
    assert pending == without == again
    assert (seen(without), seen(again)) == ("queued 1", "queued 1 again")
    assert seen(together(world, (FINISH, keyed("k", "bb")))[0]) == "idempotency_key_reused"


def test_a_key_of_a_batch_is_found_by_a_later_spelling_and_by_its_owner_only() -> None:
    world = with_flows()
    plain = keyed("k")
    assert plain.request_key is not None
    quoted = replace(plain, request_key=replace(plain.request_key, key="'k'", aliases=("k",)))
    submissions = [
        world.owner.submission(WAIT, plain),
        world.owner.submission(WAIT, quoted),
        world.stranger.submission(WAIT, plain),
    ]
    answers = world.owner.carry_out(submissions)
    assert [seen(each) for each in answers] == [
        "waiting 1",
        "waiting 1 again",
        "idempotency_key_reused",
    ]


def test_a_flow_that_a_batch_changes_is_none_for_a_stranger() -> None:
    world = with_flows()
    submissions = [world.owner.submission(WAIT, ORIGIN), world.stranger.submission(CANCEL, ORIGIN)]
    assert [seen(each) for each in world.owner.carry_out(submissions)] == [
        "waiting 1",
        "not_found",
    ]


def test_a_fault_of_one_command_is_its_own_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = with_flows()
    decide = carry_out.__globals__["decide"]

    def faulty(flow: object, context: CommandContext) -> object:
        if isinstance(context.command, RunTask):
            raise ZeroDivisionError
        return decide(flow, context)

    monkeypatch.setattr("domain.application.batch.decide", faulty)
    answers = together(world, WAIT, (RUN, keyed("k")), FINISH)
    assert list(map(seen, answers)) == ["waiting 1", "ZeroDivisionError", "succeeded 2"]
    assert world.store.keys == {}
    with pytest.raises(ZeroDivisionError):
        world.owner.execute(replace(RUN, flow_id=TWO), ORIGIN)


def test_a_broken_history_is_the_fault_of_the_commands_on_its_flow() -> None:
    world = with_flows()
    world.store.streams[ONE] = world.store.streams[ONE] * 2
    answers = together(world, replace(WAIT, flow_id=TWO), WAIT, CREATE, RUN)
    assert list(map(seen, answers)) == ["waiting 1", "BrokenHistory", "queued 0", "BrokenHistory"]
    with pytest.raises(BrokenHistory):
        world.owner.execute(WAIT, ORIGIN)


class _Picky(WatchedStore):
    """A store that cannot encode one goal."""

    def append_many(self, commits: Sequence[Commit]) -> Sequence[bool]:
        if any(commit.flow.goal == "bad" for commit in commits):
            raise UnicodeEncodeError("utf-8", "", 0, 0, "surrogates not allowed")
        return super().append_many(commits)


def test_what_cannot_be_stored_is_the_fault_of_its_command() -> None:
    world = with_flows(_Picky())
    answers = together(world, WAIT, replace(CREATE, goal="bad"), FINISH)
    assert list(map(seen, answers)) == ["waiting 1", "UnicodeEncodeError", "succeeded 2"]
    assert len(world.store.streams) == 2


def test_of_a_failed_write_only_what_does_not_rest_on_it_is_answered() -> None:
    world = with_flows()
    world.accepted(replace(WAIT, flow_id=TWO), keyed("old"))
    before = world.owner.find(ONE)
    world.store.broken = frozenset({"append_many"})
    answers = together(
        world,
        (WAIT, keyed("k")),
        WAIT,
        (WAIT, keyed("k")),
        (CANCEL, keyed("k", "bb")),
        CREATE,
        replace(FINISH, flow_id=TWO, expected_revision=0),
        (replace(WAIT, flow_id=TWO), keyed("old")),
    )
    assert list(map(seen, answers)) == [
        *["NotPersisted"] * 5,
        "revision_conflict",
        "waiting 1 again",
    ]
    shown = [each.flow for each in answers if isinstance(each, NotPersisted)]
    assert shown == [*[before] * 4, None]
    assert all(isinstance(each.__cause__, StoreUnavailable) for each in answers[:5])  # type: ignore[union-attr] # they are exceptions
    world.store.broken = frozenset()
    assert (world.owner.find(ONE), len(world.store.keys)) == (before, 1)


def test_a_store_that_cannot_be_read_answers_everybody_so() -> None:
    world = with_flows()
    world.store.broken = frozenset({"load_many"})
    answers = together(world, WAIT, CREATE, RUN)
    assert list(map(seen, answers)) == ["StoreUnavailable"] * 3


def test_who_loses_to_another_writer_is_decided_again_and_nobody_else() -> None:
    world = with_flows()
    world.store.meanwhile.append(lambda: world.accepted(replace(RUN, run_id="r")))
    world.store.asked.clear()
    answers = together(world, WAIT, replace(WAIT, flow_id=TWO), WAIT, FINISH, CREATE)
    assert list(map(seen, answers)) == [
        "waiting 1",
        "waiting 1",
        "revision_conflict",
        "succeeded 2",
        "queued 0",
    ]
    assert [record.version for record in world.store.streams[ONE]] == [1, 2, 3, 4]
    assert len(world.store.streams) == 3
    summary = world.owner.summarize_tasks(ONE)
    assert summary is not None
    assert summary.total == 1


def test_a_refusal_that_rests_on_a_lost_write_is_not_told() -> None:
    world = with_flows()

    def meanwhile() -> None:
        world.accepted(replace(WAIT, current_step="theirs"), keyed("k"))

    world.store.meanwhile.append(meanwhile)
    first, refused = together(world, (replace(CANCEL), keyed("k")), WAIT)
    assert (seen(first), seen(refused)) == ("waiting 1 again", "revision_conflict")
    assert isinstance(refused, Rejected)
    assert refused.flow is not None
    assert refused.flow.status is FlowStatus.WAITING


# As if one after the other


def _submission(number: int, step: Step) -> Submission:
    context = CommandContext(
        command=step.command, owner=Owner(step.owner), at=step.at, new_id=f"id-{number}"
    )
    # A hash is of a whole request: two that are alike have the same command.
    key = step.key and replace(
        step.key, request_hash=f"{step.key.request_hash} {hash(step.command)}"
    )
    origin = CommandMetadata(actor=ROUTE, request_id=RequestId("request-1"), request_key=key)
    return Submission(context, origin)


def _play(
    store: FlowStore, history: Sequence[tuple[int, Step]], sizes: Iterator[int]
) -> list[Outcome | Exception]:
    """Carry out a history in batches of some sizes, the rest in one."""
    rest = [_submission(number, step) for number, step in history]
    answers: list[Outcome | Exception] = []
    while rest:
        count = next(sizes, len(rest))
        answers += carry_out(store, rest[:count])
        rest = rest[count:]
    return answers


def _told(answers: Sequence[Outcome | Exception]) -> list[object]:
    return [(each, getattr(each, "is_replay", None)) for each in answers]


SIZES = st.lists(st.integers(1, 12), max_size=20)


@given(histories(), SIZES)
def test_a_batch_is_answered_and_stored_as_the_same_commands_one_by_one(
    history: History, sizes: list[int]
) -> None:
    numbered = list(enumerate(history, 1))
    with (
        closing(open_for_writing(MEMORY)) as one_by_one,
        closing(open_for_writing(MEMORY)) as store,
    ):
        expected = _told(_play(one_by_one, numbered, repeat(1)))
        assert _told(_play(store, numbered, iter(sizes))) == expected
        assert contents(store) == contents(one_by_one)
    model, memory = MemoryStore(), MemoryStore()
    assert _told(_play(model, numbered, repeat(1))) == expected
    assert _told(_play(memory, numbered, iter(sizes))) == expected
    assert memory == model


@given(histories(), SIZES, st.sets(st.integers(1, 8)))
def test_what_was_answered_happened_and_nothing_else_whichever_writes_fail(
    history: History, sizes: list[int], failing: set[int]
) -> None:
    numbered = list(enumerate(history, 1))
    memory = MemoryStore()
    store = FailingStore(memory)
    store.plan(*(Failure(WriteFault.UNAVAILABLE, at=number) for number in failing))
    answers = _play(store, numbered, iter(sizes))
    answered = [
        (step, answer)
        for step, answer in zip(numbered, answers, strict=True)
        if not isinstance(answer, NotPersisted)
    ]
    model = MemoryStore()
    expected = _play(model, [step for step, _ in answered], repeat(1))
    assert _told([answer for _, answer in answered]) == _told(expected)
    assert memory == model


@given(histories(), SIZES, st.sets(st.integers(1, 8)))
def test_who_loses_races_is_answered_as_if_nothing_had_been(
    history: History, sizes: list[int], lost: set[int]
) -> None:
    numbered = list(enumerate(history, 1))
    memory, model = MemoryStore(), MemoryStore()
    store = FailingStore(memory)
    store.plan(*(Failure(WriteFault.CONFLICT, at=number) for number in lost))
    assert _told(_play(store, numbered, iter(sizes))) == _told(_play(model, numbered, repeat(1)))
    assert memory == model
