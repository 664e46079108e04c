"""Idempotency keys, from the service down to the table: a repeat is answered, never done again."""

from __future__ import annotations

from contextlib import closing

import pytest
from attrs import evolve as replace

from adapters.store import EventSourcedStore, StoreAuditLog, open_for_writing, rebuild
from adapters.webhooks.idempotency import request_key
from domain.application.outcomes import KEY_REUSED
from domain.application.ports import IdempotencyRecord
from domain.application.recorded_events import Actor, ActorKind, CommandMetadata, RequestKey
from domain.flow.commands import CancelFlow, FinishFlow, RunTask, SetWaiting, UpdateTask
from domain.flow.ids import FlowId, KeyId, RequestId, RouteId
from domain.flow.status import Runtime, TaskStatus
from tests.audit.whole_logs import replay_store
from tests.store.commits import idempotency_record
from tests.store.service import (
    ORIGIN,
    OWNER,
    STRANGER,
    code,
    create,
    creation,
    granted,
    keyed,
    run,
    service,
    session,
    shown,
)
from tests.store.tables import KEYS, contents, delete_caches, rows


def test_a_repeated_creation_is_answered_with_the_flow_that_it_made(
    store: EventSourcedStore,
) -> None:
    owner = session(store)
    first = owner.execute(creation(), keyed("k"))
    assert owner.execute(creation(), keyed("k")) == first
    assert len(owner.page(limit=9).flows) == 1


def test_a_repeat_is_answered_as_of_the_version_that_it_led_to(store: EventSourcedStore) -> None:
    owner = session(store)
    flow = create(owner)
    wait = SetWaiting(flow_id=flow.flow_id, expected_revision=0, current_step="wait")
    first = owner.execute(wait, keyed("k"))
    shown(owner.execute(FinishFlow(flow_id=flow.flow_id, expected_revision=1), ORIGIN))
    before = contents(store)
    assert owner.execute(wait, keyed("k")) == first
    assert contents(store) == before
    delete_caches(store)
    assert owner.execute(wait, keyed("k")) == first


def test_a_repeated_cancellation_of_two_events_is_answered_as_of_the_second(
    store: EventSourcedStore,
) -> None:
    owner = session(store)
    cancel = CancelFlow(flow_id=create(owner).flow_id)
    first = owner.execute(cancel, keyed("k"))
    assert shown(first).revision == 2
    assert owner.execute(cancel, keyed("k")) == first


def test_a_repeated_run_is_answered_with_the_task_that_it_linked(store: EventSourcedStore) -> None:
    owner = session(store)
    command = run(create(owner).flow_id)
    first = granted(owner.execute(command, keyed("k")))
    assert first.task is not None
    end = UpdateTask(
        flow_id=command.flow_id, task_id=first.task.task_id, status=TaskStatus.SUCCEEDED
    )
    ended = granted(owner.execute(end, keyed("k2")))
    assert granted(owner.execute(run(command.flow_id), keyed("k3"))).task != first.task
    assert owner.execute(command, keyed("k")) == first
    assert owner.execute(end, keyed("k2")) == ended


def test_a_run_that_finds_its_task_remembers_the_task_that_it_found(
    store: EventSourcedStore,
) -> None:
    owner = session(store)
    flow_id = create(owner).flow_id
    linked = granted(owner.execute(run(flow_id, run_id="r"), ORIGIN))
    more = RunTask(flow_id=flow_id, runtime=Runtime.ACP, task="work", run_id="r", label="new")
    described = granted(owner.execute(more, keyed("k")))
    assert described.task is not None
    assert linked.task is not None
    assert described.task.task_id == linked.task.task_id
    assert owner.execute(more, keyed("k")) == described


def test_a_key_of_another_request_is_refused_and_changes_nothing(
    store: EventSourcedStore,
) -> None:
    owner = session(store)
    create(owner, keyed("k"))
    before = contents(store)
    assert code(owner.execute(creation("other"), keyed("k", "hash-2"))) == KEY_REUSED
    assert contents(store) == before


def test_a_refusal_uses_up_no_key(store: EventSourcedStore) -> None:
    owner = session(store)
    flow = create(owner)
    early = FinishFlow(flow_id=flow.flow_id, expected_revision=1)
    assert code(owner.execute(early, keyed("k"))) == "revision_conflict"
    assert rows(store, KEYS) == []
    shown(owner.execute(SetWaiting(flow_id=flow.flow_id, expected_revision=0), ORIGIN))
    assert shown(owner.execute(early, keyed("k"))).status == "succeeded"


