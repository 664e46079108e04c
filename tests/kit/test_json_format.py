"""Commands, events and steps as JSON: what is written is read again, and nothing else."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.store.names import NAMES
from adapters.testing.failing import Moment, WriteFault
from adapters.testing.json_format import (
    ACTIONS,
    EVENT_NAMES,
    Unreadable,
    dump_command,
    dump_event,
    load_command,
    load_event,
)
from adapters.testing.steps import (
    OWNERS,
    FailNextWrite,
    Restart,
    Send,
    Tick,
    TrialStep,
    dump_steps,
    load_steps,
)
from adapters.testing.strategies.commands import wild_commands, wire_commands
from adapters.testing.strategies.histories import histories
from domain.flow.commands import COMMANDS, CancelFlow, Command, SetWaiting
from domain.flow.events import EVENTS, Event
from domain.flow.ids import FlowId, Owner
from domain.flow.values import Json

FLOW = FlowId("flow-1")
EXAMPLES = settings(max_examples=200, deadline=None, database=None)
steps: st.SearchStrategy[TrialStep] = st.one_of(
    st.builds(Send, st.sampled_from([*OWNERS, "x"]), wild_commands, st.none() | st.just("k")),
    st.builds(Tick, st.integers()),
    st.builds(Restart),
    st.builds(FailNextWrite, st.sampled_from(WriteFault), st.sampled_from(Moment)),
)


@EXAMPLES
@given(wild_commands | wire_commands)
def test_a_command_is_read_as_it_was_written(command: Command) -> None:
    assert load_command(json.loads(json.dumps(dump_command(command)))) == command


@EXAMPLES
@given(histories)
def test_events_are_read_as_they_were_written(history: tuple[Event, ...]) -> None:
    noted = json.loads(json.dumps([dump_event(event) for event in history]))
    assert tuple(map(load_event, noted)) == history


@EXAMPLES
@given(st.lists(steps, max_size=4))
def test_steps_are_read_as_they_were_written(taken: list[TrialStep]) -> None:
    assert load_steps(dump_steps(taken)) == taken


def test_every_command_and_event_has_a_word_and_events_have_the_permanent_ones() -> None:
    assert {event: word for word, event in EVENT_NAMES.items()} == NAMES
    assert set(EVENT_NAMES.values()) == set(EVENTS)
    assert set(ACTIONS.values()) == set(COMMANDS)


def test_what_is_written_is_short() -> None:
    sent: list[TrialStep] = [
        Send(OWNERS[0], CancelFlow(flow_id=FLOW)),
        Send(Owner(OWNERS[1]), _waits(), "k"),
        Tick(-5),
    ]
    assert dump_steps(sent) == (
        '[{"cancel_flow": {"flow_id": "flow-1"}}, '
        '{"set_waiting": {"flow_id": "flow-1", "expected_revision": 3, "current_step": null, '
        '"state_json": "{}"}, "as": "agent:main:two", "key": "k"}, {"clock": -5}]'
    )


def _waits() -> SetWaiting:
    return SetWaiting(flow_id=FLOW, expected_revision=3, current_step=None, state_json=Json("{}"))


@pytest.mark.parametrize(
    ("noted", "told"),
    [
        ("nothing", "expected an object with one member, found 'nothing'"),
        ({}, "expected an object with one member, found {}"),
        ({"cancel_flow": {}, "finish_flow": {}}, "expected an object with one member"),
        ({"fly": {}}, "fly: expected one of create_flow, set_waiting,"),
        ({"cancel_flow": []}, "cancel_flow: expected one of"),
        ({"cancel_flow": {}}, "cancel_flow: .*flow_id"),
        ({"cancel_flow": {"flow_id": "f", "b": 1, "a": 1}}, "cancel_flow: has no a, b"),
        ({"cancel_flow": {"flow_id": 7}}, "cancel_flow: a field cannot hold 7"),
        ({"cancel_flow": {"flow_id": None}}, "cancel_flow: a field cannot hold None"),
        ({"finish_flow": {"flow_id": "f", "expected_revision": True}}, "cannot hold True"),
        (
            {"resume_flow": {"flow_id": "f", "expected_revision": 0, "status": "asleep"}},
            "resume_flow: 'asleep' is not a valid FlowStatus",
        ),
    ],
)
def test_what_is_no_command_is_refused(noted: object, told: str) -> None:
    with pytest.raises(Unreadable, match=told):
        load_command(noted)


@pytest.mark.parametrize(
    "noted",
    [
        '[{"clock": "late"}]',
        '[{"clock": 1, "restart": true}]',
        '[{"restart": false}]',
        '[{"fail": "gone", "moment": "after"}]',
        '[{"fail": "death", "moment": "never"}]',
        '[{"cancel_flow": {"flow_id": "f"}, "as": 7}]',
        '[{"cancel_flow": {"flow_id": "f"}, "key": 7}]',
        "[7]",
        "7",
        "{",
    ],
)
def test_what_is_no_step_is_refused(noted: str) -> None:
    with pytest.raises(Unreadable):
        load_steps(noted)
