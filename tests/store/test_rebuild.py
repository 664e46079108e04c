"""Making the derived rows again: a healthy store stays as it is, any other is mended."""

from __future__ import annotations

from contextlib import closing

import pytest
from hypothesis import given, settings

from adapters.store import (
    EventSourcedStore,
    StoreFault,
    open_for_reading,
    open_for_writing,
    rebuild,
)
from domain.application.ports import StoreUnavailable
from domain.flow.commands import CancelFlow, SetWaiting, UpdateTask
from domain.flow.ids import FlowId
from domain.flow.status import TaskStatus
from domain.replay.findings import RebuiltRows
from tests.store.conftest import MEMORY
from tests.store.histories import History, Player, histories
from tests.store.kinds import ON_SQLITE
from tests.store.service import ORIGIN, OWNER, STRANGER, create, granted, keyed, run, service, shown
from tests.store.tables import (
    DERIVED,
    HEALTHY,
    INDEX,
    KEYS,
    SNAPSHOTS,
    TASKS,
    VIEWS,
    contents,
    execute,
    rows,
)


@pytest.fixture
def healthy(store: EventSourcedStore) -> EventSourcedStore:
    """A store of three flows, `id-1` and `id-3` of one owner, with a task and request keys."""
    flows = service(store)
    owner, stranger = flows.bind_session(OWNER), flows.bind_session(STRANGER)
    first, _other = create(owner, keyed("k1")), create(stranger)
    second = create(owner)
    assert [first.flow_id, second.flow_id] == ["id-1", "id-3"]
    granted(owner.execute(run(first.flow_id), keyed("k2")))
    shown(owner.execute(SetWaiting(flow_id=first.flow_id, expected_revision=0), ORIGIN))
    shown(owner.execute(CancelFlow(flow_id=second.flow_id), keyed("k3")))
    shown(owner.execute(CancelFlow(flow_id=first.flow_id), ORIGIN))
    return store


@settings(deadline=None, max_examples=60)
@given(histories())
def test_after_any_history_there_is_nothing_to_change(history: History) -> None:
    with closing(open_for_writing(MEMORY)) as store:
        player = Player(store)
        for step in history:
            player.play(step)
        before = contents(store)
        flows = {record.flow_id for _, record in store.log()}
        assert rebuild(store) == RebuiltRows(flows=len(flows), changed=HEALTHY)
        assert contents(store) == before


@settings(deadline=None, max_examples=20)
@given(histories())
def test_after_any_history_all_that_is_derived_can_be_made_again(history: History) -> None:
    with closing(open_for_writing(MEMORY)) as store:
        player = Player(store)
        for step in history:
            player.play(step)
        before = contents(store)
        for table in (SNAPSHOTS, INDEX, VIEWS):
            execute(store, f"DELETE FROM {table}")  # noqa: S608 - one of our tables
        # A key of what was accepted without an event follows from no event (ADR 44), and stays.
        for route_id, key in keys_of_events(store):
            execute(store, "DELETE FROM request_keys WHERE route_id=? AND key=?", route_id, key)
        deleted = {table: len(before[table]) - len(rows(store, table)) for table in DERIVED}
        assert rebuild(store).changed == deleted
        assert contents(store) == before


def keys_of_events(store: EventSourcedStore) -> set[tuple[str, str]]:
    """Return the request keys that events name, each with its route."""
    metadata = [record.metadata for _, record in store.log()]
    return {(one.actor.name, one.idempotency_key) for one in metadata if one.idempotency_key}


def test_the_key_of_an_end_that_cancels_the_flow_stands_for_the_task_that_ended(
    store: EventSourcedStore,
) -> None:
    owner = service(store).bind_session(OWNER)
    flow_id = create(owner).flow_id
    task = granted(owner.execute(run(flow_id), ORIGIN)).task
    assert task is not None
    shown(owner.execute(CancelFlow(flow_id=flow_id), ORIGIN))
    end = UpdateTask(flow_id=flow_id, task_id=task.task_id, status=TaskStatus.SUCCEEDED)
    ended = granted(owner.execute(end, keyed("k")))
    assert ended.flow.status == "cancelled"
    assert rebuild(store).changed == HEALTHY
    execute(store, "DELETE FROM request_keys")
    assert rebuild(store).changed == {**HEALTHY, KEYS: 1}
    assert owner.execute(end, keyed("k")) == ended


