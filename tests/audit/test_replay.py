"""What a replay finds in a store of eight events, of which one thing at a time is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from functools import partial
from typing import Final

import pytest

from adapters.store import EventSourcedStore, StoreAuditLog, StoreFault, open_for_writing
from domain.flow.commands import FailFlow, SetWaiting
from domain.flow.ids import FlowId
from domain.flow.status import FlowStatus
from domain.replay.findings import (
    MOST_KEPT,
    Advice,
    AdviceCode,
    Finding,
    FindingCode,
    ReplayReport,
    Tally,
)
from domain.replay.replay_store import stages
from tests.audit.healthy import FAR_PAST, fill, findings
from tests.audit.whole_logs import replay_store
from tests.store.conftest import MEMORY
from tests.store.service import NOW, ORIGIN, OWNER, create, keyed, service, session, shown
from tests.store.tables import delete_caches, execute


@pytest.fixture
def store() -> Iterator[EventSourcedStore]:
    """A store of three flows; see `fill`."""
    with closing(open_for_writing(MEMORY)) as store:
        fill(store)
        yield store


def told(finding: Finding) -> str:
    """Return a finding in short, as in `gap id-1/4 at 8`."""
    version = "" if finding.version is None else f"/{finding.version}"
    position = "" if finding.position is None else f" at {finding.position}"
    return f"{finding.code} {finding.flow_id}{version}{position}"


def edited(position: int, old: str, new: str) -> str:
    """Return the statement that exchanges a text within the bytes of an event."""
    changed = f"replace(CAST(state AS TEXT), '{old}', '{new}')"
    return f"UPDATE stored_events SET state=CAST({changed} AS BLOB) WHERE rowid={position}"  # noqa: S608 - texts of ours


def copied(position: int, flow_id: str, version: int, *, to: int) -> str:
    """Return the statement that copies an event to another place."""
    columns = "originator_id, originator_version, topic, state"
    copy = f"{to}, '{flow_id}', {version}, topic, state FROM stored_events WHERE rowid={position}"
    return f"INSERT INTO stored_events (rowid, {columns}) SELECT {copy}"


EVENT_AS_SNAPSHOT: Final = (
    "UPDATE stored_snapshots SET (topic, state) ="
    " (SELECT topic, state FROM stored_events WHERE rowid=2)"
)
OLD_SNAPSHOT: Final = (
    "INSERT OR REPLACE INTO stored_snapshots"
    " SELECT originator_id, 1, topic, state FROM stored_snapshots"
)


@pytest.mark.parametrize(
    ("edit", "found"),
    [
        (
            "DELETE FROM stored_events WHERE rowid=5",
            ["position_gap id-3/2 at 6", "gap id-1/4 at 8"],
        ),
        (
            "DELETE FROM stored_events WHERE rowid IN (4, 5)",
            ["position_gap id-3/2 at 6", "gap id-1/4 at 8", "orphan_row id-1/2"],
        ),
        (
            "DELETE FROM stored_events WHERE rowid=8",
            ["snapshot_differs id-1/3", "view_differs id-1/3", "index_differs id-1 at 1"],
        ),
        (
            "DELETE FROM stored_events WHERE rowid=1",
            ["position_gap id-2/1 at 2", "no_beginning id-1/2 at 4", "orphan_row id-1/1"],
        ),
        (
            "DELETE FROM stored_events WHERE rowid=2",
            ["position_gap id-3/1 at 3", "orphan_row id-2", "orphan_row id-2"],
        ),
        (
            copied(8, "id-3", 4, to=9),
            ["event_after_end id-3/4 at 9", "snapshot_differs id-3/4", "view_differs id-3/4"],
        ),
        (
            copied(5, "id-2", 2, to=9),
            [
                "snapshot_differs id-2/2",
                "view_differs id-2/2",
                "filters_differ id-2/2",
                "index_differs id-2 at 2",
            ],
        ),
        (copied(1, "id-9", 1, to=9), ["foreign_stream id-9/1 at 9"]),
        (copied(1, "id-2", 2, to=9), ["illegal_transition id-2/2 at 9"]),
        (copied(4, "id-9", 1, to=9), ["illegal_transition id-9/1 at 9"]),
        (
            "UPDATE stored_events SET rowid=99 WHERE rowid=5",
            ["position_gap id-3/2 at 6", "position_gap id-1/3 at 99", "out_of_order id-1/4 at 8"],
        ),
        (
            "UPDATE stored_events SET rowid=0 WHERE rowid=2",
            [
                "position_gap id-3/1 at 3",
                "out_of_order id-2/1 at 0",
                "filters_differ id-2/1",
                "index_differs id-2 at 0",
            ],
        ),
        (
            "UPDATE stored_events SET topic='taskflow.flow_paused.v1' WHERE rowid=5",
            ["unknown_event id-1/3 at 5"],
        ),
        (
            "UPDATE stored_events SET topic='taskflow.flow_resumed.v1' WHERE rowid=5",
            ["unreadable_event id-1/3 at 5"],
        ),
        (edited(5, "{", "["), ["unreadable_event id-1/3 at 5"]),
        (edited(7, "{", "["), ["unreadable_event id-3/3 at 7"]),
        (
            edited(2, "queued", "succeeded"),
            [
                "illegal_transition id-2/1 at 2",
                "snapshot_differs id-2/1",
                "view_differs id-2/1",
                "filters_differ id-2/1",
                "index_differs id-2 at 2",
            ],
        ),
        (edited(5, '"at":17', '"at":16'), ["time_backwards id-1/3 at 5"]),
        (
            edited(5, '"at":17', '"at":18'),
            ["metadata_differs id-1/3 at 5", "time_backwards id-1/4 at 8"],
        ),
        (edited(5, '"recorded_at":17', '"recorded_at":18'), ["metadata_differs id-1/3 at 5"]),
        (
            edited(5, '"correlation_id":"request-1"', '"correlation_id":"other"'),
            ["metadata_differs id-1/3 at 5"],
        ),
        (
            edited(5, '"causation_id":"request-1"', '"causation_id":"id-1/1"'),
            ["metadata_differs id-1/3 at 5"],
        ),
        (
            edited(5, '"causation_id":"request-1"', '"causation_id":"id-1/2"'),
            ["metadata_differs id-1/3 at 5", "illegal_transition id-1/2 at 4"],
        ),
        (
            edited(7, '"causation_id":"id-3/2"', '"causation_id":"request-1"'),
            ["key_differs id-3/2"],
        ),
        (edited(5, ',"key_id":"default"', ""), ["metadata_differs id-1/3 at 5"]),
        (edited(5, "route", "operator"), ["metadata_differs id-1/3 at 5"]),
        (edited(4, ',"request_hash":"hash-1"', ""), ["metadata_differs id-1/2 at 4"]),
        (edited(4, "hash-1", "hash-2"), ["key_differs id-1/2"]),
        (edited(4, "k2", "k9"), ["key_missing id-1/2"]),
        (
            edited(7, "zapier", "n8n"),
            ["metadata_differs id-3/3 at 7", "key_missing id-3/3", "orphan_row id-3/3"],
        ),
        (
            "UPDATE stored_snapshots SET state='{}' WHERE originator_id='id-2'",
            ["snapshot_differs id-2/1"],
        ),
        (
            "UPDATE stored_snapshots SET originator_version=9 WHERE originator_id='id-2'",
            ["snapshot_differs id-2/1"],
        ),
        (
            "UPDATE stored_snapshots SET originator_id='id-9' WHERE originator_id='id-2'",
            ["orphan_row id-9"],
        ),
        (
            f"{EVENT_AS_SNAPSHOT} WHERE originator_id='id-2'",
            ["snapshot_differs id-2/1"],
        ),
        (
            f"{OLD_SNAPSHOT} WHERE originator_id='id-3'",
            ["snapshot_differs id-3/3"],
        ),
        (
            "INSERT OR REPLACE INTO stored_snapshots SELECT * FROM stored_events WHERE rowid=1",
            ["snapshot_differs id-1/4"],
        ),
        ("UPDATE flow_tasks SET state=x'00'", ["tasks_differ id-1/4"]),
        ("UPDATE flow_views SET json=x'7b7d' WHERE flow_id='id-2'", ["view_differs id-2/1"]),
        ("UPDATE flow_views SET owner='thief' WHERE flow_id='id-2'", ["view_differs id-2/1"]),
        ("UPDATE flow_views SET version=2 WHERE flow_id='id-1'", ["view_differs id-1/4"]),
        ("DELETE FROM flow_index WHERE flow_id='id-2'", ["index_missing id-2"]),
        ("UPDATE flow_index SET owner='thief' WHERE flow_id='id-2'", ["index_differs id-2 at 2"]),
        ("UPDATE flow_index SET silent_since=NULL", ["index_differs id-1 at 1"]),
        ("INSERT INTO flow_index VALUES ('id-9', 'o', 99, 'queued', NULL)", ["orphan_row id-9"]),
        ("DELETE FROM request_keys WHERE key='k3'", ["key_missing id-3/3"]),
        ("UPDATE request_keys SET request_hash='h' WHERE key='k3'", ["key_differs id-3/3"]),
        ("UPDATE request_keys SET task_id=NULL", ["key_differs id-1/2"]),
        ("INSERT INTO request_keys VALUES ('r', 'k', 'h', 'id-1', 1, NULL)", ["orphan_row id-1/1"]),
        ("INSERT INTO request_keys VALUES ('r', 'k', 'h', 'id-9', 1, NULL)", ["orphan_row id-9/1"]),
    ],
)
def test_what_is_wrong_is_named(store: EventSourcedStore, edit: str, found: list[str]) -> None:
    execute(store, edit)
    assert [told(finding) for finding in findings(store)] == found


def test_a_finding_says_what_is_wrong_and_where(store: EventSourcedStore) -> None:
    execute(store, copied(8, "id-3", 4, to=9))
    assert findings(store)[0] == Finding(
        code=FindingCode.EVENT_AFTER_END,
        sentence="FlowCancelRequested comes after the flow's end as cancelled",
        flow_id=FlowId("id-3"),
        version=4,
        position=9,
    )


def test_events_of_one_decision_stand_together_in_the_log(store: EventSourcedStore) -> None:
    for old, new in ((7, 99), (8, 7), (99, 8)):
        execute(store, "UPDATE stored_events SET rowid=? WHERE rowid=?", new, old)
    assert [told(finding) for finding in findings(store)] == ["out_of_order id-3/3 at 8"]


def test_after_a_break_a_stream_is_judged_no_further(store: EventSourcedStore) -> None:
    execute(store, edited(4, "{", "["))
    execute(store, edited(8, '"at":17', '"at":16'))
    execute(store, edited(5, "queued", "nowhere"))
    assert [told(finding) for finding in findings(store)] == ["unreadable_event id-1/2 at 4"]


def test_every_event_that_cannot_be_read_is_named(store: EventSourcedStore) -> None:
    execute(store, "UPDATE stored_events SET state=CAST('' AS BLOB) WHERE rowid IN (4, 8)")
    assert [told(finding) for finding in findings(store)] == [
        "unreadable_event id-1/2 at 4",
        "unreadable_event id-1/4 at 8",
    ]


@pytest.mark.parametrize(
    ("edit", "complaint"),
    [
        ("originator_id=NULL", "the event at position 5: its flow is not the text that we write"),
        ("originator_id=''", "the event at position 5: its flow is not the text that we write"),
        ("originator_id=X'61'", "the event at position 5: its flow is not the text that we write"),
        ("topic=NULL", "the event at position 5: its name is not the text that we write"),
        ("state='{}'", "the event at position 5: its version or state is not of the type"),
        ("originator_version='x'", "the event at position 5: its version or state is not of the"),
    ],
)
def test_a_row_of_other_types_than_ours_is_trouble(
    store: EventSourcedStore, edit: str, complaint: str
) -> None:
    execute(store, f"UPDATE stored_events SET {edit} WHERE rowid=5")  # noqa: S608 - lines of ours
    with pytest.raises(StoreFault, match=complaint):
        findings(store)


def test_a_position_beyond_all_reckoning_ends_the_log(store: EventSourcedStore) -> None:
    last = (1 << 63) - 1
    execute(store, "UPDATE stored_events SET rowid=? WHERE rowid=8", last)
    missing = f"positions 8 to {last - 1} are missing from the log before it"
    assert findings(store)[0].sentence == missing


def test_rows_beyond_a_thousand_are_all_looked_at(store: EventSourcedStore) -> None:
    execute(
        store,
        "WITH RECURSIVE n(i) AS (SELECT 1000 UNION SELECT i + 1 FROM n WHERE i < 3499)"
        " INSERT INTO flow_index SELECT 'id-' || i, 'o', i, 'queued', NULL FROM n",
    )
    report = replay_store(StoreAuditLog(store), FAR_PAST)
    assert report.findings.counts == {"orphan_row": 2500}
    assert (report.flows, len(report.findings.kept)) == (2503, MOST_KEPT)


def test_what_is_very_much_is_counted_and_the_first_is_kept() -> None:
    finding = Finding(code=FindingCode.GAP, sentence="it stands where version 2 was due")
    tally = Tally[Finding]()
    tally.extend([finding] * (MOST_KEPT + 7))
    assert (tally.kept, tally.total()) == ([finding] * MOST_KEPT, MOST_KEPT + 7)
    assert tally.counts == {"gap": MOST_KEPT + 7}


def test_a_flow_that_was_not_heard_of_for_long_looks_stuck(store: EventSourcedStore) -> None:
    execute(store, copied(5, "id-2", 2, to=9))
    report = replay_store(StoreAuditLog(store), NOW)
    assert report.advice.kept == [
        Advice(
            code=AdviceCode.STUCK,
            sentence="it is to be cancelled, and nothing has happened to it since",
            flow_id=FlowId("id-1"),
            status=FlowStatus.WAITING,
            since=NOW,
        ),
        Advice(
            code=AdviceCode.STUCK,
            sentence="it waits, and nothing has happened to it since",
            flow_id=FlowId("id-2"),
            status=FlowStatus.WAITING,
            since=NOW,
        ),
    ]
    assert replay_store(StoreAuditLog(store), NOW - 1).advice.kept == []


def test_a_deleted_cache_is_advice_and_no_finding(store: EventSourcedStore) -> None:
    delete_caches(store)
    report = replay_store(StoreAuditLog(store), FAR_PAST)
    assert report.findings.kept == []
    assert report.advice.counts == {"snapshot_missing": 3, "view_missing": 3}


def test_a_flow_that_is_blocked_on_a_task_that_it_does_not_have_is_advice(
    store: EventSourcedStore,
) -> None:
    flow, owner = store.load(FlowId("id-1")), session(store)
    assert flow is not None
    named = [flow.tasks[0].task_id, "gone\n", " ", "x" * 99, None, "\ufeff", "\x1c"]
    for revision, task_id in enumerate(named, flow.revision):
        wait = SetWaiting(
            flow_id=FlowId("id-1"),
            expected_revision=revision,
            blocked_task_id=task_id,
            blocked_summary="why",
        )
        shown(owner.execute(wait, ORIGIN))
    fail = FailFlow(flow_id=FlowId("id-1"), expected_revision=9, blocked_task_id="gone too")
    shown(owner.execute(fail, ORIGIN))
    report = replay_store(StoreAuditLog(store), FAR_PAST)
    code = AdviceCode.BLOCKED_TASK_MISSING
    assert report.findings.kept == []
    assert report.advice.kept == [
        Advice(
            code=code,
            sentence=f"it {what}, which it did not have",
            flow_id=FlowId("id-1"),
            version=v,
        )
        for v, what in (
            (6, r"was blocked on the task 'gone\n'"),
            (8, f"was blocked on the task '{'x' * 60}'"),
            (11, r"was blocked on the task '\x1c'"),
            (12, "failed on the task 'gone too'"),
        )
    ]


def test_progress_is_told_and_never_beyond_the_whole() -> None:
    with closing(open_for_writing(MEMORY)) as store:
        owner = service(store).bind_session(OWNER)
        flow_id = create(owner).flow_id
        for revision in range(1200):
            wait = SetWaiting(flow_id=flow_id, expected_revision=revision)
            owner.execute(wait, keyed(f"k{revision}"))
        words: list[tuple[str, int, int]] = []
        for stage in stages(StoreAuditLog(store), ReplayReport(), FAR_PAST):
            stage.run(partial(lambda label, done, of: words.append((label, done, of)), stage.label))
    assert words == [
        ("reading the log", 500, 1201),
        ("reading the log", 1000, 1201),
        ("replaying flows", 1201, 1201),
        ("comparing request keys", 500, 1200),
        ("comparing request keys", 1000, 1200),
    ]
