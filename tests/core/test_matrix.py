"""Every command in every state, written by hand from the rules, not from the table in the code.

A column is where the flow stands, a row is a command, a cell is the answer. The child `child` is
active or has ended, as the heading of the matrix says.
"""

from __future__ import annotations

from typing import Final

import pytest
from attrs import frozen

from adapters.testing.examples import FLOW, THEN, ended, linked
from adapters.testing.scenario import Given, given
from adapters.testing.states import given_state
from domain.flow.commands import (
    CancelFlow,
    Command,
    CreateFlow,
    ExpireWait,
    FailFlow,
    FinishFlow,
    FollowLink,
    LoseTask,
    RequestCancel,
    ResumeEarly,
    ResumeFlow,
    RunTask,
    SetWaiting,
    UpdateTask,
)
from domain.flow.ids import TaskId
from domain.flow.refusals import Refusal
from domain.flow.status import FlowStatus, Runtime, TaskStatus

EVENTS: Final = {
    # word: events, status after ("" where it stays), by how much the revision moves
    "created": ("FlowCreated", "queued", 0),
    "waiting": ("FlowBeganWaiting", "waiting", 1),
    "blocked": ("FlowBecameBlocked", "blocked", 1),
    "queued": ("FlowResumed", "queued", 1),
    "running": ("FlowResumed", "running", 1),
    "kept": ("FlowResumeKept", "", 0),
    "by-link": ("FlowResumedByLink", "queued", 1),
    "by-time": ("FlowWaitExpired", "queued", 1),
    "succeeded": ("FlowSucceeded", "succeeded", 1),
    "failed": ("FlowFailed", "failed", 1),
    "intent": ("FlowCancelRequested", "", 1),
    "cancelled": ("FlowCancelled", "cancelled", 1),
    "int+canc": ("FlowCancelRequested FlowCancelled", "cancelled", 2),
    "nothing": ("", "", 0),
    "linked": ("TaskLinked", "", 0),
    "started": ("TaskStarted", "", 0),
    "ended": ("TaskEnded", "", 0),
    "end+canc": ("TaskEnded FlowCancelled", "cancelled", 1),
}
REFUSALS: Final = {
    "!created": "create_rejected",
    "!found": "not_found",
    "!terminal": "terminal",
    "!cancel": "cancel_requested",
    "!ended": "task_terminal",
    "!silent": "task_not_silent",
    "!over": "wait_over",
}
NO_FLOW: Final = """
                    absent
create              created
set_waiting         !found
set_waiting_blocked !found
resume              !found
resume_running      !found
finish              !found
fail                !found
fail_blocked        !found
resume_early        !found
follow_link         !found
expire_wait         !found
request_cancel      !found
cancel              !found
run_task            !found
update_running      !found
update_last_ended   !found
update_other_ended  !found
lose_task           !found
give_up_task        !found
"""

NO_INTENT_NO_CHILD_ACTIVE: Final = """
                    queued     running    waiting    blocked    succeeded  failed     cancelled
create              !created   !created   !created   !created   !created   !created   !created
set_waiting         waiting    waiting    waiting    waiting    !terminal  !terminal  !terminal
set_waiting_blocked blocked    blocked    blocked    blocked    !terminal  !terminal  !terminal
resume              queued     queued     queued     queued     !terminal  !terminal  !terminal
resume_running      running    running    running    running    !terminal  !terminal  !terminal
finish              succeeded  succeeded  succeeded  succeeded  !terminal  !terminal  !terminal
fail                failed     failed     failed     failed     !terminal  !terminal  !terminal
fail_blocked        failed     failed     failed     failed     !terminal  !terminal  !terminal
resume_early        kept       kept       queued     queued     !terminal  !terminal  !terminal
follow_link         !over      !over      by-link    by-link    !over      !over      !over
expire_wait         !over      !over      by-time    by-time    !over      !over      !over
request_cancel      intent     intent     intent     intent     !terminal  !terminal  !terminal
cancel              int+canc   int+canc   int+canc   int+canc   !terminal  !terminal  !terminal
run_task            linked     linked     linked     linked     !terminal  !terminal  !terminal
update_running      !ended     !ended     !ended     !ended     !ended     !ended     !ended
update_last_ended   !ended     !ended     !ended     !ended     !ended     !ended     !ended
update_other_ended  !ended     !ended     !ended     !ended     !ended     !ended     !ended
lose_task           !silent    !silent    !silent    !silent    !silent    !silent    !silent
give_up_task        !silent    !silent    !silent    !silent    !silent    !silent    !silent
"""

