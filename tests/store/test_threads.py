"""Eight threads at once on one store: who wins, and that nothing is done twice."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

from adapters.store import EventSourcedStore, rebuild
from domain.application.outcomes import Accepted, Outcome, Rejected
from domain.application.recorded_events import CommandMetadata
from domain.application.sessions import OwnerSession
from domain.flow.commands import CancelFlow, Command, SetWaiting
from domain.flow.ids import FlowId
from tests.store.service import ORIGIN, create, creation, granted, keyed, run, session, shown
from tests.store.tables import EVENTS, HEALTHY, KEYS, rows

THREADS = 8


def _at_once(owner: OwnerSession, *requests: tuple[Command, CommandMetadata]) -> list[Outcome]:
    """Execute each request in a thread of its own, all from one moment on."""
    barrier = threading.Barrier(len(requests))

    def execute(request: tuple[Command, CommandMetadata]) -> Outcome:
        barrier.wait(10)
        return owner.execute(*request)

    with ThreadPoolExecutor(len(requests)) as pool:
        return list(pool.map(execute, requests))


def _accepted(outcomes: list[Outcome]) -> list[Accepted]:
    return [outcome for outcome in outcomes if isinstance(outcome, Accepted)]


def test_one_key_sent_eight_times_has_one_effect_and_one_answer(store: EventSourcedStore) -> None:
    owner = session(store)
    answers = _at_once(owner, *[(creation(), keyed("k"))] * THREADS)
    assert answers == [granted(answers[0])] * THREADS
    assert [row[:2] for row in rows(store, EVENTS)] == [(shown(answers[0]).flow_id, 1)]
    assert len(rows(store, KEYS)) == 1


def test_one_key_on_a_flow_sent_eight_times_has_one_effect_and_one_answer(
    store: EventSourcedStore,
) -> None:
    owner = session(store)
    command = run(create(owner).flow_id)
    answers = _at_once(owner, *[(command, keyed("k"))] * THREADS)
    assert answers == [granted(answers[0])] * THREADS
    assert len(rows(store, EVENTS)) == 2


def test_of_eight_with_one_expected_revision_exactly_one_wins(store: EventSourcedStore) -> None:
    owner = session(store)
    flow_id = create(owner).flow_id
    waits = [
        SetWaiting(flow_id=flow_id, expected_revision=0, current_step=str(number))
        for number in range(THREADS)
    ]
    outcomes = _at_once(owner, *[(wait, ORIGIN) for wait in waits])
    (won,) = _accepted(outcomes)
    assert won.flow.revision == 1
    lost = [outcome for outcome in outcomes if isinstance(outcome, Rejected)]
    assert [outcome.code for outcome in lost] == ["revision_conflict"] * (THREADS - 1)
    assert [outcome.flow for outcome in lost] == [won.flow] * (THREADS - 1)


def test_of_eight_cancellations_one_cancels_and_the_others_come_too_late(
    store: EventSourcedStore,
) -> None:
    owner = session(store)
    cancel = CancelFlow(flow_id=create(owner).flow_id)
    outcomes = _at_once(owner, *[(cancel, ORIGIN)] * THREADS)
    assert len(_accepted(outcomes)) == 1
    assert [o.code for o in outcomes if isinstance(o, Rejected)] == ["terminal"] * (THREADS - 1)
    assert len(rows(store, EVENTS)) == 3


def test_eight_runs_on_one_flow_are_all_linked_and_cost_no_revision(
    store: EventSourcedStore,
) -> None:
    owner = session(store)
    flow_id = create(owner).flow_id
    outcomes = _at_once(owner, *[(run(flow_id), ORIGIN)] * THREADS)
    tasks = {accepted.task.task_id for accepted in _accepted(outcomes) if accepted.task}
    assert len(tasks) == THREADS
    assert {accepted.flow.revision for accepted in _accepted(outcomes)} == {0}
    summary = owner.summarize_tasks(flow_id)
    assert summary is not None
    assert summary.total == THREADS
    assert (
        shown(owner.execute(SetWaiting(flow_id=flow_id, expected_revision=0), ORIGIN)).revision == 1
    )


def test_eight_repeats_of_one_run_link_one_task(store: EventSourcedStore) -> None:
    owner = session(store)
    flow_id = create(owner).flow_id
    outcomes = _at_once(owner, *[(run(flow_id, run_id="r"), ORIGIN)] * THREADS)
    assert len({a.task.task_id for a in _accepted(outcomes) if a.task}) == 1
    summary = owner.summarize_tasks(flow_id)
    assert summary is not None
    assert summary.total == 1


def test_what_is_read_beside_a_writer_is_always_whole_and_never_older_than_before(
    store: EventSourcedStore,
) -> None:
    owner = session(store)
    flow_id = create(owner).flow_id

    def write(times: int) -> None:
        for revision in range(times):
            step = str(revision + 1)
            wait = SetWaiting(flow_id=flow_id, expected_revision=revision, current_step=step)
            shown(owner.execute(wait, ORIGIN))

    with ThreadPoolExecutor(THREADS) as pool:
        writing = pool.submit(write, 100)
        readers: list[Callable[[], list[tuple[int, str | None]]]] = [
            lambda: _seen_by_find(owner, flow_id, writing.done),
            lambda: _seen_by_page(owner, writing.done),
        ]
        reading = [pool.submit(read) for read in readers]
        writing.result(60)
        seen = [future.result(60) for future in reading]
    for moments in seen:
        assert all(earlier[0] <= later[0] for earlier, later in pairwise(moments))
        assert all(step == (str(revision) if revision else None) for revision, step in moments)
    assert rebuild(store).changed == HEALTHY


def _seen_by_find(
    owner: OwnerSession, flow_id: FlowId, done: Callable[[], bool]
) -> list[tuple[int, str | None]]:
    seen = []
    while not done():
        flow = owner.find(flow_id)
        assert flow is not None
        seen.append((flow.revision, flow.current_step))
    return seen


def _seen_by_page(owner: OwnerSession, done: Callable[[], bool]) -> list[tuple[int, str | None]]:
    seen = []
    while not done():
        (flow,) = owner.page(limit=2).flows
        seen.append((flow.revision, flow.current_step))
    return seen