def test_an_empty_store_has_nothing_to_rebuild(store: EventSourcedStore) -> None:
    assert rebuild(store) == RebuiltRows(flows=0, changed=HEALTHY)


@ON_SQLITE
@pytest.mark.parametrize(
    ("table", "damage", "changed"),
    [
        (SNAPSHOTS, "DELETE FROM stored_snapshots", 3),
        (SNAPSHOTS, "DELETE FROM stored_snapshots WHERE originator_id='id-1'", 1),
        (SNAPSHOTS, "UPDATE stored_snapshots SET state='{}' WHERE originator_id='id-1'", 1),
        (SNAPSHOTS, "UPDATE stored_snapshots SET originator_version=7", 3),
        (SNAPSHOTS, "UPDATE stored_snapshots SET topic='other'", 3),
        (SNAPSHOTS, "INSERT OR REPLACE INTO stored_snapshots VALUES ('id-1', 1, 'x', '{}')", 1),
        (SNAPSHOTS, "INSERT INTO stored_snapshots VALUES ('ghost', 1, 'x', '{}')", 1),
        (VIEWS, "DELETE FROM flow_views", 3),
        (VIEWS, "DELETE FROM flow_views WHERE flow_id='id-1'", 1),
        (VIEWS, "UPDATE flow_views SET json=x'7b7d' WHERE flow_id='id-1'", 1),
        (VIEWS, "UPDATE flow_views SET owner='thief' WHERE flow_id='id-1'", 1),
        (VIEWS, "UPDATE flow_views SET version=1, checksum=0", 3),
        (VIEWS, "UPDATE flow_views SET position=position+90 WHERE flow_id='id-1'", 2),
        (VIEWS, "INSERT INTO flow_views VALUES (99, 'ghost', 'o', 1, 0, x'7b7d')", 1),
        (TASKS, "UPDATE flow_tasks SET state=x'00'", 1),
        (TASKS, "INSERT INTO flow_tasks VALUES ('ghost', 0, 't', NULL, NULL, 0, x'00')", 1),
        (INDEX, "DELETE FROM flow_index", 3),
        (INDEX, "UPDATE flow_index SET owner='thief' WHERE flow_id='id-1'", 1),
        (INDEX, "UPDATE flow_index SET position=position+10", 3),
        (INDEX, "UPDATE flow_index SET status='queued'", 2),
        (INDEX, "UPDATE flow_index SET silent_since=NULL", 1),
        (INDEX, "UPDATE flow_index SET silent_since=7", 3),
        (INDEX, "INSERT INTO flow_index VALUES ('ghost', 'o', 99, 'queued', NULL)", 1),
        (INDEX, "UPDATE flow_index SET flow_id='ghost' WHERE flow_id='id-1'", 2),
        (INDEX, "UPDATE flow_index SET flow_id='ghost-' || flow_id", 6),
        (KEYS, "DELETE FROM request_keys", 3),
        (KEYS, "UPDATE request_keys SET request_hash='other' WHERE key='k1'", 1),
        (KEYS, "UPDATE request_keys SET version=1", 2),
        (KEYS, "UPDATE request_keys SET flow_id='id-2' WHERE key='k3'", 1),
        (KEYS, "UPDATE request_keys SET task_id=NULL", 1),
        (KEYS, "UPDATE request_keys SET key='k9' WHERE key='k1'", 2),
        (KEYS, "INSERT INTO request_keys VALUES ('r', 'k', 'h', 'id-1', 1, NULL)", 1),
    ],
)
def test_rows_that_differ_from_the_events_are_mended_and_counted(
    healthy: EventSourcedStore, table: str, damage: str, changed: int
) -> None:
    before = contents(healthy)
    execute(healthy, damage)
    assert contents(healthy) != before
    assert rebuild(healthy) == RebuiltRows(flows=3, changed={**HEALTHY, table: changed})
    assert contents(healthy) == before
    assert rebuild(healthy).changed == HEALTHY


def test_rows_that_stand_in_one_anothers_place_are_mended(healthy: EventSourcedStore) -> None:
    before = contents(healthy)
    execute(healthy, "UPDATE flow_index SET position=-1 WHERE flow_id='id-1'")
    execute(healthy, "UPDATE flow_index SET position=1 WHERE flow_id='id-3'")
    execute(healthy, "UPDATE flow_index SET position=3 WHERE flow_id='id-1'")
    assert rebuild(healthy).changed == {**HEALTHY, "flow_index": 2}
    assert contents(healthy) == before


