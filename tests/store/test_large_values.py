"""A large JSON value has a row of its own, which is written only when the value changes."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from typing import Final
from zlib import crc32

import orjson
import pytest

from adapters.store import EventSourcedStore, StoreAuditLog, open_for_writing, rebuild
from adapters.store.values import LARGE
from domain.application.sessions import OwnerSession
from domain.flow.commands import CreateFlow, SetWaiting
from domain.flow.ids import FlowId
from domain.flow.values import JSON_NULL, Json
from tests.audit.healthy import FAR_PAST
from tests.audit.whole_logs import replay_store
from tests.store.commits import refolded
from tests.store.conftest import MEMORY
from tests.store.kinds import ON_SQLITE
from tests.store.service import ORIGIN, OWNER, granted, session
from tests.store.tables import HEALTHY, SNAPSHOTS, VALUES, VIEWS, execute, rows

FLOW: Final = FlowId("id-1")
SMALL: Final = Json('"' + "s" * (LARGE - 2) + '"')
STATE: Final = Json('"' + "ü" * LARGE + '\\u0000"')
WAIT: Final = Json('["' + "w" * LARGE + '"]')


def _made(store: EventSourcedStore, state: Json = STATE) -> OwnerSession:
    owner = session(store)
    created = CreateFlow(goal="g", controller_id="c", state_json=state, wait_json=WAIT)
    granted(owner.execute(created, ORIGIN))
    return owner


def _add(page: list[bytes], text: bytes) -> bool:
    page.append(text)
    return True


def _check(store: EventSourcedStore, owner: OwnerSession, state: Json, wait: Json) -> None:
    flow = store.find(OWNER, FLOW)
    assert flow is not None
    assert (flow.state_json, flow.wait_json) == (state, wait)
    assert flow == refolded(store, FLOW)
    shown = owner.find_json(FLOW)
    assert shown is not None
    assert shown == owner.latest_json()
    page: list[bytes] = []
    owner.page_json(partial(_add, page), limit=9)
    assert page == [shown]
    assert owner.page(limit=9).flows == [owner.find(FLOW)]
    parsed = orjson.loads(shown)
    assert (parsed["stateJson"], parsed["waitJson"]) == (
        orjson.loads(state.text),
        orjson.loads(wait.text),
    )


def test_a_large_value_stands_in_its_row_alone(store: EventSourcedStore) -> None:
    owner = _made(store)
    _check(store, owner, STATE, WAIT)
    assert [row[1] for row in rows(store, VALUES)] == ["state_json", "wait_json"]
    for table in (SNAPSHOTS, VIEWS):
        ((*_, kept),) = rows(store, table)
        assert isinstance(kept, bytes)
        assert len(kept) < LARGE / 4


def test_a_small_value_has_no_row(store: EventSourcedStore) -> None:
    owner = _made(store, SMALL)
    _check(store, owner, SMALL, WAIT)
    assert [row[1] for row in rows(store, VALUES)] == ["wait_json"]


@ON_SQLITE
def test_only_a_value_that_changes_is_written(store: EventSourcedStore) -> None:
    owner = _made(store)
    execute(
        store,
        "CREATE TRIGGER no_change BEFORE UPDATE ON flow_values BEGIN"
        " SELECT raise(ABORT, 'a value is written') WHERE NEW.name = 'state_json'; END",
    )
    other = Json('["' + "x" * LARGE + '"]')
    waits = SetWaiting(flow_id=FLOW, expected_revision=0, wait_json=other)
    granted(owner.execute(waits, ORIGIN))
    _check(store, owner, STATE, other)
    granted(owner.execute(SetWaiting(flow_id=FLOW, expected_revision=1), ORIGIN))
    _check(store, owner, STATE, other)
    cleared = SetWaiting(flow_id=FLOW, expected_revision=2, wait_json=JSON_NULL)
    granted(owner.execute(cleared, ORIGIN))
    _check(store, owner, STATE, JSON_NULL)
    assert [row[1] for row in rows(store, VALUES)] == ["state_json"]
    assert rebuild(store).changed == HEALTHY


def test_another_value_of_the_same_length_and_checksum_is_written(
    store: EventSourcedStore,
) -> None:
    tails = ("a" * 33, "caaaaacaaccaaaaacaaacccaccaccaccc")
    state, other = (Json('"' + "x" * LARGE + tail + '"') for tail in tails)
    assert crc32(state.text.encode()) == crc32(other.text.encode())
    owner = _made(store, state)
    granted(owner.execute(SetWaiting(flow_id=FLOW, expected_revision=0, state_json=other), ORIGIN))
    _check(store, owner, other, WAIT)


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM flow_values",
        "UPDATE flow_values SET json = x'2278'",
        "UPDATE flow_values SET json = 'text'",
        "UPDATE flow_values SET json = (SELECT json FROM flow_values WHERE name='wait_json')",
        "UPDATE flow_values SET flow_id = 'id-9'",
    ],
)
def test_a_damaged_row_changes_no_answer_and_is_found(damage: str) -> None:
    with closing(open_for_writing(MEMORY)) as store:
        owner = _made(store)
        execute(store, damage)
        _check(store, owner, STATE, WAIT)
        found = [
            finding.code for finding in replay_store(StoreAuditLog(store), FAR_PAST).findings.kept
        ]
        assert found == ["snapshot_differs"]
        granted(owner.execute(SetWaiting(flow_id=FLOW, expected_revision=0), ORIGIN))
        _check(store, owner, STATE, WAIT)
        rebuild(store)
        assert rebuild(store).changed == HEALTHY
        assert replay_store(StoreAuditLog(store), FAR_PAST).findings.kept == []
