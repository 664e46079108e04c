"""What holds for every flow and every command, generated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from attrs import evolve as replace
from hypothesis import assume, given
from hypothesis import strategies as st

from adapters.testing.examples import OWNER, STRANGER
from adapters.testing.strategies.commands import (
    commands,
    contexts,
    flow_commands,
    misused,
    reports,
    revisioned,
    runs,
)
from adapters.testing.strategies.flows import (
    ended_flows,
    flows,
    fold_flow,
    last_ends,
    live_flows,
    pending_flows,
)
from adapters.testing.strategies.histories import DecidedStep, decided_histories, histories
from adapters.testing.targeting import at_revision_of
from domain.flow.commands import (
    Command,
    CommandContext,
    FlowCommand,
    LoseTask,
    Revisioned,
    RunTask,
    UpdateTask,
)
from domain.flow.concerned import concerned, with_only
from domain.flow.decide import Decision, decide
from domain.flow.decide_task import task_of
from domain.flow.decide_wait import row_of
from domain.flow.events import Event, FlowEvent, TaskEvent
from domain.flow.evolve import evolve, fold
from domain.flow.refusals import Refusal, RefusalCode
from domain.flow.state import Flow, active_tasks, cancel_requested, is_terminal
from domain.flow.status import FlowStatus
from domain.flow.task_counts import NO_TASKS
from tests.core.examples import EXAMPLES

OF_WAITS = {None, RefusalCode.SAME_APPROVER}
FLOW_EVENTS: tuple[type[FlowEvent], ...] = get_args(FlowEvent)
TASK_EVENTS: tuple[type[TaskEvent], ...] = get_args(TaskEvent)


@EXAMPLES
@given(st.none() | flows, contexts(commands | misused))
def test_every_command_on_every_flow_is_decided_and_always_alike(
    flow: Flow | None, wish: CommandContext
) -> None:
    decision = decide(flow, wish)
    assert isinstance(decision, tuple | Refusal)
    assert decide(flow, wish) == decision


@EXAMPLES
@given(st.none() | flows, contexts())
def test_what_is_decided_can_be_read_again(flow: Flow | None, wish: CommandContext) -> None:
    decision = decide(flow, wish)
    if not isinstance(decision, Refusal):
        after = fold(flow, decision)
        assert after is not None
        assert after.version == (flow.version if flow else 0) + len(decision)


@EXAMPLES
@given(flows, commands, st.booleans())
def test_decide_does_what_the_row_of_the_table_says(
    flow: Flow,
    command: Command,
    aimed: bool,  # noqa: FBT001 - generated
) -> None:
    command = at_revision_of(flow, command) if aimed else command
    wish = CommandContext(command=command, owner=OWNER, at=0, new_id="task-new")
    decision = decide(flow, wish)
    row = row_of(flow, wish)
    if isinstance(decision, Refusal):
        of_data = {RefusalCode.REVISION_CONFLICT, RefusalCode.TASK_NOT_FOUND}
        of_data |= {RefusalCode.TASK_TERMINAL, RefusalCode.TASK_NOT_SILENT}
        of_data |= {RefusalCode.CORRELATION_KEY_TAKEN}
        of_data |= {RefusalCode.WAIT_OVER, RefusalCode.WAIT_NOT_DUE}
        of_data |= {RefusalCode.LINK_USED, RefusalCode.SAME_APPROVER}
        assert decision.code in {row.refusal, *of_data}
        return
    after = _after(flow, decision)
    assert row.refusal is None
    assert {type(event) for event in decision} <= set(row.events)
    assert after.status in {flow.status, *row.target}
    assert after.revision - flow.revision in row.moves


@EXAMPLES
@given(histories)
def test_every_history_that_begins_with_a_creation_is_read(history: Sequence[Event]) -> None:
    flow = fold_flow(history)
    assert flow.version == len(history)
    assert flow.revision == sum(isinstance(event, FLOW_EVENTS) for event in history)
    assert flow.latest_at == history[-1].at


@EXAMPLES
@given(histories, st.integers(0, 13))
def test_reading_in_two_parts_is_reading_at_once(history: Sequence[Event], cut: int) -> None:
    assert fold(fold(None, history[:cut]), history[cut:]) == fold(None, history)


@EXAMPLES
@given(histories)
def test_a_cancel_intent_never_clears(history: Sequence[Event]) -> None:
    flow: Flow | None = None
    for event in history:
        wanted = flow is not None and cancel_requested(flow)
        flow = evolve(flow, event)
        assert cancel_requested(flow) or not wanted


@EXAMPLES
@given(ended_flows, flow_commands)
def test_a_flow_that_has_ended_stays_as_it_ended(flow: Flow, command: FlowCommand) -> None:
    aimed = at_revision_of(flow, command)
    decision = decide(flow, CommandContext(command=aimed, owner=OWNER, at=0, new_id="task-new"))
    if isinstance(decision, Refusal):
        return
    assert all(isinstance(event, TASK_EVENTS) for event in decision)
    after = _after(flow, decision)
    after = replace(after, tasks=flow.tasks, counts=flow.counts)
    assert replace(after, version=flow.version, latest_at=flow.latest_at) == flow


@EXAMPLES
@given(flows, contexts(flow_commands, owner=STRANGER))
def test_a_stranger_changes_nothing_and_learns_nothing(flow: Flow, wish: CommandContext) -> None:
    aimed = replace(wish, command=at_revision_of(flow, wish.command))
    answer = Refusal(code=RefusalCode.NOT_FOUND, reason="Flow not found.")
    assert decide(flow, wish) == decide(flow, aimed) == decide(None, wish) == answer


@EXAMPLES
@given(decided_histories)
def test_moments_never_go_back_in_the_life_of_a_flow(life: Sequence[DecidedStep]) -> None:
    events = [event for step in life for event in _events(step)]
    moments = [event.at for event in events]
    assert moments == sorted(moments)


@EXAMPLES
@given(decided_histories)
def test_a_life_keeps_its_owner_and_never_leaves_its_end(life: Sequence[DecidedStep]) -> None:
    for step in life[1:]:
        before, after = step.before, step.after
        assert before is not None
        assert after is not None
        assert (after.flow_id, after.owner) == (before.flow_id, before.owner)
        assert after.status is before.status or not is_terminal(before)


@EXAMPLES
@given(decided_histories)
def test_the_end_of_a_flow_has_a_moment_exactly_where_the_flow_has_ended(
    life: Sequence[DecidedStep],
) -> None:
    for step in life:
        assert step.after is not None
        assert is_terminal(step.after) is (step.after.ended_at is not None)


@EXAMPLES
@given(decided_histories)
def test_a_child_that_has_ended_stays_as_it_ended_but_for_its_description(
    life: Sequence[DecidedStep],
) -> None:
    for step in life[1:]:
        before, after = _tasks(step.before), _tasks(step.after)
        assert before.keys() <= after.keys()
        for task_id, (status, ended_at) in before.items():
            assert ended_at is None or after[task_id] == (status, ended_at)


@EXAMPLES
@given(pending_flows, last_ends)
def test_a_live_flow_with_an_intent_is_cancelled_with_the_end_of_its_last_child(
    flow: Flow, command: UpdateTask | LoseTask
) -> None:
    after = _after(flow, decide(flow, _aimed(flow, command)))
    assert (after.status, active_tasks(after)) == (FlowStatus.CANCELLED, ())
    assert after.revision == flow.revision + 1


@EXAMPLES
@given(pending_flows, last_ends, last_ends)
def test_a_child_ends_once(
    flow: Flow, first: UpdateTask | LoseTask, second: UpdateTask | LoseTask
) -> None:
    after = _after(flow, decide(flow, _aimed(flow, first)))
    again = decide(after, _aimed(after, second))
    assert isinstance(again, Refusal)
    assert (again.code, again.flow) == (RefusalCode.TASK_TERMINAL, after)


@EXAMPLES
@given(live_flows, revisioned, revisioned)
def test_of_two_commands_with_one_revision_the_second_is_refused(
    flow: Flow, first: Revisioned, second: Revisioned
) -> None:
    decision = decide(flow, _aimed(flow, first))
    assume(not isinstance(decision, Refusal))
    after = _after(flow, decision)
    assume(after.revision > flow.revision)  # a resume that is kept costs none
    assert decide(after, _aimed(flow, second)) == Refusal(
        code=RefusalCode.REVISION_CONFLICT,
        reason="TaskFlow changed since the caller's expected revision.",
        flow=after,
    )


@EXAMPLES
@given(live_flows, runs | reports, revisioned)
def test_a_command_about_a_child_in_between_costs_no_revision(
    flow: Flow, between: RunTask | UpdateTask | LoseTask, command: Revisioned
) -> None:
    after = _after(flow, decide(flow, _aimed(flow, between)))
    decision = decide(after, _aimed(flow, command))
    code = decision.code if isinstance(decision, Refusal) else None
    # The last child to end may take the flow with it, which is a change of the flow.
    assert code in ({RefusalCode.REVISION_CONFLICT} if is_terminal(after) else OF_WAITS)


def _aimed(flow: Flow, command: Command) -> CommandContext:
    aimed = at_revision_of(flow, command)
    return CommandContext(command=aimed, owner=OWNER, at=0, new_id="task-new")


def _after(flow: Flow, decision: Decision) -> Flow:
    after = fold(flow, () if isinstance(decision, Refusal) else decision)
    assert after is not None
    return after


def _events(step: DecidedStep) -> Sequence[Event]:
    return () if isinstance(step.decision, Refusal) else step.decision


def _tasks(flow: Flow | None) -> dict[str, tuple[str, int | None]]:
    assert flow is not None
    return {task.task_id: (task.status, task.ended_at) for task in flow.tasks}


@EXAMPLES
@given(flows | pending_flows, contexts(commands | misused), st.data())
def test_a_command_is_decided_alike_with_only_the_tasks_that_it_concerns(
    flow: Flow, wish: CommandContext, data: st.DataObject
) -> None:
    wish = replace(wish, command=_aimed_at_a_task(flow, wish.command, data))
    part = with_only(flow, concerned(wish.command))
    decision = decide(part, wish)
    whole = decide(flow, wish)
    if isinstance(whole, Refusal):
        assert isinstance(decision, Refusal)
        assert replace(decision, flow=None) == replace(whole, flow=None)
        return
    assert decision == whole
    after, part_after = fold(flow, whole), fold(part, whole)
    assert after is not None
    assert part_after is not None
    task_id = task_of(after, wish.command, whole)
    assert task_of(part_after, wish.command, whole) == task_id
    assert replace(part_after, tasks=()) == replace(after, tasks=())
    known = {task.task_id for task in part_after.tasks}
    assert part_after.tasks == tuple(task for task in after.tasks if task.task_id in known)
    assert task_id is None or task_id in known or not after.task_count


def _aimed_at_a_task(flow: Flow, command: Command, data: st.DataObject) -> Command:
    if not flow.tasks or not data.draw(st.booleans()):
        return command
    task = data.draw(st.sampled_from(flow.tasks))
    match command:
        case UpdateTask() | LoseTask():
            return replace(command, task_id=task.task_id)
        case RunTask():
            return replace(
                command,
                run_id=task.run_id,
                runtime=task.runtime,
                child_session_key=task.child_session_key,
            )
        case _:
            return command


@EXAMPLES
@given(flows)
def test_the_counts_of_a_flow_are_those_of_its_tasks(flow: Flow) -> None:
    assert flow.counts == NO_TASKS.changed((), flow.tasks)
    assert flow.task_count == len(flow.tasks)
    assert flow.active_count == len(active_tasks(flow))
