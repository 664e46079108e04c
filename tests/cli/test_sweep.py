from __future__ import annotations

import json

from adapters.cli import Dependencies
from domain.flow.commands import CancelFlow, CreateFlow, RunTask
from domain.flow.status import Runtime
from tests.cli.workbench import seeding, taskflow


def pending(url: str) -> str:
    """Put a flow into a store whose cancellation waits for one child, and return its id."""
    with seeding(url) as bench:
        flow = bench.execute(CreateFlow(goal="g", controller_id="c")).flow
        bench.execute(RunTask(flow_id=flow.flow_id, runtime=Runtime.ACP, task="t"))
        bench.execute(CancelFlow(flow_id=flow.flow_id))
    return flow.flow_id


def test_a_silent_child_is_given_up_and_its_flow_cancelled(tools: Dependencies, url: str) -> None:
    flow = pending(url)
    ran = taskflow(tools, "flows", "sweep", "--database", url)
    assert (ran.code, ran.out) == (
        0,
        "Marked 1 child task as lost; 1 flow became cancelled by that.\n",
    )
    shown = json.loads(taskflow(tools, "flows", "show", flow, "--database", url, "--json").out)
    assert (shown["flow"]["status"], shown["tasks"][0]["status"]) == ("cancelled", "lost")
    again = taskflow(tools, "flows", "sweep", "--database", url)
    assert again.out == "No child task was silent for too long.\n"


def test_a_child_that_was_heard_of_is_left_alone(tools: Dependencies, url: str) -> None:
    pending(url)
    ran = taskflow(tools, "flows", "sweep", "--database", url, "--lost-after", "7200", "--json")
    assert (ran.code, json.loads(ran.out)) == (0, {"lost": 0, "cancelled": 0})