def test_a_key_belongs_to_its_route(store: EventSourcedStore) -> None:
    owner = session(store)
    other = CommandMetadata(
        actor=Actor(kind=ActorKind.ROUTE, name="n8n", key_id=KeyId("default")),
        request_id=RequestId("request-2"),
        request_key=RequestKey(route_id=RouteId("n8n"), key="k", request_hash="hash-1"),
    )
    create(owner, keyed("k"))
    create(owner, other)
    assert len(owner.page(limit=9).flows) == 2
    assert [row[:2] for row in rows(store, KEYS)] == [("n8n", "k"), ("zapier", "k")]


def test_a_route_that_was_bound_to_another_owner_does_not_see_its_former_flow(
    store: EventSourcedStore,
) -> None:
    flows = service(store)
    create(flows.bind_session(OWNER), keyed("k"))
    stranger = flows.bind_session(STRANGER)
    assert code(stranger.execute(creation(), keyed("k"))) == KEY_REUSED
    assert stranger.page(limit=9).flows == []


@pytest.mark.parametrize("key", ["", "😀", "'; DROP TABLE request_keys; --", "x" * 10_000])
def test_a_key_is_any_text(store: EventSourcedStore, key: str) -> None:
    owner = session(store)
    first = owner.execute(creation(), keyed(key))
    assert owner.execute(creation(), keyed(key)) == first
    assert idempotency_record(store, key) == IdempotencyRecord(
        request_hash="hash-1", flow_id=FlowId("id-1"), version=1, task_id=None
    )
    assert idempotency_record(store, key + " ") is None
    assert idempotency_record(store, key, route="") is None


def test_a_key_is_remembered_by_the_file(file_url: str) -> None:
    with closing(open_for_writing(file_url)) as store:
        first = session(store).execute(creation(), keyed("k"))
    with closing(open_for_writing(file_url)) as store:
        assert session(store, prefix="later").execute(creation(), keyed("k")) == first


def pend(store: EventSourcedStore) -> CancelFlow:
    """Let a cancellation be pending, and have one more accepted without an event, with a key."""
    owner = session(store)
    flow_id = create(owner).flow_id
    granted(owner.execute(run(flow_id), ORIGIN))
    cancel = CancelFlow(flow_id=flow_id)
    owner.execute(cancel, ORIGIN)
    owner.execute(cancel, keyed("k"))
    return cancel


def test_what_was_accepted_without_an_event_is_answered_as_it_was(store: EventSourcedStore) -> None:
    owner, cancel = session(store), pend(store)
    first = owner.execute(cancel, keyed("k"))
    shown(owner.execute(FinishFlow(flow_id=cancel.flow_id, expected_revision=1), ORIGIN))
    delete_caches(store)
    assert owner.execute(cancel, keyed("k")) == first
    assert code(owner.execute(cancel, keyed("k", "hash-2"))) == KEY_REUSED
    assert granted(first).flow.status == "queued"


def test_a_rebuild_keeps_the_keys_of_what_was_accepted_without_an_event(
    store: EventSourcedStore,
) -> None:
    pend(store)
    before = contents(store)
    assert rebuild(store).changed["request_keys"] == 0
    assert contents(store) == before


def test_a_replay_finds_nothing_wrong_with_such_a_key_and_everything_with_a_forged_one(
    store: EventSourcedStore,
) -> None:
    cancel = pend(store)
    evidence = StoreAuditLog(store)
    assert replay_store(evidence, 0).findings.kept == []
    with store.application.datastore.transaction(commit=True) as cursor:
        for key, version, task_id in (
            *(("early", 1, None), ("linked", 2, None), ("gone", 9, None), ("none", 0, None)),
            ("child", 3, "id-2"),
        ):
            row = ("zapier", key, "hash-1", cancel.flow_id, version, task_id)
            cursor.execute("INSERT INTO request_keys VALUES (?,?,?,?,?,?)", row)
    found = replay_store(evidence, 0).findings.kept
    assert [finding.code for finding in found] == ["orphan_row"] * 5
    assert rebuild(store).changed["request_keys"] == 5


def test_a_repeat_finds_the_key_that_the_last_release_stored_in_quotes(file_url: str) -> None:
    with closing(open_for_writing(file_url)) as store:
        first = session(store).execute(creation(), keyed('"k"'))  # as it was sent
    with closing(open_for_writing(file_url)) as store:
        owner = session(store, prefix="later")
        body_hash = "hash-1"
        for sent in ('"k"', "k"):
            key = request_key(RouteId("zapier"), [sent], b"")
            assert isinstance(key, RequestKey)
            origin = replace(ORIGIN, request_key=replace(key, request_hash=body_hash))
            assert owner.execute(creation(), origin) == first
        assert len(owner.page(limit=9).flows) == 1
