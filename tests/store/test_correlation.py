"""Correlation keys and the filters of lists, on the real store and below it."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import pytest
from attrs import evolve as replace

from adapters.store import EventSourcedStore, StoreAuditLog, rebuild
from adapters.store.lists import page_query
from adapters.testing.memory import MemoryStore
from domain.application.outcomes import Accepted, Outcome, Rejected
from domain.application.ports import ListFilter
from domain.application.sessions import OwnerSession, TaskFlows
from domain.flow.commands import CreateFlow, FinishFlow, SetWaiting
from domain.flow.events import FlowSucceeded
from domain.flow.ids import FlowId
from domain.flow.status import FlowStatus
from domain.replay.findings import FindingCode, ReplayReport
from domain.replay.replay_store import stages
from tests.store.commits import commit, created, folded, save
from tests.store.kinds import ON_SQLITE
from tests.store.service import NOW, ORIGIN, OWNER, STRANGER, creation, granted, session, shown
from tests.store.tables import FILTERS, HEALTHY, NAMES, execute, rows

KEY: Final = "pull request 17"
NAMED: Final = replace(creation(), correlation_key=KEY)


def opened(owner: OwnerSession, command: CreateFlow = NAMED) -> FlowId:
    """Open a flow, and return its id."""
    return shown(owner.execute(command, ORIGIN)).flow_id


def test_a_key_has_a_row_while_its_flow_lives(store: EventSourcedStore) -> None:
    owner = session(store)
    first = opened(owner)
    assert rows(store, NAMES) == [(OWNER, KEY, first)]
    refused = owner.execute(NAMED, ORIGIN)
    assert isinstance(refused, Rejected)
    assert refused.flow is not None
    assert (refused.code, refused.flow.flow_id) == ("correlation_key_taken", first)
    submissions = [
        owner.submission(FinishFlow(flow_id=FlowId(""), expected_revision=0), ORIGIN, KEY),
        owner.submission(NAMED, ORIGIN),
    ]
    ended, second = (granted(_outcome(each)) for each in owner.carry_out(submissions))
    assert (ended.flow.flow_id, ended.flow.status) == (first, FlowStatus.SUCCEEDED)
    assert rows(store, NAMES) == [(OWNER, KEY, second.flow.flow_id)]
    assert session(store, STRANGER).find_by_correlation(KEY) is None
    opened(session(store, STRANGER, prefix="other"))


def test_of_commits_with_one_key_the_first_is_written(store: EventSourcedStore) -> None:
    events = [replace(created(FlowId(name)), correlation_key=KEY) for name in ("one", "two")]
    assert store.append_many([commit(None, event) for event in events]) == [True, False]
    assert store.load(FlowId("two")) is None
    assert [row[2] for row in rows(store, NAMES)] == ["one"]


def test_a_key_is_not_free_for_a_flow_that_ends_at_once(store: EventSourcedStore) -> None:
    opening = replace(created(), correlation_key=KEY)
    another = replace(created(FlowId("another")), correlation_key=KEY)
    at_once = [commit(None, opening), commit(folded(opening), FlowSucceeded(at=NOW))]
    save(store, commit(None, another))
    assert store.append_many(at_once) == [False, False]
    ending = commit(folded(another), FlowSucceeded(at=NOW))
    third = commit(None, replace(created(FlowId("third")), correlation_key=KEY))
    assert store.append_many([ending, *at_once, third]) == [True] * 4
    assert [row[2] for row in rows(store, NAMES)] == ["third"]


def test_fifty_clients_with_one_key_open_one_flow(store: EventSourcedStore) -> None:
    clients = [session(store, prefix=f"client-{number}") for number in range(50)]
    with ThreadPoolExecutor(len(clients)) as threads:
        outcomes = list(threads.map(lambda owner: owner.execute(NAMED, ORIGIN), clients))
    (accepted,) = (each for each in outcomes if isinstance(each, Accepted))
    refused = [each for each in outcomes if isinstance(each, Rejected)]
    assert {each.code for each in refused} == {"correlation_key_taken"}
    assert len(refused) == len(clients) - 1
    assert {each.flow.flow_id for each in refused if each.flow} == {accepted.flow.flow_id}
    assert [record.flow_id for _, record in store.log()] == [accepted.flow.flow_id]


DAMAGES: Final = {
    "no names": "DELETE FROM flow_names",
    "another's name": "UPDATE flow_names SET flow_id = 'id-2'",
    "a name too many": "INSERT INTO flow_names SELECT owner, 'x', flow_id FROM flow_names",
    "no filters": "DELETE FROM flow_filters",
    "another step": "UPDATE flow_filters SET current_step = 'elsewhere'",
    "another moment": "UPDATE flow_filters SET updated_at = 1",
    "another owner": "UPDATE flow_filters SET owner = 'agent:main:other'",
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=list(DAMAGES))
def test_wrong_rows_are_found_and_written_again(store: EventSourcedStore, damage: str) -> None:
    owner = session(store)
    opened(owner)
    opened(owner, creation())
    before = rows(store, NAMES), rows(store, FILTERS)
    assert _findings(store) == set()
    execute(store, damage)
    assert _findings(store) == {FindingCode.FILTERS_DIFFER}
    rebuild(store)
    assert (rows(store, NAMES), rows(store, FILTERS)) == before
    assert rebuild(store).changed == HEALTHY
    assert _findings(store) == set()


def test_a_row_of_another_owner_shows_nobody_a_foreign_flow(store: EventSourcedStore) -> None:
    opened(session(store))
    execute(store, DAMAGES["another owner"])
    execute(store, "UPDATE flow_names SET owner = ?", STRANGER)
    stranger = session(store, STRANGER)
    assert stranger.latest_json(KEY) is None
    wait = SetWaiting(flow_id=FlowId(""), expected_revision=0)
    (refused,) = stranger.carry_out([stranger.submission(wait, ORIGIN, KEY)])
    assert isinstance(refused, Rejected)
    assert (refused.code, refused.flow) == ("not_found", None)


FILTERED: Final = {
    "all": ListFilter(),
    "a status": ListFilter(status=FlowStatus.WAITING),
    "a controller": ListFilter(controller_id="even"),
    "a step": ListFilter(current_step="review"),
    "a key": ListFilter(correlation_key="key 4"),
    "since": ListFilter(updated_since=NOW + 3),
    "a step, since": ListFilter(current_step="review", updated_since=NOW + 2),
    "a controller and a step": ListFilter(controller_id="odd", current_step="review"),
    "a status and a key": ListFilter(status=FlowStatus.QUEUED, correlation_key="key 0"),
    "none": ListFilter(controller_id="even", correlation_key="key 3"),
}


@pytest.mark.parametrize("only", FILTERED.values(), ids=list(FILTERED))
def test_lists_are_filtered_as_by_the_store_in_memory(
    store: EventSourcedStore, only: ListFilter
) -> None:
    listed = []
    for each in (store, MemoryStore()):
        moments, numbers = iter(range(NOW, NOW + 99)), iter(range(99))
        flows = TaskFlows(each, lambda it=moments: next(it), lambda it=numbers: f"id-{next(it)}")  # type: ignore[misc]
        owner = flows.bind_session(OWNER)
        for number in range(6):
            command = CreateFlow(
                goal="g",
                controller_id=("even", "odd")[number % 2],
                correlation_key=f"key {number}" if number in {0, 3, 4} else None,
                current_step="review" if number < 3 else None,
            )
            flow_id = opened(owner, command)
            if number % 3 == 1:
                wait = SetWaiting(flow_id=flow_id, expected_revision=0, current_step="review")
                owner.execute(wait, ORIGIN)
        opened(flows.bind_session(STRANGER))
        listed.append(_pages(owner, only))
    assert listed[0] == listed[1]


PLANS: Final = {
    "flow_filters_controller (owner=? AND controller_id=? AND rowid<?)": ListFilter(
        controller_id="c", status=FlowStatus.QUEUED
    ),
    "flow_filters_step (owner=? AND current_step=? AND rowid<?)": ListFilter(
        current_step="s", controller_id="c", updated_since=1
    ),
    "flow_filters_key (owner=? AND correlation_key=? AND rowid<?)": ListFilter(
        correlation_key="k", current_step="s"
    ),
    "flow_filters_updated (owner=? AND updated_at>?": ListFilter(updated_since=1),
}


@ON_SQLITE
@pytest.mark.parametrize("plan", PLANS)
def test_a_filter_finds_flows_by_its_index(store: EventSourcedStore, plan: str) -> None:
    query, params = page_query(OWNER, 10, 99, PLANS[plan], None)
    with store.application.datastore.reading() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {query}", params)
        steps = [row["detail"] for row in cursor.fetchall()]
    assert plan in steps[0]
    assert any("TEMP B-TREE" in step for step in steps) == ("updated_at>" in plan)


def _outcome(answer: Outcome | Exception) -> Outcome:
    assert not isinstance(answer, Exception)
    return answer


def _findings(store: EventSourcedStore) -> set[FindingCode]:
    report = ReplayReport()
    for stage in stages(StoreAuditLog(store), report, 0):
        stage.run(lambda _done, _all: None)
    return {finding.code for finding in report.findings.kept}


def _pages(owner: OwnerSession, only: ListFilter) -> Sequence[Sequence[bytes]]:
    pages: list[list[bytes]] = []
    cursor: FlowId | None = None
    while not pages or cursor is not None:
        page: list[bytes] = []
        pages.append(page)

        def add(text: bytes, page: list[bytes] = page) -> bool:
            page.append(text)
            return True

        cursor = owner.page_json(add, limit=2, cursor=cursor, only=only)
    return pages
