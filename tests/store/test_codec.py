"""The store's dialect: what is written reads back as the same value, and nothing else is read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from attrs import evolve as replace
from attrs import fields
from hypothesis import given, settings

from adapters.store.codec import Undecodable, from_fields, to_fields
from domain.application.recorded_events import Metadata
from domain.flow.events import (
    Event,
    FlowBeganWaiting,
    FlowCancelled,
    FlowFailed,
    FlowResumed,
    TaskDescribed,
)
from domain.flow.ids import TaskId
from domain.flow.state import Flow
from domain.flow.values import Json
from tests.store.commits import created, folded, linked
from tests.store.strategies import events, instances

QUIET = settings(deadline=None, max_examples=200)


@QUIET
@given(events())
def test_an_event_reads_back_as_it_was_written(event: Event) -> None:
    assert from_fields(_through_json(event), type(event)) == event


@QUIET
@given(instances(Metadata))
def test_metadata_reads_back_as_it_was_written(metadata: Metadata) -> None:
    assert from_fields(_through_json(metadata), Metadata) == metadata


@QUIET
@given(instances(Flow))
def test_a_flow_reads_back_as_it_was_written(flow: Flow) -> None:
    assert from_fields(_through_json(flow), Flow) == flow


def test_what_was_not_said_is_not_written_and_a_null_is() -> None:
    failed = FlowFailed(at=1, blocked_summary=None)
    assert to_fields(failed) == {"at": 1, "blocked_summary": None}
    assert to_fields(FlowCancelled(at=1)) == {"at": 1}


def test_a_text_that_looks_like_keep_is_a_text() -> None:
    resumed = from_fields({"at": 1, "status": "queued", "current_step": "keep"}, FlowResumed)
    assert resumed.current_step == "keep"


@pytest.mark.parametrize(
    "text",
    [
        '{"b":1,"a":2,"10":3,"9":4}',
        "12345678901234567890123",
        '{"id":' + "9" * 1000 + "}",
        "-0.0",
        '{"__proto__":{"x":[null]}}',
        '"\\ud83d\\ude00 \\u0000"',
    ],
)
def test_json_keeps_its_big_numbers_the_order_of_its_keys_and_its_spelling(text: str) -> None:
    waiting = FlowBeganWaiting(at=1, state_json=Json(text))
    assert from_fields(_through_json(waiting), FlowBeganWaiting) == waiting


@pytest.mark.parametrize(
    "stored",
    [
        {"at": True, "status": "queued"},
        {"at": 1.0, "status": "queued"},
        {"at": "1", "status": "queued"},
        {"at": None, "status": "queued"},
        {"status": "queued"},
        {"at": 1},
        {"at": 1, "status": None},
        {"at": 1, "status": "QUEUED"},
        {"at": 1, "status": "paused"},
        {"at": 1, "status": ["queued"]},
        {"at": 1, "status": "queued", "current_step": 1},
        {"at": 1, "status": "queued", "current_step": {}},
        {"at": 1, "status": "queued", "state_json": None},
        {"at": 1, "status": "queued", "state_json": {"a": 1}},
        {"at": 1, "status": "queued", "state_json": {"text": "1"}},
        {"at": 1, "status": "queued", "surprise": 1},
        {"at": 1, "status": "queued", "Status": "queued"},
        {},
        [],
        [["at", 1], ["status", "queued"]],
        None,
        "at",
        7,
    ],
    ids=repr,
)
def test_an_event_that_we_did_not_write_is_not_read(stored: Any) -> None:  # noqa: ANN401 - anything
    with pytest.raises(Undecodable):
        from_fields(stored, FlowResumed)


@pytest.mark.parametrize("tasks", [{}, "", None, 0, [1], [{}], ["a"], {"a": 1}], ids=repr)
def test_a_snapshot_whose_tasks_are_no_list_of_tasks_is_not_read(tasks: object) -> None:
    stored = {**_through_json(folded(created(), linked(TaskId("task-1")))), "tasks": tasks}
    with pytest.raises(Undecodable):
        from_fields(stored, Flow)


@pytest.mark.parametrize("name", [field.name for field in fields(Flow)])
def test_a_snapshot_with_a_field_of_another_type_is_not_read(name: str) -> None:
    stored = {**_through_json(folded(created(), linked(TaskId("task-1")))), name: 1.5}
    with pytest.raises(Undecodable):
        from_fields(stored, Flow)


def test_a_patch_reads_only_what_its_field_can_hold() -> None:
    described = TaskDescribed(at=1, task_id=TaskId("task-1"))
    for name in ("source_id", "parent_task_id", "label", "task", "notify_policy"):
        with pytest.raises(Undecodable):
            from_fields({**_through_json(described), name: None}, TaskDescribed)
    told = replace(described, label="new")
    assert from_fields({**_through_json(described), "label": "new"}, TaskDescribed) == told


def _through_json(value: object) -> dict[str, Any]:
    fields: dict[str, Any] = json.loads(json.dumps(to_fields(value)))
    return fields
