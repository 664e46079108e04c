from __future__ import annotations

import pytest
from hypothesis import given

from adapters.testing.examples import CREATED, CREATED_FLOW, ended, linked
from domain.flow.events import Event
from domain.flow.evolve import BrokenHistory, evolve, fold
from domain.flow.ids import TaskId
from domain.history.transitions import Transition, transitions
from tests.audit.histories import any_steps, record_of, steps_of
from tests.core.examples import EXAMPLES

LINKED = linked(TaskId("t"))


def test_a_step_has_the_flow_before_and_after_it() -> None:
    assert steps_of((CREATED, LINKED)) == (
        Transition(record_of(1, CREATED), None, CREATED_FLOW),
        Transition(record_of(2, LINKED), CREATED_FLOW, evolve(CREATED_FLOW, LINKED)),
    )


@EXAMPLES
@given(any_steps)
def test_each_step_begins_where_the_one_before_it_ended(history: tuple[Transition, ...]) -> None:
    assert [step.before for step in history] == [None, *(step.after for step in history[:-1])]
    assert history[-1].after == fold(None, [step.record.event for step in history])


@pytest.mark.parametrize(
    ("versions", "sentence"),
    [
        ((2,), "flow flow: version 2 follows where 1 was due"),
        ((1, 3), "flow flow: version 3 follows where 2 was due"),
        ((1, 1), "flow flow: version 1 follows where 2 was due"),
    ],
)
def test_a_gap_in_a_history_is_a_broken_one(versions: tuple[int, ...], sentence: str) -> None:
    events: tuple[Event, ...] = (CREATED, LINKED)
    records = [record_of(v, event) for v, event in zip(versions, events, strict=False)]
    with pytest.raises(BrokenHistory) as broken:
        tuple(transitions(records))
    assert str(broken.value) == sentence


def test_the_steps_before_a_break_can_still_be_read() -> None:
    read = transitions([record_of(1, CREATED), record_of(3, ended(TaskId("t")))])
    assert next(read).after == CREATED_FLOW
    with pytest.raises(BrokenHistory):
        next(read)
