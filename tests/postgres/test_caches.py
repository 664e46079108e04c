"""What is derived is a cache on PostgreSQL too: deleted or damaged, it changes no answer."""

from __future__ import annotations

from random import Random
from typing import Final

import pytest
from attrs import evolve

from adapters.store import EventSourcedStore, rebuild
from domain.application.recorded_events import RequestKey
from domain.flow.commands import CancelFlow, SetWaiting, UpdateTask
from domain.flow.ids import FlowId, Owner, RouteId
from domain.flow.status import TaskStatus
from domain.flow.values import Json
from tests.store.commits import commit, created, refolded, save
from tests.store.service import ORIGIN, OWNER, ROUTE, STRANGER, create, granted, run, session
from tests.store.tables import HEALTHY, execute

FLOW: Final = FlowId("id-1")
LARGE: Final = Json('"' + "x" * 5_000 + '"')
OLDER: Final = """UPDATE stored_snapshots SET originator_version = originator_version - 1, state =
    convert_to(replace(convert_from(state, 'UTF8'), '"version":4', '"version":3'), 'UTF8')"""
DAMAGES: Final = {
    "no snapshots": "DELETE FROM stored_snapshots",
    "no tasks": "DELETE FROM flow_tasks",
    "one task less": "DELETE FROM flow_tasks WHERE number = 1",
    "a run moved": "UPDATE flow_tasks SET run_id = 'r9' WHERE number = 1",
    "a task of garbage": "UPDATE flow_tasks SET state = '\\x00' WHERE number = 1",
    "no large values": "DELETE FROM flow_values",
    "another large value": "UPDATE flow_values SET json = '\"x\"'",
    "an older snapshot": OLDER,
    "a snapshot of garbage": "UPDATE stored_snapshots SET state = '\\x00'",
    "no views": "DELETE FROM flow_views",
    "a view of garbage": "UPDATE flow_views SET json = '{}'",
    "a view of an earlier version": "UPDATE flow_views SET version = version - 1",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damage_changes_no_answer_and_the_next_write_heals_it(
    store: EventSourcedStore, damage: str
) -> None:
    owner = session(store)
    create(owner)
    for number in (1, 2):
        granted(owner.execute(run(FLOW, run_id=f"r{number}"), ORIGIN))
    waiting = SetWaiting(flow_id=FLOW, expected_revision=0, state_json=LARGE)
    granted(owner.execute(waiting, ORIGIN))
    shown = store.find_json(OWNER, FLOW)
    execute(store, DAMAGES[damage])
    loaded = store.load_many({(OWNER, FLOW): [CancelFlow(flow_id=FLOW)]}, ()).flows[OWNER, FLOW]
    assert loaded == refolded(store, FLOW) == store.find(OWNER, FLOW)
    assert store.find_json(OWNER, FLOW) == shown
    task = loaded.tasks[1].task_id
    ended = UpdateTask(flow_id=FLOW, task_id=task, status=TaskStatus.SUCCEEDED)
    assert granted(owner.execute(ended, ORIGIN)).task is not None
    again = SetWaiting(flow_id=FLOW, expected_revision=1, state_json=LARGE)
    granted(owner.execute(again, ORIGIN))
    assert store.find(OWNER, FLOW) == refolded(store, FLOW)
    if "value" not in damage:  # one that has not changed is not written again
        assert rebuild(store).changed == HEALTHY


def test_an_index_row_of_another_owner_shows_nobody_a_foreign_flow(
    store: EventSourcedStore,
) -> None:
    create(session(store))
    execute(store, "UPDATE flow_index SET owner = ?", STRANGER)
    wanted: dict[tuple[Owner, FlowId], list[CancelFlow]] = {(STRANGER, FLOW): [], (OWNER, FLOW): []}
    assert store.load_many(wanted, ()).flows == {}
    assert store.find_json(STRANGER, FLOW) is None


def test_a_run_may_have_an_id_as_long_as_a_body(store: EventSourcedStore) -> None:
    owner = session(store)
    create(owner)
    run_id = Random(1).randbytes(50_000).hex()  # noqa: S311 - no secret, and nothing that compresses
    first = granted(owner.execute(run(FLOW, run_id=run_id), ORIGIN)).task
    assert granted(owner.execute(run(FLOW, run_id=run_id), ORIGIN)).task == first


def test_what_rows_are_found_by_may_be_as_long_as_is_allowed(store: EventSourcedStore) -> None:
    """Of a route's id and its session key the settings allow 1,000 bytes, of a name 256 letters."""
    signs = Random(1).choices(range(0x10000, 0x1F000), k=256)  # noqa: S311 - no secret, and nothing that compresses
    name = "".join(map(chr, signs))
    longest = name[:250]
    assert len(longest.encode()) == 1000
    key = RequestKey(route_id=RouteId(longest), key=name[:63], request_hash="h")
    opening = evolve(created(owner=Owner(longest)), correlation_key=name)
    origin = evolve(ORIGIN, actor=evolve(ROUTE, name=longest), request_key=key)
    save(store, commit(None, opening, origin=origin))
    assert store.load_many({}, [(key.route_id, key.key)]).records.keys() == {(longest, name[:63])}
    assert store.position_of(Owner(longest), opening.flow_id) == 1
