"""A batch of commits is one transaction: conflicts are values, and what follows is written once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from adapters.store import EventSourcedStore, rebuild
from adapters.store.many_rows import MOST
from adapters.store.opening import sqlite_datastore
from domain.application.ports import Commit
from domain.flow.events import FlowResumed
from domain.flow.evolve import fold
from domain.flow.ids import FlowId, Owner, RouteId
from domain.flow.status import FlowStatus
from tests.store.commits import RESUMES, WAITS, commit, created, folded, idempotency_record, save
from tests.store.kinds import ON_SQLITE
from tests.store.service import NOW, OWNER, keyed
from tests.store.tables import EVENTS, FILTERS, HEALTHY, INDEX, KEYS, PAST, SNAPSHOTS, VIEWS, rows

ONE, TWO, THREE = (FlowId(f"flow-{number}") for number in (1, 2, 3))
FIRST = created(ONE)


@contextmanager
def statements(store: EventSourcedStore) -> Iterator[list[str]]:
    """Note what SQLite is asked on the connection that writes."""
    noted: list[str] = []
    with sqlite_datastore(store.application).get_connection(commit=True) as connection:
        raw = connection._sqlite_conn  # noqa: SLF001 - no hook for a connection's settings
    raw.set_trace_callback(noted.append)
    try:
        yield noted
    finally:
        raw.set_trace_callback(None)


def _changed(line: str) -> str:
    """Return the table that a statement changes."""
    found = re.match(r"(?:(?:INSERT|UPDATE)(?: OR \w+)?|DELETE)(?: INTO| FROM)? (\w+)", line)
    return found[1] if found else line


def batch() -> list[Commit]:
    """Return commits on three flows, one of them written to in three of them."""
    return [
        commit(None, FIRST, origin=keyed("k1")),
        commit(None, created(TWO)),
        commit(folded(FIRST), WAITS, origin=keyed("k2")),
        commit(None, created(THREE)),
        commit(folded(FIRST, WAITS), RESUMES),
    ]


@ON_SQLITE
def test_a_batch_is_one_commit_and_a_flow_is_derived_once(store: EventSourcedStore) -> None:
    with statements(store) as noted:
        assert store.append_many(batch()) == [True] * 5
    assert sum(line.startswith("BEGIN") for line in noted) == 1
    assert sum(line.startswith("COMMIT") for line in noted) == 1
    assert not any("SAVEPOINT" in line for line in noted)
    tables = (EVENTS, KEYS, PAST, INDEX, SNAPSHOTS, FILTERS, VIEWS)
    assert sorted(map(_changed, noted[1:-1])) == sorted(tables)
    assert [record.flow_id for _, record in store.log()] == [ONE, TWO, ONE, THREE, ONE]
    assert rows(store, INDEX) == [
        ("flow-1", OWNER, 1, "running", None),
        ("flow-2", OWNER, 2, "queued", None),
        ("flow-3", OWNER, 4, "queued", None),
    ]
    assert store.load(ONE) == folded(FIRST, WAITS, RESUMES)
    assert [row[1] for row in rows(store, KEYS)] == ["k1", "k2"]


def test_who_conflicts_leaves_nothing_and_takes_what_rests_on_it_along(
    store: EventSourcedStore,
) -> None:
    save(store, commit(None, FIRST))
    save(store, commit(folded(FIRST), WAITS))
    stale = folded(FIRST)
    another = FlowResumed(at=NOW + 9, status=FlowStatus.QUEUED)
    written = store.append_many(
        [
            commit(None, created(TWO)),
            commit(stale, RESUMES, origin=keyed("k1")),
            commit(fold(stale, (RESUMES,)), another, origin=keyed("k2")),  # its version is free
            commit(None, created(THREE)),
        ]
    )
    assert written == [True, False, False, True]
    assert store.load(ONE) == folded(FIRST, WAITS)
    assert (idempotency_record(store, "k1"), idempotency_record(store, "k2")) == (None, None)
    assert [row[:3] for row in rows(store, INDEX)] == [
        ("flow-1", OWNER, 1),
        ("flow-2", OWNER, 3),
        ("flow-3", OWNER, 4),
    ]


def test_what_changes_nothing_is_accepted_of_the_flow_as_it_is(store: EventSourcedStore) -> None:
    """Else somebody who came later may have been refused under the same key."""
    save(store, commit(None, FIRST))
    first, second = folded(FIRST), folded(FIRST, WAITS)
    at_once = [
        commit(first, origin=keyed("k1")),
        commit(first, WAITS),
        commit(second, origin=keyed("k2")),
    ]
    assert store.append_many(at_once) == [True] * 3
    stale = [commit(first, origin=keyed("k3")), commit(None, created(TWO), origin=keyed("k4"))]
    assert store.append_many(stale) == [False, True]
    records = [idempotency_record(store, f"k{number}") for number in (1, 2, 3, 4)]
    assert [record and record.version for record in records] == [1, 2, None, 1]


def test_of_two_commits_with_one_key_in_a_batch_the_first_is_written(
    store: EventSourcedStore,
) -> None:
    twice = [
        commit(None, FIRST, origin=keyed("k")),
        commit(None, created(TWO), WAITS, origin=keyed("k", "hash-2")),
    ]
    assert store.append_many(twice) == [True, False]
    assert store.load(TWO) is None
    assert [row[0] for row in rows(store, EVENTS)] == [ONE]
    record = idempotency_record(store, "k")
    assert record is not None
    assert record.flow_id == ONE


@ON_SQLITE
def test_a_change_touches_no_table_that_it_cannot_change(store: EventSourcedStore) -> None:
    save(store, commit(None, FIRST))
    with statements(store) as noted:
        save(store, commit(folded(FIRST), WAITS))
    assert [_changed(line) for line in noted[1:-1]] == [EVENTS, SNAPSHOTS, INDEX, FILTERS, VIEWS]


def test_a_batch_of_more_rows_than_a_statement_takes(store: EventSourcedStore) -> None:
    flows = [FlowId(f"flow-{number:02}") for number in range(2 * MOST + 1)]
    assert all(store.append_many([commit(None, created(flow_id), WAITS) for flow_id in flows]))
    assert [row[:3] for row in rows(store, INDEX)] == [
        (flow_id, OWNER, 2 * number + 1) for number, flow_id in enumerate(flows)
    ]
    assert rebuild(store).changed == HEALTHY
    loaded = store.load_many({(OWNER, flow_id): [] for flow_id in flows}, [])
    assert len(loaded.flows) == len(flows)


@ON_SQLITE
def test_only_a_batch_with_a_conflict_is_written_one_by_one(store: EventSourcedStore) -> None:
    save(store, commit(None, FIRST))
    before = rows(store, EVENTS)
    lost = commit(None, FIRST, origin=keyed("k"))
    with statements(store) as noted:
        assert store.append_many([commit(None, created(TWO)), lost]) == [True, False]
    assert sum(line.startswith("SAVEPOINT") for line in noted) == 2
    assert sum(line.startswith("COMMIT") for line in noted) == 1
    assert [row for row in rows(store, EVENTS) if row in before] == before
    assert [record.flow_id for _, record in store.log()] == [ONE, TWO]
    assert [row[:3] for row in rows(store, INDEX)] == [(ONE, OWNER, 1), (TWO, OWNER, 2)]


@ON_SQLITE
def test_what_was_written_of_a_flow_before_its_loser_is_derived(store: EventSourcedStore) -> None:
    save(store, commit(None, created(TWO), origin=keyed("k")))
    written = store.append_many(
        [commit(None, FIRST), commit(folded(FIRST), WAITS, origin=keyed("k"))]
    )
    assert written == [True, False]
    assert [row[:2] for row in rows(store, SNAPSHOTS)] == [("flow-1", 1), ("flow-2", 1)]
    assert store.load(ONE) == folded(FIRST)


def test_many_are_loaded_and_a_foreign_flow_is_none(
    store: EventSourcedStore,
) -> None:
    store.append_many(batch())
    stranger = Owner("agent:other:main")
    refs = [(OWNER, ONE), (OWNER, TWO), (stranger, ONE), (OWNER, FlowId("none"))]
    keys = [
        (RouteId(route), key) for route, key in (("zapier", "k1"), ("zapier", "k9"), ("x", "k1"))
    ]
    loaded = store.load_many({ref: [] for ref in refs}, keys)
    assert loaded.flows == {
        (OWNER, ONE): folded(FIRST, WAITS, RESUMES),
        (OWNER, TWO): folded(created(TWO)),
    }
    assert list(loaded.records) == [keys[0]]
