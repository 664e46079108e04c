"""What clients ask of a flow that they share: what ends it comes seldom."""

from __future__ import annotations

from random import Random
from typing import Final

from domain.flow.commands import (
    CancelFlow,
    Command,
    FailFlow,
    FinishFlow,
    RequestCancel,
    ResumeFlow,
    RunTask,
    SetWaiting,
    UpdateTask,
)
from domain.flow.ids import FlowId, TaskId
from domain.flow.status import FlowStatus, Runtime, TaskStatus
from domain.flow.values import KEEP, Json
from tests.prove.board import Target

WEIGHTS: Final = {"wait": 30, "resume": 20, "run": 12, "report": 25, "stop": 6}
RUNS: Final = 6
"""So few runs that clients mean the same one."""
REPORTS: Final = (
    *(TaskStatus.RUNNING, TaskStatus.RUNNING, TaskStatus.SUCCEEDED),
    *(TaskStatus.FAILED, TaskStatus.CANCELLED, TaskStatus.TIMED_OUT),
)


def wish(target: Target, chance: Random, news: str) -> Command:
    """Return something to ask of a flow; `news` differs from call to call."""
    (kind,) = chance.choices(list(WEIGHTS), weights=list(WEIGHTS.values()))
    flow_id, revision = target.flow_id, target.revision
    match kind:
        case "wait":
            return SetWaiting(
                flow_id=FlowId(flow_id),
                expected_revision=revision,
                wait_json=Json(f'"{news}"'),
                blocked_summary=chance.choice((KEEP, KEEP, "why")),
            )
        case "resume":
            status = chance.choice((FlowStatus.QUEUED, FlowStatus.RUNNING))
            return ResumeFlow(flow_id=FlowId(flow_id), expected_revision=revision, status=status)
        case "run":
            run_id = f"run-{chance.randrange(RUNS)}"
            return RunTask(flow_id=FlowId(flow_id), runtime=Runtime.ACP, task="work", run_id=run_id)
        case "report":
            return UpdateTask(
                flow_id=FlowId(flow_id),
                task_id=TaskId(chance.choice(target.tasks or ["none"])),
                status=chance.choice(REPORTS),
                progress_summary=news,
            )
        case _:
            return _stop(FlowId(flow_id), revision, chance)


def _stop(flow_id: FlowId, revision: int, chance: Random) -> Command:
    stops: tuple[Command, ...] = (
        FinishFlow(flow_id=flow_id, expected_revision=revision),
        FailFlow(flow_id=flow_id, expected_revision=revision),
        RequestCancel(flow_id=flow_id, expected_revision=revision),
        CancelFlow(flow_id=flow_id),
    )
    return chance.choice(stops)
