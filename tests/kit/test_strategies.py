"""What the strategies promise: legal is what the wire and the rules let through, illegal is not."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

from adapters.testing.drivers import wire
from adapters.testing.strategies.commands import wire_commands
from adapters.testing.strategies.flows import flows_in, fold_flow, tasks
from adapters.testing.strategies.histories import (
    DecidedStep,
    afterlives,
    decided_histories,
    legal_histories,
    unreadable_histories,
)
from adapters.testing.strategies.values import JSON_LIMITS, jsons, jsons_at_the_limits, owners
from adapters.webhooks.actions import ActionCall, CommandAction, make_command, read_call
from adapters.webhooks.strict_json import compact_json, read_json
from domain.flow.commands import Command
from domain.flow.decide_wait import row_of
from domain.flow.events import Event, FlowEvent
from domain.flow.evolve import BrokenHistory, fold
from domain.flow.refusals import Refusal
from domain.flow.rules import agent_of
from domain.flow.state import active_tasks, cancel_requested, is_terminal
from domain.flow.status import FlowStatus, TaskStatus
from domain.flow.values import Json

EXAMPLES = settings(
    max_examples=150, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
FIRST = settings(EXAMPLES, phases=[Phase.generate], max_examples=1_000)
MOVES: tuple[type[FlowEvent], ...] = get_args(FlowEvent)


@EXAMPLES
@given(wire_commands)
def test_a_command_that_the_wire_lets_through_arrives_as_it_was(command: Command) -> None:
    call = read_call(read_json(wire.request_of(command)))
    assert isinstance(call, ActionCall)
    assert isinstance(call.action, CommandAction)
    assert make_command(call.action, call.values, "unused") == command


@EXAMPLES
@given(jsons | jsons_at_the_limits)
def test_a_json_value_goes_through_the_wire_to_the_byte(value: Json) -> None:
    document = read_json(b'{"v":%s}' % value.text.encode())
    assert isinstance(document, dict)
    assert compact_json(document["v"]) == value.text


@pytest.mark.parametrize(
    "beyond",
    [f"[{JSON_LIMITS[0].text}]", f'{{"k":{JSON_LIMITS[1].text}}}', "9" * 1001],
    ids=["arrays", "objects", "digits"],
)
def test_a_step_beyond_the_limits_does_not(beyond: str) -> None:
    assert not isinstance(read_json(b'{"v":%s}' % beyond.encode()), dict)


@EXAMPLES
@given(decided_histories)
def test_a_legal_history_has_a_row_of_the_lifecycle_for_each_step(
    life: list[DecidedStep],
) -> None:
    for step in life:
        row = row_of(step.before, step.context)
        if not isinstance(step.decision, Refusal):
            assert {type(event) for event in step.events} <= set(row.events)


@EXAMPLES
@given(legal_histories)
def test_a_legal_history_stays_at_its_end(history: tuple[Event, ...]) -> None:
    statuses = [fold(None, history[: count + 1]) for count in range(len(history))]
    flows = [flow for flow in statuses if flow is not None]
    ends = [flow.status for flow in flows if is_terminal(flow)]
    assert len(flows) == len(history)
    assert len(set(ends)) <= 1


@EXAMPLES
@given(afterlives)
def test_an_afterlife_is_read_and_moves_a_flow_that_has_ended(history: tuple[Event, ...]) -> None:
    before = fold(None, history[:-1])
    assert before is not None
    assert is_terminal(before)
    assert isinstance(history[-1], MOVES)
    assert fold(before, history[-1:]) != before


@EXAMPLES
@given(unreadable_histories)
def test_an_unreadable_history_is_not_read(history: tuple[Event, ...]) -> None:
    with pytest.raises(BrokenHistory):
        fold(None, history)


@EXAMPLES
@given(st.data(), st.sampled_from(FlowStatus), st.booleans(), st.booleans())
def test_a_flow_in_a_state_is_in_that_state(
    data: st.DataObject,
    status: FlowStatus,
    intent: bool,  # noqa: FBT001 - generated
    busy: bool,  # noqa: FBT001 - generated
) -> None:
    flow = data.draw(flows_in(status, intent=intent, busy=busy))
    assert flow.status is status
    assert cancel_requested(flow) is intent
    assert bool(active_tasks(flow)) is busy


@pytest.mark.parametrize("status", [TaskStatus.QUEUED, TaskStatus.LOST])
def test_there_are_tasks_in_every_status(status: TaskStatus) -> None:
    assert find(tasks, lambda task: task.status is status, settings=FIRST).status is status


@pytest.mark.parametrize("agent", ["main", "ops", None])
def test_there_are_owners_with_an_agent_and_without(agent: str | None) -> None:
    assert agent_of(find(owners, lambda owner: agent_of(owner) == agent, settings=FIRST)) == agent


def test_a_fold_of_nothing_is_no_flow() -> None:
    with pytest.raises(ValueError, match="a history without events is no flow"):
        fold_flow(())
