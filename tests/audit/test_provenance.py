"""Why a field holds what it holds: tried on generated histories, by taking events out of them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings

from adapters.testing.examples import CREATED, THEN, ended, linked
from domain.flow.events import Event, FlowBeganWaiting, FlowCreated, FlowResumed, TaskLinked
from domain.flow.evolve import fold
from domain.flow.ids import TaskId
from domain.flow.state import Flow
from domain.flow.status import FlowStatus, TaskStatus
from domain.history.changes import FieldPath, Value, field_names, has_field, value_of
from domain.history.provenance import Provenance, why
from domain.history.transitions import Transition
from tests.audit.histories import any_steps, steps_of
from tests.core.examples import EXAMPLES

COUNTERS = {FieldPath("version"), FieldPath("revision")}
"""Fields to which every event before adds."""
WAITING = FlowBeganWaiting(at=THEN, current_step="approval")
RESUMED = FlowResumed(at=THEN, status=FlowStatus.RUNNING)


def _links_once(history: tuple[Transition, ...]) -> bool:
    links = [s.record.event.task_id for s in history if isinstance(s.record.event, TaskLinked)]
    return len(links) == len(set(links))


linked_once = any_steps.filter(_links_once)
"""Histories without a task that is linked twice, which is forged, and of which the first counts."""


def versions(found: Provenance | None) -> tuple[int, list[int]]:
    assert found is not None
    return found.step.record.version, [step.record.version for step in found.again]


def test_the_last_event_that_changed_a_field_gave_it_its_value() -> None:
    history = steps_of((CREATED, WAITING, RESUMED, WAITING))
    assert why(history, FieldPath("status")) == Provenance(
        FieldPath("status"), FlowStatus.WAITING, history[3], again=()
    )


def test_who_said_the_same_again_changed_nothing_and_is_named_beside() -> None:
    history = steps_of((CREATED, WAITING, linked(TaskId("t")), WAITING))
    assert versions(why(history, FieldPath("current_step"))) == (2, [4])


def test_what_the_creation_said_may_be_said_again_too() -> None:
    queued = FlowResumed(at=THEN, status=FlowStatus.QUEUED)
    history = steps_of((CREATED, linked(TaskId("t")), queued))
    assert versions(why(history, FieldPath("status"))) == (1, [3])


def test_a_field_that_was_never_set_holds_nothing_since_the_creation() -> None:
    history = steps_of((CREATED, WAITING))
    assert versions(why(history, FieldPath("ended_at"))) == (1, [])


def test_a_field_of_a_task_holds_nothing_since_the_task_was_linked() -> None:
    history = steps_of((CREATED, WAITING, linked(TaskId("t"))))
    assert versions(why(history, FieldPath("error", TaskId("t")))) == (3, [])


def test_the_end_of_a_task_gave_it_its_status() -> None:
    history = steps_of((CREATED, linked(TaskId("t")), ended(TaskId("t")), WAITING))
    found = why(history, FieldPath("status", TaskId("t")))
    assert found == Provenance(
        FieldPath("status", TaskId("t")), TaskStatus.SUCCEEDED, history[2], again=()
    )


@pytest.mark.parametrize(
    "field", [FieldPath("status", TaskId("t")), FieldPath("error", TaskId("nobody"))]
)
def test_a_field_that_a_flow_does_not_have_has_no_cause(field: FieldPath) -> None:
    assert why(steps_of((CREATED,)), field) is None
    assert why((), field) is None


@EXAMPLES
@given(linked_once)
def test_the_one_event_is_that_without_which_the_field_would_differ(
    history: tuple[Transition, ...],
) -> None:
    check_each_version(history)


@pytest.mark.full
@settings(EXAMPLES, max_examples=1000)
@given(linked_once)
def test_of_a_thousand_flows_the_one_event_is_that_without_which_the_field_would_differ(
    history: tuple[Transition, ...],
) -> None:
    check_each_version(history)


def check_each_version(history: tuple[Transition, ...]) -> None:
    for version in range(1, len(history) + 1):
        seen = history[:version]
        events = tuple(step.record.event for step in seen)
        without = [without_those(events, {number}) for number in range(1, version + 1)]
        for field in field_names(seen[-1].after):
            found = why(seen, field)
            assert found is not None
            check_the_moment(seen, found)
            check_by_removal(events, without, found)


def check_the_moment(history: Sequence[Transition], found: Provenance) -> None:
    """From the event on the field held its value, and just before it did not."""
    given_at, value = found.step.record.version, held(history[-1].after, found.field)
    assert found.value == value[1]
    assert held(found.step.before, found.field) != value
    assert all(held(step.after, found.field) == value for step in history[given_at - 1 :])


def check_by_removal(
    events: Sequence[Event], without: Sequence[Flow | None], found: Provenance
) -> None:
    """Without it (and those that said the same again) the field differs; without any other not."""
    field, value = found.field, (True, found.value)
    given_at, again = versions(found)
    changes_alone = not again or underlies(found.step.record.event, field)
    assert held(without_those(events, {given_at, *again}), field) != value
    assert (held(without[given_at - 1], field) != value) == changes_alone
    for number, event in enumerate(events, 1):
        if number != given_at and not underlies(event, field):
            assert held(without[number - 1], field) == value


def underlies(event: Event, field: FieldPath) -> bool:
    """Say whether there would be no such field without an event, or a counter would be less."""
    match event:
        case FlowCreated():
            return True
        case TaskLinked(task_id=task_id):
            return field in COUNTERS or field.task_id == task_id
        case _:
            return field in COUNTERS


def without_those(events: Sequence[Event], numbers: set[int]) -> Flow | None:
    """Return what all other events add up to; without its creation there is no flow."""
    if 1 in numbers:
        return None
    return fold(None, [event for number, event in enumerate(events, 1) if number not in numbers])


def held(flow: Flow | None, field: FieldPath) -> tuple[bool, Value]:
    return has_field(flow, field), value_of(flow, field)
