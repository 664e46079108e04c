"""What callers are shown is kept as JSON: damaged, it costs time and changes no answer."""

from __future__ import annotations

from contextlib import closing
from typing import Final

import pytest

from adapters.presentation.wire_json import render_flow
from adapters.store import EventSourcedStore, open_for_writing
from domain.application.ports import NO_FILTER, StoreUnavailable
from domain.flow.ids import FlowId, Owner
from tests.store.commits import RESUMES, WAITS, commit, created, folded, save
from tests.store.conftest import MEMORY
from tests.store.kinds import ON_SQLITE
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
def viewed(store: EventSourcedStore) -> EventSourcedStore:
    """A store with two flows of two owners."""
    save(store, commit(None, created(), WAITS))
    save(store, commit(None, created(FlowId("flow-2"), STRANGER)))
    return store


def _listed(store: EventSourcedStore, owner: Owner = OWNER) -> list[bytes]:
    shown: list[bytes] = []

    def add(text: bytes) -> bool:
        shown.append(text)
        return True

    store.page_json(owner, limit=5, before=None, only=NO_FILTER, add=add)
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
    viewed: EventSourcedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _answers(viewed) == DUE
    # What is forged with its checksum is shown: nothing is folded where the row is right.
    monkeypatch.setattr(viewed.application, "load_of", None)
    assert _answers(viewed) == DUE


@ON_SQLITE
@pytest.mark.parametrize("damage", DAMAGES.values(), ids=list(DAMAGES))
def test_a_damaged_view_changes_no_answer_and_is_replaced_by_the_next_write(
    viewed: EventSourcedStore, damage: str
) -> None:
    execute(viewed, f"UPDATE flow_views SET {damage} WHERE flow_id = 'flow-1'")  # noqa: S608 - ours
    assert _answers(viewed) == DUE
    save(viewed, commit(FIRST, RESUMES))
    with closing(open_for_writing(MEMORY)) as sound:
        save(sound, commit(None, created(), WAITS))
        save(sound, commit(None, created(FlowId("flow-2"), STRANGER)))
        save(sound, commit(FIRST, RESUMES))
        if "position" not in damage:  # a row at no flow's position is for `store rebuild`
            assert contents(viewed) == contents(sound)
        assert set(rows(sound, VIEWS)) <= set(rows(viewed, VIEWS))


@ON_SQLITE
def test_a_view_of_an_earlier_version_is_not_shown_as_the_latest(viewed: EventSourcedStore) -> None:
    (before, _) = rows(viewed, VIEWS)
    save(viewed, commit(FIRST, RESUMES))
    execute(viewed, "INSERT OR REPLACE INTO flow_views VALUES (?,?,?,?,?,?)", *before)
    after = render_flow(folded(created(), WAITS, RESUMES))
    assert (viewed.find_json(OWNER, FLOW), viewed.latest_json(OWNER)) == (after, after)


@ON_SQLITE
@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE flow_index SET position = 'x' WHERE flow_id = 'flow-1'",
        "UPDATE flow_index SET position = 99 WHERE flow_id = 'flow-1'",
    ],
)
def test_a_flow_whose_index_row_is_damaged_is_shown_and_written_as_before(
    viewed: EventSourcedStore, damage: str
) -> None:
    execute(viewed, damage)
    assert _answers(viewed) == DUE
    save(viewed, commit(FIRST, RESUMES))
    after = render_flow(folded(created(), WAITS, RESUMES))
    assert viewed.find_json(OWNER, FLOW) == after


@pytest.mark.parametrize("place", ["owner = ?1, position = 99", "(owner, position) = (?1, 77)"])
def test_an_index_row_with_another_owner_shows_nobody_a_flow_of_somebody_else(
    viewed: EventSourcedStore, place: str
) -> None:
    execute(viewed, f"UPDATE flow_index SET {place} WHERE flow_id = 'flow-1'", STRANGER)  # noqa: S608 - ours
    execute(viewed, "UPDATE flow_views SET position = 77 WHERE flow_id = 'flow-1'")
    assert viewed.find_json(STRANGER, FLOW) is None
    assert viewed.latest_json(STRANGER) is None
    assert _listed(viewed, STRANGER) == [render_flow(SECOND)]


def test_an_index_row_at_the_place_of_another_flow_shows_its_own(viewed: EventSourcedStore) -> None:
    execute(viewed, "DELETE FROM flow_index WHERE flow_id = 'flow-2'")
    execute(viewed, "UPDATE flow_index SET position = 2 WHERE flow_id = 'flow-1'")
    execute(viewed, "DELETE FROM flow_views WHERE position = 1")
    execute(viewed, "UPDATE flow_views SET owner = ?", OWNER)
    assert _answers(viewed)[0] == DUE[0]


def test_a_closed_store_shows_nothing_any_more(file_url: str) -> None:
    store = open_for_writing(file_url)
    assert store.find_json(OWNER, FLOW) is None
    store.close()
    with pytest.raises(StoreUnavailable, match="the store is closed"):
        store.find_json(OWNER, FLOW)
