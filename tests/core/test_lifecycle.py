"""The table has one row for everything, and `decide` does what its rows say: no more, no less."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product

import pytest

from adapters.testing.states import LifecycleCase, lifecycle_cases
from domain.flow.commands import COMMANDS, Command
from domain.flow.decide_wait import row_of
from domain.flow.events import Event
from domain.flow.lifecycle import LIFECYCLE, LifecycleRow, State, matching_rows
from domain.flow.refusals import Refusal, RefusalCode
from domain.flow.state import Flow
from domain.flow.status import FlowStatus

OF_DATA = {
    RefusalCode.TASK_NOT_FOUND,
    RefusalCode.TASK_TERMINAL,
    RefusalCode.TASK_NOT_SILENT,
    RefusalCode.WAIT_OVER,
    RefusalCode.WAIT_NOT_DUE,
    RefusalCode.LINK_USED,
    RefusalCode.SAME_APPROVER,
}
"""What depends on the task or the wait, before or after the table has allowed the command."""

STATES: tuple[State, ...] = (None, *FlowStatus)


@pytest.mark.parametrize("command", COMMANDS)
def test_exactly_one_row_applies_to_a_command_in_a_state(command: type[Command]) -> None:
    for state, (i, a, s, k) in product(STATES, product((False, True), repeat=4)):
        assert len(matching_rows(command, state, intent=i, active=a, same=s, kept=k)) == 1


@pytest.mark.parametrize("row", LIFECYCLE)
def test_every_row_is_reached_and_shows_all_that_it_promises(row: LifecycleRow) -> None:
    reached = [t for t in lifecycle_cases() if row_of(t.before, t.context) == row]
    refused = {t.decided.refusal[0] for t in reached if isinstance(t.decided.decision, Refusal)}
    accepted = [t for t in reached if not isinstance(t.decided.decision, Refusal)]
    if row.refusal is not None:
        assert refused == {row.refusal}
        assert accepted == []
        return
    assert refused <= OF_DATA
    assert _events(accepted) == set(row.events)
    assert {_moved(t) for t in accepted} == row.moves
    assert {t.decided.flow.status for t in accepted if _left(t, row)} == row.target


def _events(accepted: Iterable[LifecycleCase]) -> set[type[Event]]:
    return {type(event) for trial in accepted for event in trial.decided.events}


def _moved(trial: LifecycleCase) -> int:
    return trial.decided.flow.revision - _revision(trial.before)


def _revision(flow: Flow | None) -> int:
    return 0 if flow is None else flow.revision


def _left(trial: LifecycleCase, row: LifecycleRow) -> bool:
    """Say whether the flow had to go to the row's target: it need not where it may stay."""
    stayed = trial.before is not None and trial.decided.flow.status is trial.before.status
    return not stayed or (bool(row.target) and 0 not in row.moves)
