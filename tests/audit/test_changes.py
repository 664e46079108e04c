from __future__ import annotations

from attrs import evolve as replace
from hypothesis import given

from adapters.testing.examples import CREATED_FLOW, THEN, linked
from domain.flow.evolve import evolve
from domain.flow.ids import TaskId
from domain.flow.status import FlowStatus, NotifyPolicy, Runtime, TaskStatus
from domain.flow.values import JSON_NULL, Json
from domain.history.changes import Change, FieldPath, changes, field_names, has_field, value_of
from domain.history.transitions import Transition
from tests.audit.histories import any_steps
from tests.core.examples import EXAMPLES


def test_a_change_has_a_field_and_what_it_held_before_and_after() -> None:
    after = replace(CREATED_FLOW, status=FlowStatus.WAITING, wait_json=Json('{"a":1}'))
    assert changes(CREATED_FLOW, after) == (
        Change(FieldPath("status"), FlowStatus.QUEUED, FlowStatus.WAITING),
        Change(FieldPath("wait_json"), None, Json('{"a":1}')),
    )


def test_a_json_null_is_something_else_than_nothing() -> None:
    after = replace(CREATED_FLOW, state_json=JSON_NULL)
    assert changes(CREATED_FLOW, after) == (Change(FieldPath("state_json"), None, JSON_NULL),)


def test_a_creation_changes_every_field_that_holds_something() -> None:
    held = {str(change.field): change.after for change in changes(None, CREATED_FLOW)}
    assert held == {
        "flowId": "flow-1",
        "owner": "agent:main:main",
        "controllerId": "webhooks/zapier",
        "goal": "ship it",
        "status": FlowStatus.QUEUED,
        "notifyPolicy": NotifyPolicy.DONE_ONLY,
        "createdAt": THEN,
        "updatedAt": THEN,
        "latestAt": THEN,
        "version": 1,
        "revision": 0,
    }


def test_a_task_has_fields_of_its_own() -> None:
    linking = changes(CREATED_FLOW, evolve(CREATED_FLOW, linked(TaskId("t"))))
    assert [(str(change.field), change.before, change.after) for change in linking] == [
        ("version", 1, 2),
        ("tasks[t].runtime", None, Runtime.SUBAGENT),
        ("tasks[t].task", None, "work"),
        ("tasks[t].status", None, TaskStatus.QUEUED),
        ("tasks[t].agentId", None, "main"),
        ("tasks[t].notifyPolicy", None, NotifyPolicy.DONE_ONLY),
        ("tasks[t].createdAt", None, THEN),
        ("tasks[t].lastEventAt", None, THEN),
        ("tasks[t].heardAt", None, THEN),
    ]


def test_a_task_that_is_not_there_has_no_fields() -> None:
    field = FieldPath("label", TaskId("t"))
    with_task = evolve(CREATED_FLOW, linked(TaskId("t")))
    assert (has_field(CREATED_FLOW, field), has_field(with_task, field)) == (False, True)
    assert (value_of(CREATED_FLOW, field), value_of(with_task, field)) == (None, None)
    assert [str(f) for f in field_names(with_task) if f not in field_names(CREATED_FLOW)][:2] == [
        "tasks[t].runtime",
        "tasks[t].task",
    ]


@EXAMPLES
@given(any_steps)
def test_changes_are_all_that_differs_and_nothing_else(history: tuple[Transition, ...]) -> None:
    for before in history:
        after = history[-1].after
        changed = {change.field: change for change in changes(before.after, after)}
        for field in field_names(after):
            old, new = value_of(before.after, field), value_of(after, field)
            expected = None if old == new else Change(field, old, new)
            assert changed.get(field) == expected
        assert changed.keys() <= set(field_names(after))
        assert changes(after, before.after) == tuple(
            Change(c.field, c.after, c.before) for c in changes(before.after, after)
        )
