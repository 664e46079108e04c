"""A store with the flows that most tests of this room look at."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.cli import Dependencies
from domain.flow.commands import (
    CreateFlow,
    RequestCancel,
    ResumeFlow,
    RunTask,
    SetWaiting,
    UpdateTask,
)
from domain.flow.ids import TaskId
from domain.flow.status import FlowStatus, Runtime, TaskStatus
from domain.flow.values import Json
from tests.cli.workbench import OWNER, STRANGER, flow_id, seeding, tools_over


@pytest.fixture
def tools() -> Dependencies:
    """Tools over real stores."""
    return tools_over()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file of a store is, or will be."""
    return tmp_path / "flows.db"


@pytest.fixture
def url(path: Path) -> str:
    """The URL of that file."""
    return f"sqlite:///{path}"


@pytest.fixture
def seeded(url: str) -> str:
    """The URL of a store with three flows of two owners; the first one has a life behind it."""
    with seeding(url) as bench:
        state = Json('{"id":12345678901234567890,"list":[1.5,null]}')
        goal = "Reconcile the invoices of November with the statements of the bank"
        first = CreateFlow(goal=goal, controller_id="webhooks/zapier", state_json=state)
        flow = bench.execute(first).flow.flow_id
        bench.execute(
            SetWaiting(
                flow_id=flow,
                expected_revision=0,
                current_step="approval",
                wait_json=Json('{"kind":"reply"}'),
            )
        )
        bench.execute(
            ResumeFlow(
                flow_id=flow, expected_revision=1, status=FlowStatus.RUNNING, current_step=None
            )
        )
        bench.execute(
            RunTask(flow_id=flow, runtime=Runtime.ACP, task="Fetch the statements", run_id="r1")
        )
        bench.execute(
            UpdateTask(
                flow_id=flow,
                task_id=TaskId(flow_id(4)),
                status=TaskStatus.RUNNING,
                progress_summary="3 of 12 are there",
            )
        )
        bench.execute(RequestCancel(flow_id=flow, expected_revision=2))
        second = CreateFlow(goal="Answer the customer", controller_id="webhooks/desk")
        other = bench.execute(second, STRANGER).flow.flow_id
        bench.execute(
            SetWaiting(flow_id=other, expected_revision=0, blocked_summary="no address"), STRANGER
        )
        bench.execute(CreateFlow(goal="Sleep", controller_id="webhooks/zapier"), OWNER)
    return url