def test_a_stray_row_in_the_place_of_a_flow_is_mended(healthy: EventSourcedStore) -> None:
    before = contents(healthy)
    execute(healthy, "DELETE FROM flow_index WHERE flow_id='id-1'")
    execute(healthy, "INSERT INTO flow_index VALUES ('ghost', ?, 1, 'queued', NULL)", OWNER)
    assert rebuild(healthy).changed == {**HEALTHY, "flow_index": 2}
    assert contents(healthy) == before


COPY = "INSERT INTO stored_events SELECT {values}, topic, state FROM stored_events WHERE {which}"


@ON_SQLITE
@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (
            "DELETE FROM stored_events WHERE originator_id='id-1' AND originator_version=1",
            "flow id-1: its stream has no beginning",
        ),
        (
            "DELETE FROM stored_events WHERE originator_id='id-1' AND originator_version=2",
            "flow id-1: version 3 follows where 2 was due",
        ),
        (
            "UPDATE stored_events SET originator_version=9 WHERE rowid=7",
            "flow id-3: version 9 follows where 3 was due",
        ),
        (
            "UPDATE stored_events SET state='{}' WHERE originator_id='id-2'",
            r"event id-2/1 \(taskflow.flow_created.v1\): ",
        ),
        (
            "UPDATE stored_events SET topic='taskflow.unheard_of.v1' WHERE originator_id='id-2'",
            r"event id-2/1 \(taskflow.unheard_of.v1\): ",
        ),
        (
            COPY.format(values="originator_id, 2", which="originator_id='id-2'"),
            "flow id-2 is created twice",
        ),
        (
            COPY.format(values="'id-9', originator_version", which="originator_id='id-1'"),
            "flow id-9: its events are those of flow id-1",
        ),
        (
            COPY.format(values="'id-9', 1", which="rowid=4"),
            "TaskLinked comes before the flow was created",
        ),
        (
            COPY.format(values="'id-9', 1", which="originator_id='id-1'").replace(
                "FROM stored_events", "FROM stored_snapshots"
            ),
            "flow id-9: a snapshot lies among its events",
        ),
    ],
)
def test_events_that_do_not_add_up_are_refused_and_nothing_is_changed(
    healthy: EventSourcedStore, damage: str, complaint: str
) -> None:
    execute(healthy, damage)
    for table in (INDEX, KEYS):
        execute(healthy, f"DELETE FROM {table}")  # noqa: S608 - one of our tables
    before = contents(healthy)
    with pytest.raises(StoreFault, match=complaint):
        rebuild(healthy)
    assert contents(healthy) == before
    assert before[INDEX] == []


def test_progress_is_told_after_each_flow(healthy: EventSourcedStore) -> None:
    told: list[tuple[int, int]] = []
    rebuild(healthy, lambda done, of: told.append((done, of)))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_a_rebuild_that_is_broken_off_changes_nothing(healthy: EventSourcedStore) -> None:
    execute(healthy, "DELETE FROM flow_index")
    before = contents(healthy)

    def stop(_done: int, _of: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rebuild(healthy, stop)
    assert contents(healthy) == before
    assert rebuild(healthy).changed == {**HEALTHY, "flow_index": 3}


def test_a_store_is_used_as_before_after_a_rebuild(healthy: EventSourcedStore) -> None:
    for table in DERIVED:
        execute(healthy, f"DELETE FROM {table}")  # noqa: S608 - one of our tables
    rebuild(healthy)
    owner = service(healthy, prefix="new").bind_session(OWNER)
    create(owner)
    assert [flow.flow_id for flow in owner.page(limit=9).flows] == ["new-1", "id-3", "id-1"]
    assert (
        shown(owner.execute(CancelFlow(flow_id=FlowId("id-3")), keyed("k3"))).status == "cancelled"
    )
    assert rebuild(healthy) == RebuiltRows(flows=4, changed=HEALTHY)


def test_a_store_that_was_opened_to_read_is_not_mended(file_url: str) -> None:
    with closing(open_for_writing(file_url)) as store:
        create(service(store).bind_session(OWNER))
        execute(store, "DELETE FROM flow_index")
    with closing(open_for_reading(file_url)) as reader:
        with pytest.raises(StoreUnavailable, match="readonly"):
            rebuild(reader)
        assert rows(reader, "flow_index") == []
