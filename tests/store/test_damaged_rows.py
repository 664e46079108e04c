"""What is derived from the events is only a cache: damaged, it costs time and changes no answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Final

import pytest

from adapters.store import EventSourcedStore, Undecodable, open_for_writing
from domain.application.ports import itself
from domain.flow.ids import FlowId, Owner
from domain.flow.state import Flow
from tests.store.commits import RESUMES, WAITS, commit, created, folded, save
from tests.store.conftest import MEMORY
from tests.store.service import OWNER, STRANGER
from tests.store.tables import SNAPSHOTS, contents, execute, rows

DAMAGES: Final = {
    "no bytes": "state = x''",
    "garbage": "state = x'deadbeef'",
    "cut off": "state = substr(state, 1, 40)",
    "text": "state = 'text'",
    "a number": "state = 7",
    "null": "state = NULL",
    "a list": "state = CAST('[]' AS BLOB)",
    "a newer format": "topic = 'taskflow.flow_snapshot.v2', state = CAST('{\"id\": 1}' AS BLOB)",
    "an unknown field": "state = CAST(replace(CAST(state AS TEXT), '{', '{\"x\": 1,') AS BLOB)",
    "another flow": "state = (SELECT state FROM stored_snapshots WHERE originator_id = 'flow-2')",
    "another version": "originator_version = 9",
    "no version": "originator_version = 'x'",
    "an event": "(topic, state) = (SELECT topic, state FROM stored_events"
    " WHERE originator_id = 'flow-1' AND originator_version = 2)",
    "another id": "originator_id = 'flow-3'",
}

FIRST: Final = folded(created(), WAITS)
SECOND: Final = folded(created(FlowId("flow-2"), STRANGER))


@pytest.fixture
def reports() -> list[str]:
    """What was reported of snapshots."""
    return []


@pytest.fixture
def told(reports: list[str]) -> Iterator[EventSourcedStore]:
    """A store with two flows of two owners."""
    with closing(open_for_writing(MEMORY, on_stale_cache=reports.append)) as store:
        save(store, commit(None, created(), WAITS))
        save(store, commit(None, created(FlowId("flow-2"), STRANGER)))
        yield store


def _damage(store: EventSourcedStore, damage: str, table: str = "stored_snapshots") -> None:
    execute(store, f"UPDATE {table} SET {damage} WHERE originator_id = 'flow-1'")  # noqa: S608 - ours


def _listed(store: EventSourcedStore, owner: Owner | None = OWNER) -> list[Flow]:
    return list(store.page(owner, limit=5, before=None, status=None, show=itself).flows)


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=list(DAMAGES))
def test_a_damaged_snapshot_changes_no_answer_and_is_replaced_by_the_next_write(
    told: EventSourcedStore, damage: str
) -> None:
    _damage(told, damage)
    assert told.find(OWNER, FlowId("flow-1")) == FIRST
    assert told.load(FlowId("flow-1")) == FIRST
    assert told.load(FlowId("flow-1"), 1) == folded(created())
    assert told.load(FlowId("flow-1"), 2) == FIRST
    assert told.load(FlowId("flow-1"), 3) is None
    assert told.latest(OWNER) == FIRST
    assert _listed(told) == [FIRST]
    assert _listed(told, None) == [SECOND, FIRST]
    save(told, commit(FIRST, RESUMES))
    with closing(open_for_writing(MEMORY)) as sound:
        save(sound, commit(None, created(), WAITS))
        save(sound, commit(None, created(FlowId("flow-2"), STRANGER)))
        save(sound, commit(FIRST, RESUMES))
        if "originator_id" not in damage:  # a row that is of no flow is for `store rebuild`
            assert contents(told) == contents(sound)


def test_a_damaged_snapshot_is_reported_once(told: EventSourcedStore, reports: list[str]) -> None:
    _damage(told, DAMAGES["garbage"])
    for _ in range(3):
        told.load(FlowId("flow-1"))
        _listed(told)
    assert len(reports) == 1
    assert reports[0].startswith("flow flow-1: its snapshot is not used: ")


def test_damaged_events_are_a_fault_with_and_without_their_snapshot(
    told: EventSourcedStore, reports: list[str]
) -> None:
    _damage(told, "state = x'00'", "stored_events")
    _damage(told, DAMAGES["garbage"])
    with pytest.raises(Undecodable, match="event flow-1/1"):
        told.load(FlowId("flow-1"))
    with pytest.raises(Undecodable, match="event flow-1/1"):
        _listed(told)
    assert reports == []


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE flow_index SET status = 'garbage' WHERE flow_id = 'flow-1'",
        "UPDATE flow_index SET position = 'x' WHERE flow_id = 'flow-1'",
        "UPDATE flow_index SET silent_since = 'x' WHERE flow_id = 'flow-1'",
    ],
)
def test_a_damaged_row_of_the_index_is_no_fault(told: EventSourcedStore, damage: str) -> None:
    execute(told, damage)
    assert told.find(OWNER, FlowId("flow-1")) == FIRST
    assert _listed(told) == [FIRST]
    page = told.page(None, limit=1, before=None, status=None, show=itself)
    assert page.next_cursor is None or isinstance(page.next_cursor, int)
    assert told.stale(10**15, 10) == []


def test_a_row_of_the_index_that_is_of_no_flow_is_not_listed(told: EventSourcedStore) -> None:
    execute(told, "INSERT INTO flow_index VALUES ('stray', ?, 99, 'queued', NULL)", OWNER)
    assert _listed(told) == [FIRST]
    assert told.latest(OWNER) is None or told.latest(OWNER) == FIRST
    assert told.find(OWNER, FlowId("stray")) is None
    assert len(rows(told, SNAPSHOTS)) == 2


def test_a_row_of_the_index_with_another_owner_shows_nobody_a_flow_of_somebody_else(
    told: EventSourcedStore, reports: list[str]
) -> None:
    execute(
        told, "UPDATE flow_index SET owner = ?, position = 99 WHERE flow_id = 'flow-1'", STRANGER
    )
    assert told.find(STRANGER, FlowId("flow-1")) is None
    assert told.latest(STRANGER) is None
    assert _listed(told, STRANGER) == [SECOND]
    execute(told, "DELETE FROM stored_snapshots")
    assert told.find(STRANGER, FlowId("flow-1")) is None
    assert _listed(told, STRANGER) == [SECOND]
    assert len(reports) == 1
    assert "flow flow-1: its snapshot is not used: it or its index row has another owner" in reports


def test_a_snapshot_with_another_owner_hides_no_flow_from_its_own(
    told: EventSourcedStore, reports: list[str]
) -> None:
    swapped = f"replace(CAST(state AS TEXT), '{OWNER}', '{STRANGER}')"
    _damage(told, f"state = CAST({swapped} AS BLOB)")
    assert told.find(OWNER, FlowId("flow-1")) == FIRST
    assert told.find(STRANGER, FlowId("flow-1")) is None
    assert _listed(told) == [FIRST]
    assert _listed(told, STRANGER) == [SECOND]
    assert len(reports) == 1
