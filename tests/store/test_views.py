"""What callers are shown is kept as JSON: damaged, it costs time and changes no answer."""

from __future__ import annotations

from contextlib import closing
from typing import Final

import pytest

from adapters.presentation.wire_json import render_flow
from adapters.store import EventSourcedStore, open_for_writing
from domain.application.ports import StoreUnavailable
from domain.flow.ids import FlowId, Owner
from tests.store.commits import RESUMES, WAITS, commit, created, folded
from tests.store.conftest import MEMORY
from tests.store.service import OWNER, STRANGER
from tests.store.tables import VIEWS, contents, execute, rows

FLOW: Final = FlowId("flow-1")
FIRST: Final = folded(created(), WAITS)
SECOND: Final = folded(created(FlowId("flow-2"), STRANGER))

DAMAGES: Final = {
    "no bytes": "json = x''",
    "garbage": "json = x'deadbeef'",
    "a changed byte": "json = CAST(replace(CAST(json AS TEXT), 'queued', 'quEued') || ' ' AS BLOB)",
    "text": "json = CAST(json AS TEXT)",
    "a number": "json = 7",
    "another flow": "(checksum, json) ="
    " (SELECT checksum, json FROM flow_views WHERE flow_id = 'flow-2')",
    "another flow with all its columns": "(version, checksum, json) ="
    " (SELECT version, checksum, json FROM flow_views WHERE flow_id = 'flow-2')",
    "another version": "version = 1",
    "no version": "version = 'x'",
    "another owner": f"owner = '{STRANGER}'",
    "another id": "flow_id = 'flow-3'",
    "another position": "position = 99",
    "no checksum": "checksum = 'x'",
}


@pytest.fixture
def told(store: EventSourcedStore) -> EventSourcedStore:
    """A store with two flows of two owners."""
    store.save(commit(None, created(), WAITS))
    store.save(commit(None, created(FlowId("flow-2"), STRANGER)))
    return store


def _listed(store: EventSourcedStore, owner: Owner = OWNER) -> list[bytes]:
    shown: list[bytes] = []

    def add(text: bytes) -> bool:
        shown.append(text)
        return True

    store.page_json(owner, limit=5, before=None, status=None, add=add)
    return shown


def _answers(store: EventSourcedStore) -> list[object]:
    return [
        (store.find_json(owner, FLOW), store.latest_json(owner), _listed(store, owner))
        for owner in (OWNER, STRANGER)
    ]


DUE: Final = [
    (render_flow(FIRST), render_flow(FIRST), [render_flow(FIRST)]),
    (None, render_flow(SECOND), [render_flow(SECOND)]),
]


def test_a_view_is_read_as_it_was_rendered(
    told: EventSourcedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _answers(told) == DUE
    # What is forged with its checksum is shown: nothing is folded where the row is right.
    monkeypatch.setattr(told.application, "load_of", None)
    assert _answers(told) == DUE


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=list(DAMAGES))
def test_a_damaged_view_changes_no_answer_and_is_replaced_by_the_next_write(
    told: EventSourcedStore, damage: str
) -> None:
    execute(told, f"UPDATE flow_views SET {damage} WHERE flow_id = 'flow-1'")  # noqa: S608 - ours
    assert _answers(told) == DUE
    told.save(commit(FIRST, RESUMES))
    with closing(open_for_writing(MEMORY)) as sound:
        sound.save(commit(None, created(), WAITS))
        sound.save(commit(None, created(FlowId("flow-2"), STRANGER)))
        sound.save(commit(FIRST, RESUMES))
        if "position" not in damage:  # a row at no flow's position is for `store rebuild`
            assert contents(told) == contents(sound)
        assert set(rows(sound, VIEWS)) <= set(rows(told, VIEWS))


def test_a_view_of_an_earlier_version_is_not_shown_as_the_latest(told: EventSourcedStore) -> None:
    (before, _) = rows(told, VIEWS)
    told.save(commit(FIRST, RESUMES))
    execute(told, "INSERT OR REPLACE INTO flow_views VALUES (?,?,?,?,?,?)", *before)
    after = render_flow(folded(created(), WAITS, RESUMES))
    assert (told.find_json(OWNER, FLOW), told.latest_json(OWNER)) == (after, after)


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE flow_index SET position = 'x' WHERE flow_id = 'flow-1'",
        "UPDATE flow_index SET position = 99 WHERE flow_id = 'flow-1'",
    ],
)
def test_a_flow_whose_index_row_is_damaged_is_shown_and_written_as_before(
    told: EventSourcedStore, damage: str
) -> None:
    execute(told, damage)
    assert _answers(told) == DUE
    told.save(commit(FIRST, RESUMES))
    after = render_flow(folded(created(), WAITS, RESUMES))
    assert told.find_json(OWNER, FLOW) == after


@pytest.mark.parametrize("place", ["owner = ?1, position = 99", "(owner, position) = (?1, 77)"])
def test_an_index_row_with_another_owner_shows_nobody_a_flow_of_somebody_else(
    told: EventSourcedStore, place: str
) -> None:
    execute(told, f"UPDATE flow_index SET {place} WHERE flow_id = 'flow-1'", STRANGER)  # noqa: S608 - ours
    execute(told, "UPDATE flow_views SET position = 77 WHERE flow_id = 'flow-1'")
    assert told.find_json(STRANGER, FLOW) is None
    assert told.latest_json(STRANGER) is None
    assert _listed(told, STRANGER) == [render_flow(SECOND)]


def test_an_index_row_at_the_place_of_another_flow_shows_its_own(told: EventSourcedStore) -> None:
    execute(told, "DELETE FROM flow_index WHERE flow_id = 'flow-2'")
    execute(told, "UPDATE flow_index SET position = 2 WHERE flow_id = 'flow-1'")
    execute(told, "DELETE FROM flow_views WHERE position = 1")
    execute(told, "UPDATE flow_views SET owner = ?", OWNER)
    assert _answers(told)[0] == DUE[0]


def test_a_closed_store_shows_nothing_any_more(file_url: str) -> None:
    store = open_for_writing(file_url)
    assert store.find_json(OWNER, FLOW) is None
    store.close()
    with pytest.raises(StoreUnavailable, match="the store is closed"):
        store.find_json(OWNER, FLOW)
