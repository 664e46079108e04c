"""Steps to a failure become fewer and plainer, and still lead there."""

from __future__ import annotations

import pytest
from attrs import evolve as replace

from adapters.testing.drivers import DriverFactory, pure_core
from adapters.testing.model import Rules
from adapters.testing.shrinking import shrink
from adapters.testing.steps import OWNERS, Restart, Send, Tick, TrialStep, dump_steps
from domain.flow.commands import (
    CancelFlow,
    CreateFlow,
    FlowCommand,
    LoseTask,
    RequestCancel,
    ResumeFlow,
    RunTask,
    UpdateTask,
)
from domain.flow.ids import FlowId, Owner, TaskId
from domain.flow.status import FlowStatus, Runtime, TaskStatus
from domain.flow.values import Json
from tests.kit import faulty

OWNER, OTHER, _ = OWNERS
CREATE = CreateFlow(goal="g", controller_id="c", current_step="s", state_json=Json("[]"))
PLAIN = CreateFlow(goal="g", controller_id="c")
NOISE: list[TrialStep] = [
    Send(Owner(OTHER), CREATE),
    Send(Owner(OTHER), RunTask(flow_id=FlowId("flow-1"), runtime=Runtime.ACP, task="other")),
    Tick(5),
    Restart(),
]


def _by(owner: Owner, number: int, *commands: FlowCommand) -> list[TrialStep]:
    return [Send(owner, replace(command, flow_id=FlowId(f"flow-{number}"))) for command in commands]


def _on(number: int, *commands: FlowCommand) -> list[TrialStep]:
    return _by(OWNER, number, *commands)


CANCEL = CancelFlow(flow_id=FlowId(""))
RUN = RunTask(flow_id=FlowId(""), runtime=Runtime.ACP, task="work", label="l", run_id="r")
LOSE = LoseTask(flow_id=FlowId(""), task_id=TaskId("task-1"), silent_before=1_005)
WANT = RequestCancel(flow_id=FlowId(""), expected_revision=2)
RESUME = ResumeFlow(flow_id=FlowId(""), expected_revision=0, status=FlowStatus.RUNNING)


def _end(task: TaskId) -> UpdateTask:
    return UpdateTask(flow_id=FlowId(""), task_id=task, status=TaskStatus.FAILED, error="e")


@pytest.mark.parametrize(
    ("fault", "steps", "expected"),
    [
        (
            faulty.never_settles,
            [*NOISE, Send(OWNER, CREATE), *_on(2, RESUME, RUN, CANCEL, _end(TaskId("task-2")))],
            (
                '[{"create_flow": {"goal": "a", "controller_id": "a"}}, '
                '{"run_task": {"flow_id": "flow-1", "runtime": "acp", "task": "a"}}, '
                '{"cancel_flow": {"flow_id": "flow-1"}}, '
                '{"update_task": {"flow_id": "flow-1", "task_id": "task-1", "status": "failed"}}]'
            ),
        ),
        (
            faulty.forgets_keys,
            [*NOISE, Send(OWNER, CREATE, "k"), Tick(1), Send(OWNER, CREATE, "k"), Restart()],
            (
                '[{"create_flow": {"goal": "a", "controller_id": "a"}, "key": "k"}, '
                '{"create_flow": {"goal": "a", "controller_id": "a"}, "key": "k"}]'
            ),
        ),
        (
            faulty.takes_any_revision,
            [
                Send(Owner(OTHER), CREATE),
                *_by(Owner(OTHER), 1, RESUME, WANT),
                *_by(Owner(OTHER), 1, WANT),
            ],
            (
                '[{"create_flow": {"goal": "a", "controller_id": "a"}}, '
                '{"request_cancel": {"flow_id": "flow-1", "expected_revision": 1}}]'
            ),
        ),
        (
            faulty.never_settles,
            [Send(OWNER, CREATE), Tick(5), *_on(1, RUN, CANCEL), Tick(300_000), *_on(1, LOSE)],
            (
                '[{"create_flow": {"goal": "a", "controller_id": "a"}}, '
                '{"run_task": {"flow_id": "flow-1", "runtime": "acp", "task": "a"}}, '
                '{"cancel_flow": {"flow_id": "flow-1"}}, {"lose_task": '
                '{"flow_id": "flow-1", "task_id": "task-1", "silent_before": 1000}}]'
            ),
        ),
        (
            faulty.follows_the_clock_back,
            [Send(OWNER, CREATE), Tick(-1), Tick(5), Restart(), Tick(-7), *_on(1, CANCEL)],
            (
                '[{"create_flow": {"goal": "a", "controller_id": "a"}}, {"clock": -7}, '
                '{"cancel_flow": {"flow_id": "flow-1"}}]'
            ),
        ),
        (
            faulty.follows_the_clock_back,
            [Send(OWNER, CREATE), Tick(5), *_on(1, RUN, CANCEL), Tick(-7), *_on(1, LOSE)],
            (
                '[{"create_flow": {"goal": "a", "controller_id": "a"}}, '
                '{"run_task": {"flow_id": "flow-1", "runtime": "acp", "task": "a"}}, '
                '{"cancel_flow": {"flow_id": "flow-1"}}, {"clock": -7}, {"lose_task": '
                '{"flow_id": "flow-1", "task_id": "task-1", "silent_before": 1000}}]'
            ),
        ),
        (
            faulty.crashes_at_the_end,
            [*NOISE, Send(OWNER, PLAIN)],
            dump_steps([*NOISE, Send(OWNER, PLAIN)]),
        ),
    ],
    ids=[
        "tasks and flows are renamed",
        "a key that matters stays",
        "revisions and owners are adapted",
        "no time passes",
        "time that matters passes",
        "silence is counted from then",
        "what does not fail stays",
    ],
)
def test_only_what_leads_to_the_failure_is_left(
    fault: DriverFactory, steps: list[TrialStep], expected: str
) -> None:
    assert dump_steps(shrink(steps, fault, Rules)) == expected


def test_without_time_the_steps_stay_as_they_are() -> None:
    steps = [*NOISE, Send(OWNER, CREATE)]
    assert shrink(steps, faulty.leaks, Rules, seconds=0) == tuple(steps)
    assert shrink(steps, pure_core, Rules) == tuple(steps)
