"""Former names: their fields are brought up to date one step at a time, their bytes stay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pytest
from eventsourcing.persistence import StoredEvent

from adapters.store.codec import StoredFields, Undecodable
from adapters.store.mapper import FlowMapper, OrjsonTranscoder
from adapters.store.names import CLASSES, UPCASTERS, Upcaster, upcast
from domain.application.recorded_events import Actor, ActorKind, Metadata, RecordedEvent
from domain.flow.events import FlowResumed
from domain.flow.ids import FlowId, RequestId
from domain.flow.status import FlowStatus


def _named_step(fields: StoredFields) -> StoredFields:
    return {**{name: value for name, value in fields.items() if name != "step"}, "current": 1}


def _with_status(fields: StoredFields) -> StoredFields:
    return {**fields, "status": "queued"}


STEPS: Final[Mapping[str, tuple[str, Upcaster]]] = {
    "taskflow.flow_went_on.v1": ("taskflow.flow_went_on.v2", _named_step),
    "taskflow.flow_went_on.v2": ("taskflow.flow_went_on.v3", _with_status),
}


def test_an_old_event_takes_every_step_to_the_present() -> None:
    assert upcast("taskflow.flow_went_on.v1", {"at": 1, "step": "s"}, STEPS) == (
        "taskflow.flow_went_on.v3",
        {"at": 1, "current": 1, "status": "queued"},
    )


def test_a_later_event_takes_only_the_steps_that_it_needs() -> None:
    assert upcast("taskflow.flow_went_on.v2", {"at": 1}, STEPS) == (
        "taskflow.flow_went_on.v3",
        {"at": 1, "status": "queued"},
    )


def test_a_present_event_is_left_alone() -> None:
    fields: StoredFields = {"at": 1}
    assert upcast("taskflow.flow_went_on.v3", fields, STEPS) == ("taskflow.flow_went_on.v3", fields)


def test_the_fields_of_the_stored_event_are_not_written_to() -> None:
    fields: StoredFields = {"at": 1, "step": "s"}
    upcast("taskflow.flow_went_on.v1", fields, STEPS)
    assert fields == {"at": 1, "step": "s"}


def test_the_mapper_reads_a_former_name_as_the_class_of_today(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stored = StoredEvent(
        "flow-1",
        2,
        "taskflow.flow_went_on.v1",
        b'{"event":{"at":1},"metadata":{"recorded_at":1,"actor":{"kind":"system","name":"s"},'
        b'"request_id":"r","correlation_id":"r","causation_id":"r"}}',
    )
    mapper = FlowMapper(OrjsonTranscoder())
    with pytest.raises(Undecodable, match=r"event flow-1/2 \(taskflow\.flow_went_on\.v1\)"):
        mapper.to_domain_event(stored)
    step = ("taskflow.flow_resumed.v1", _with_status)
    monkeypatch.setitem(UPCASTERS, "taskflow.flow_went_on.v1", step)
    assert mapper.to_domain_event(stored) == RecordedEvent(
        flow_id=FlowId("flow-1"),
        version=2,
        event=FlowResumed(at=1, status=FlowStatus.QUEUED),
        metadata=Metadata(
            recorded_at=1,
            actor=Actor(kind=ActorKind.SYSTEM, name="s"),
            request_id=RequestId("r"),
            correlation_id="r",
            causation_id="r",
        ),
    )


def test_every_former_name_leads_to_a_present_one_and_none_is_both() -> None:
    for former in UPCASTERS:
        assert former not in CLASSES
        name = former
        for _ in UPCASTERS:
            name = UPCASTERS[name][0] if name in UPCASTERS else name
        assert name in CLASSES