INTENT_NO_CHILD_ACTIVE: Final = """
                    queued     running    waiting    blocked    succeeded  failed     cancelled
create              !created   !created   !created   !created   !created   !created   !created
set_waiting         waiting    waiting    waiting    waiting    !terminal  !terminal  !terminal
set_waiting_blocked blocked    blocked    blocked    blocked    !terminal  !terminal  !terminal
resume              queued     queued     queued     queued     !terminal  !terminal  !terminal
resume_running      running    running    running    running    !terminal  !terminal  !terminal
finish              succeeded  succeeded  succeeded  succeeded  !terminal  !terminal  !terminal
fail                failed     failed     failed     failed     !terminal  !terminal  !terminal
fail_blocked        failed     failed     failed     failed     !terminal  !terminal  !terminal
resume_early        kept       kept       queued     queued     !terminal  !terminal  !terminal
follow_link         !over      !over      by-link    by-link    !over      !over      !over
expire_wait         !over      !over      by-time    by-time    !over      !over      !over
request_cancel      intent     intent     intent     intent     !terminal  !terminal  !terminal
cancel              cancelled  cancelled  cancelled  cancelled  !terminal  !terminal  !terminal
run_task            !cancel    !cancel    !cancel    !cancel    !cancel    !cancel    !cancel
update_running      !ended     !ended     !ended     !ended     !ended     !ended     !ended
update_last_ended   !ended     !ended     !ended     !ended     !ended     !ended     !ended
update_other_ended  !ended     !ended     !ended     !ended     !ended     !ended     !ended
lose_task           !ended     !ended     !ended     !ended     !ended     !ended     !ended
give_up_task        !ended     !ended     !ended     !ended     !ended     !ended     !ended
"""

NO_INTENT_A_CHILD_ACTIVE: Final = """
                    queued     running    waiting    blocked    succeeded  failed     cancelled
create              !created   !created   !created   !created   !created   !created   !created
set_waiting         waiting    waiting    waiting    waiting    !terminal  !terminal  !terminal
set_waiting_blocked blocked    blocked    blocked    blocked    !terminal  !terminal  !terminal
resume              queued     queued     queued     queued     !terminal  !terminal  !terminal
resume_running      running    running    running    running    !terminal  !terminal  !terminal
finish              succeeded  succeeded  succeeded  succeeded  !terminal  !terminal  !terminal
fail                failed     failed     failed     failed     !terminal  !terminal  !terminal
fail_blocked        failed     failed     failed     failed     !terminal  !terminal  !terminal
resume_early        kept       kept       queued     queued     !terminal  !terminal  !terminal
follow_link         !over      !over      by-link    by-link    !over      !over      !over
expire_wait         !over      !over      by-time    by-time    !over      !over      !over
request_cancel      intent     intent     intent     intent     !terminal  !terminal  !terminal
cancel              intent     intent     intent     intent     !terminal  !terminal  !terminal
run_task            linked     linked     linked     linked     !terminal  !terminal  !terminal
update_running      started    started    started    started    started    started    started
update_last_ended   ended      ended      ended      ended      ended      ended      ended
update_other_ended  ended      ended      ended      ended      ended      ended      ended
lose_task           !silent    !silent    !silent    !silent    !silent    !silent    !silent
give_up_task        !silent    !silent    !silent    !silent    !silent    !silent    !silent
"""

INTENT_A_CHILD_ACTIVE: Final = """
                    queued     running    waiting    blocked    succeeded  failed     cancelled
create              !created   !created   !created   !created   !created   !created   !created
set_waiting         waiting    waiting    waiting    waiting    !terminal  !terminal  !terminal
set_waiting_blocked blocked    blocked    blocked    blocked    !terminal  !terminal  !terminal
resume              queued     queued     queued     queued     !terminal  !terminal  !terminal
resume_running      running    running    running    running    !terminal  !terminal  !terminal
finish              succeeded  succeeded  succeeded  succeeded  !terminal  !terminal  !terminal
fail                failed     failed     failed     failed     !terminal  !terminal  !terminal
fail_blocked        failed     failed     failed     failed     !terminal  !terminal  !terminal
resume_early        kept       kept       queued     queued     !terminal  !terminal  !terminal
follow_link         !over      !over      by-link    by-link    !over      !over      !over
expire_wait         !over      !over      by-time    by-time    !over      !over      !over
request_cancel      intent     intent     intent     intent     !terminal  !terminal  !terminal
cancel              nothing    nothing    nothing    nothing    !terminal  !terminal  !terminal
run_task            !cancel    !cancel    !cancel    !cancel    !cancel    !cancel    !cancel
update_running      started    started    started    started    started    started    started
update_last_ended   end+canc   end+canc   end+canc   end+canc   ended      ended      ended
update_other_ended  ended      ended      ended      ended      ended      ended      ended
lose_task           end+canc   end+canc   end+canc   end+canc   ended      ended      ended
give_up_task        end+canc   end+canc   end+canc   end+canc   ended      ended      ended
"""


