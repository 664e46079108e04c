"""A history is judged by the rules that it was decided by, which none may choose for itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from attrs import evolve as replace

from adapters.store import EventSourcedStore, open_for_writing
from domain.flow.commands import SetWaiting
from domain.flow.events import Event, FlowBecameBlocked, FlowBeganWaiting
from domain.flow.ids import FlowId, Owner, TaskId
from domain.flow.rules import FIRST_RULES, RULES
from domain.flow.state import Flow
from tests.audit.healthy import findings
from tests.store.commits import commit, created, linked, save
from tests.store.conftest import MEMORY
from tests.store.service import NOW, ORIGIN, OWNER, service, shown

WAITS = FlowBeganWaiting(at=NOW, blocked_summary="\x1c")
"""By the first rules: those took U+001C for a blank."""

BLOCKED = FlowBecameBlocked(at=NOW, blocked_summary="\x1c")
NEW = RULES.version


@pytest.fixture
def store() -> Iterator[EventSourcedStore]:
    with closing(open_for_writing(MEMORY)) as store:
        yield store


def write(store: EventSourcedStore, *decisions: tuple[int | None, Event]) -> None:
    """Write a flow of which each event was decided alone, by rules of some version."""
    flow: Flow | None = None
    for version, event in decisions:
        made = commit(flow, event)
        (record,) = made.events
        metadata = replace(record.metadata, rules=version)
        save(store, replace(made, events=(replace(record, metadata=metadata),)))
        flow = made.flow


def test_a_history_under_the_first_rules_has_no_finding_and_goes_on_under_todays(
    store: EventSourcedStore,
) -> None:
    write(store, (None, created()), (None, linked(TaskId("t"))), (None, WAITS))
    assert findings(store) == []
    wait = SetWaiting(flow_id=FlowId("flow-1"), expected_revision=1, blocked_summary="\x1c")
    assert shown(service(store).bind_session(OWNER).execute(wait, ORIGIN)).status == "blocked"
    assert findings(store) == []


@pytest.mark.parametrize(
    ("decisions", "found"),
    [
        ([(NEW, created()), (NEW, WAITS)], ["illegal_transition"]),
        ([(None, created()), (None, BLOCKED)], ["illegal_transition"]),
        ([(None, created()), (NEW, BLOCKED)], []),
        ([(NEW, created()), (None, WAITS)], ["metadata_differs"]),
        ([(NEW, created()), (9, BLOCKED)], ["metadata_differs"]),
        ([(NEW, created()), (9, BLOCKED), (NEW, BLOCKED)], ["metadata_differs"]),
        (
            [(None, created()), (None, replace(linked(TaskId("t")), agent_id=None))],
            ["illegal_transition"],
        ),
        (
            [(NEW, created()), (NEW, replace(linked(TaskId("t")), agent_id=None))],
            ["illegal_transition"],
        ),
        (
            [
                (NEW, created(owner=Owner("bare"))),
                (NEW, replace(linked(TaskId("t")), agent_id=None)),
            ],
            [],
        ),
    ],
)
def test_rules_are_followed_by_later_ones_only(
    store: EventSourcedStore, decisions: list[tuple[int | None, Event]], found: list[str]
) -> None:
    write(store, *decisions)
    assert [finding.code for finding in findings(store)] == found


def test_older_rules_after_newer_ones_are_said(store: EventSourcedStore) -> None:
    write(store, (NEW, created()), (FIRST_RULES.version, WAITS))
    (finding,) = findings(store)
    assert finding.sentence == (
        "it was decided by older rules, version 1, than the event ahead of it"
    )
