"""The search through all states, three commands deep, and what it would tell of a fault."""

from __future__ import annotations

import pickle

import pytest
from attrs import evolve as replace

from domain.flow.commands import COMMANDS, CreateFlow, FinishFlow
from domain.flow.lifecycle import LIFECYCLE
from domain.flow.rules import FIRST_RULES, RULES, DecisionRules
from domain.flow.status import FlowStatus
from tests.prove.exhaustive import Search, run, step_of
from tests.prove.reached import Reached, row_name
from tests.prove.result import unseen
from tests.prove.small_world import WISHES, State, normal

CREATE = next(wish for wish in WISHES if isinstance(wish.command, CreateFlow))


def created() -> State:
    """Return a flow as it is created."""
    after = step_of(None, CREATE).after
    assert after is not None
    return normal(after)


def test_a_step_goes_from_one_process_to_another() -> None:
    step = step_of(None, CREATE)
    assert pickle.loads(pickle.dumps(step)) == step  # noqa: S301 - written in this line


def test_three_commands_keep_every_law_and_the_table() -> None:
    result = run(3 / 7, unseen)
    assert result.violations == ()
    assert result.counts["steps"] > 20_000


def test_every_command_is_tried_by_both_owners_at_the_right_at_wrong_and_at_any_revisions() -> None:
    assert {type(wish.command) for wish in WISHES} == set(COMMANDS)
    aims = {
        (wish.owner, wish.command.expected_revision)
        for wish in WISHES
        if isinstance(wish.command, FinishFlow)
    }
    assert len(aims) == 8


def test_states_that_differ_only_in_moments_and_counts_are_one() -> None:
    flow = created()
    assert flow is not None
    later = replace(flow, version=9, revision=7, created_at=1, updated_at=2, latest_at=3)
    assert normal(later) == flow


def test_a_step_that_the_table_does_not_allow_is_told() -> None:
    finish = next(wish for wish in WISHES if isinstance(wish.command, FinishFlow))
    step = step_of(created(), finish)
    assert step.after is not None
    reached = Reached()
    reached.add(replace(step, after=replace(step.after, status=FlowStatus.FAILED)))
    (told,) = reached.outside()
    assert told == (
        "FinishFlow on blocked without intent without an active child:"
        " FlowSucceeded -> failed +1 is not in the table"
    )


def test_what_the_table_allows_and_nobody_reached_is_told_by_its_row() -> None:
    reached = Reached()
    reached.add(step_of(None, CREATE))
    told = list(reached.unreached())
    create, *others = LIFECYCLE
    assert f"row {row_name(create)}: running was not reached" in told
    assert not any(line.endswith(f"{row_name(create)} was not reached") for line in told)
    assert {f"row {row_name(row)} was not reached" for row in others} <= set(told)


def test_a_broken_law_is_told_with_the_commands_that_lead_there() -> None:
    search = Search(unseen)
    search.run(1)
    flow = created()
    told = search.path(flow, CREATE)
    assert told.count("CreateFlow") == 2
    assert f"by {CREATE.owner} at {CREATE.at}" in told


@pytest.mark.parametrize("rules", [FIRST_RULES, RULES])
def test_a_command_can_be_handed_to_another_process_under_any_rules(rules: DecisionRules) -> None:
    assert pickle.loads(pickle.dumps(rules)) == rules  # noqa: S301 - written here
