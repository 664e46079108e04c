"""What happened: a flow as of any version, its history, and the log of the whole store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from itertools import islice

import pytest

from adapters.store import EventSourcedStore, open_for_writing
from adapters.store.application import LOG_SECTION
from domain.application.recorded_events import RecordedEvent
from domain.flow.commands import CancelFlow, FinishFlow, SetWaiting
from domain.flow.events import Event, TaskProgressed
from domain.flow.evolve import fold
from domain.flow.ids import FlowId, TaskId
from domain.flow.values import Json
from tests.store.commits import RESUMES, WAITS, commit, created, folded, linked, save
from tests.store.service import NOW, ORIGIN, create, keyed, run, session
from tests.store.tables import delete_caches

EVENTS = (created(), WAITS, linked(TaskId("task-1")), RESUMES)


@pytest.fixture(params=["with snapshots", "without snapshots"])
def told(store: EventSourcedStore, request: pytest.FixtureRequest) -> EventSourcedStore:
    """A store to which something happened to a flow, in several commits."""
    save(store, commit(None, *EVENTS[:1]))
    save(store, commit(folded(*EVENTS[:1]), *EVENTS[1:3]))
    save(store, commit(folded(*EVENTS[:3]), *EVENTS[3:]))
    if request.param == "without snapshots":
        delete_caches(store)
    return store


@pytest.mark.parametrize("version", [1, 2, 3, 4])
def test_a_flow_is_read_as_of_any_version(told: EventSourcedStore, version: int) -> None:
    assert told.load(FlowId("flow-1"), version) == fold(None, EVENTS[:version])


@pytest.mark.parametrize("version", [-1, 0, 5, 10**9])
def test_a_version_that_never_was_is_no_flow(told: EventSourcedStore, version: int) -> None:
    assert told.load(FlowId("flow-1"), version) is None


def test_a_flow_without_a_version_is_read_as_it_is_now(told: EventSourcedStore) -> None:
    assert told.load(FlowId("flow-1")) == fold(None, EVENTS)


def test_a_flow_that_never_was_has_no_state_and_no_history(store: EventSourcedStore) -> None:
    assert store.load(FlowId("flow-1")) is None
    assert store.load(FlowId("flow-1"), 1) is None
    assert list(store.history(FlowId("flow-1"))) == []
    assert list(store.log()) == []


def test_the_history_says_what_happened_by_whom_and_why(store: EventSourcedStore) -> None:
    owner = session(store)
    flow = create(owner, keyed("order-7"))
    owner.execute(CancelFlow(flow_id=flow.flow_id), ORIGIN)
    made, intent, cancelled = store.history(flow.flow_id)
    assert [made.version, intent.version, cancelled.version] == [1, 2, 3]
    assert made.metadata.idempotency_key == "order-7"
    assert made.metadata.request_hash == "hash-1"
    assert made.metadata.causation_id == "request-1"
    assert intent.metadata.actor == ORIGIN.actor
    assert intent.metadata.remote_address == "203.0.113.7"
    assert intent.metadata.recorded_at == NOW
    assert intent.metadata.causation_id == "request-1"
    assert cancelled.metadata.causation_id == f"{flow.flow_id}/2"
    assert cancelled.metadata.correlation_id == "request-1"


def test_json_comes_back_to_the_byte(store: EventSourcedStore) -> None:
    text = '{"z":1,"10":2,"9":3,"id":' + "9" * 999 + ',"s":"é\\u0000😀"}'
    owner = session(store)
    flow = create(owner)
    wait = SetWaiting(flow_id=flow.flow_id, expected_revision=0, state_json=Json(text))
    owner.execute(wait, ORIGIN)
    found = owner.find(flow.flow_id)
    assert found is not None
    assert found.state_json == Json(text)


def test_the_log_holds_all_events_of_all_flows_in_the_order_of_recording(
    store: EventSourcedStore,
) -> None:
    owner = session(store)
    first, second = create(owner), create(owner)
    owner.execute(run(first.flow_id), ORIGIN)
    owner.execute(FinishFlow(flow_id=second.flow_id, expected_revision=0), ORIGIN)
    log = list(store.log())
    assert [position for position, _ in log] == [1, 2, 3, 4]
    assert [(record.flow_id, record.version) for _, record in log] == [
        (first.flow_id, 1),
        (second.flow_id, 1),
        (first.flow_id, 2),
        (second.flow_id, 2),
    ]
    assert [record for _, record in log if record.flow_id == first.flow_id] == list(
        store.history(first.flow_id)
    )
    assert list(store.log(3)) == log[2:]
    assert list(store.log(5)) == []


@pytest.mark.parametrize("size", [LOG_SECTION - 1, LOG_SECTION, LOG_SECTION + 1, 2 * LOG_SECTION])
def test_a_log_longer_than_one_section_is_read_to_its_end(
    store: EventSourcedStore, size: int
) -> None:
    news = (TaskProgressed(at=NOW, task_id=TaskId("task-1")),) * (size - 2)
    save(store, commit(None, created(), linked(TaskId("task-1")), *news))
    assert [position for position, _ in store.log()] == list(range(1, size + 1))
    assert [record.version for _, record in store.log(size)] == [size]


def test_a_log_that_is_being_read_goes_on_with_what_is_written_meanwhile(
    store: EventSourcedStore,
) -> None:
    news = (TaskProgressed(at=NOW, task_id=TaskId("task-1")),) * (LOG_SECTION - 2)
    events: tuple[Event, ...] = (created(), linked(TaskId("task-1")), *news)
    save(store, commit(None, *events))
    log: Iterator[tuple[int, RecordedEvent]] = store.log()
    first = list(islice(log, LOG_SECTION))
    save(store, commit(folded(*events), WAITS))
    assert [position for position, _ in [*first, *log]] == list(range(1, LOG_SECTION + 2))


def test_the_history_is_the_same_after_the_store_was_opened_again(file_url: str) -> None:
    with closing(open_for_writing(file_url)) as store:
        save(store, commit(None, *EVENTS))
        before = (
            store.load(FlowId("flow-1")),
            list(store.history(FlowId("flow-1"))),
            list(store.log()),
        )
    with closing(open_for_writing(file_url)) as store:
        assert (
            store.load(FlowId("flow-1")),
            list(store.history(FlowId("flow-1"))),
            list(store.log()),
        ) == before