def _command(name: str, revision: int) -> Command:
    """Return the command of a row, with the flow's own revision."""
    commands: dict[str, Command] = {
        "create": CreateFlow(goal="g", controller_id="c"),
        "set_waiting": SetWaiting(flow_id=FLOW, expected_revision=revision),
        "set_waiting_blocked": SetWaiting(
            flow_id=FLOW, expected_revision=revision, blocked_task_id="t"
        ),
        "resume": ResumeFlow(flow_id=FLOW, expected_revision=revision),
        "resume_running": ResumeFlow(
            flow_id=FLOW, expected_revision=revision, status=FlowStatus.RUNNING
        ),
        "finish": FinishFlow(flow_id=FLOW, expected_revision=revision),
        "fail": FailFlow(flow_id=FLOW, expected_revision=revision),
        "fail_blocked": FailFlow(flow_id=FLOW, expected_revision=revision, blocked_summary="why"),
        "resume_early": ResumeEarly(flow_id=FLOW, expected_revision=revision),
        "follow_link": FollowLink(flow_id=FLOW, link_hash="hash"),
        "expire_wait": ExpireWait(flow_id=FLOW, until=THEN),
        "request_cancel": RequestCancel(flow_id=FLOW, expected_revision=revision),
        "cancel": CancelFlow(flow_id=FLOW),
        "run_task": RunTask(flow_id=FLOW, runtime=Runtime.ACP, task="work"),
        "update_running": UpdateTask(
            flow_id=FLOW, task_id=TaskId("child"), status=TaskStatus.RUNNING
        ),
        "update_last_ended": UpdateTask(
            flow_id=FLOW, task_id=TaskId("child"), status=TaskStatus.FAILED
        ),
        "update_other_ended": UpdateTask(
            flow_id=FLOW, task_id=TaskId("child"), status=TaskStatus.FAILED
        ),
        "lose_task": LoseTask(flow_id=FLOW, task_id=TaskId("child"), silent_before=THEN),
        "give_up_task": LoseTask(flow_id=FLOW, task_id=TaskId("child"), silent_before=None),
    }
    return commands[name]


@frozen
class Cell:
    """One command in one state."""

    command: str
    status: str
    intent: bool
    active: bool
    expected: str

    def __str__(self) -> str:
        flags = f"{'+intent' * self.intent}{'+child' * self.active}"
        return f"{self.command}-{self.status}{flags}"

    def flow(self) -> Given:
        """Return the flow in this state, also where no command could have brought it there."""
        if self.status == "absent":
            return given()
        end = () if self.active else (ended(TaskId("child")),)
        other = self.active and self.command == "update_other_ended"
        sibling = (linked(TaskId("sibling")),) if other else ()
        children = (linked(TaskId("child")), *end, *sibling)
        return given_state(FlowStatus(self.status), children, intent=self.intent)


def _cells(matrix: str, *, intent: bool, active: bool) -> list[Cell]:
    heading, *lines = (line.split() for line in matrix.strip().splitlines())
    return [
        Cell(command, status, intent, active, expected)
        for command, *row in lines
        for status, expected in zip(heading, row, strict=True)
    ]


CELLS: Final = [
    *_cells(NO_FLOW, intent=False, active=False),
    *_cells(NO_INTENT_NO_CHILD_ACTIVE, intent=False, active=False),
    *_cells(INTENT_NO_CHILD_ACTIVE, intent=True, active=False),
    *_cells(NO_INTENT_A_CHILD_ACTIVE, intent=False, active=True),
    *_cells(INTENT_A_CHILD_ACTIVE, intent=True, active=True),
]


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_a_command_in_a_state_is_answered_as_written(cell: Cell) -> None:
    flow = cell.flow()
    revision = flow.found.revision if flow.found else 0
    decided = flow.when(_command(cell.command, revision))
    if isinstance(decided.decision, Refusal):
        assert decided.decision.code == REFUSALS.get(cell.expected, cell.expected)
        return
    events, status, moved = EVENTS[cell.expected]
    assert " ".join(type(event).__name__ for event in decided.events) == events
    assert decided.flow.status == (status or flow.flow.status)
    assert decided.flow.revision == revision + moved


def test_the_matrix_has_a_cell_for_everything() -> None:
    assert len(CELLS) == 19 * (1 + 7 * 2 * 2)
    assert len({str(cell) for cell in CELLS}) == len(CELLS)
    stands = {cell.flow().flow.status for cell in CELLS if cell.status != "absent"}
    assert stands == set(FlowStatus)
