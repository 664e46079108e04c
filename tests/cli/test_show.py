from __future__ import annotations

import json

import pytest

from adapters.cli import Dependencies
from domain.flow.commands import CreateFlow, RunTask
from domain.flow.status import Runtime, TaskStatus
from domain.flow.values import Json
from tests.cli.workbench import NOON, OWNER, Ran, flow_id, seeding, taskflow

FLOW = flow_id(1)
SHOWN = """\
Flow 00000000-0000-4000-8000-000000000001
Owner            agent:main:main
Controller       webhooks/zapier
Goal             Reconcile the invoices of November with the statements of the
                 bank
Status           running
Revision         3
Version          6
State            {"id": 12345678901234567890, "list": [1.5, null]}
Wait data        null
Notify           done_only
Created          2026-11-23T12:00:00.000Z
Updated          2026-11-23T12:00:05.000Z
Cancel requested 2026-11-23T12:00:05.000Z

Tasks, newest first
Task, text, news                          Status            Last report
────────────────────────────────────────────────────────────────────────────────
00000000-0000-4000-8000-000000000004      running           2026-11-23T12:00:04Z
Fetch the statements                      acp               agent main
> 3 of 12 are there
"""


def shown(tools: Dependencies, url: str, *argv: str) -> dict[str, object]:
    ran = taskflow(tools, "flows", "show", "--database", url, "--json", *argv)
    assert (ran.code, ran.err) == (0, "")
    document: dict[str, object] = json.loads(ran.out)
    return document


def test_a_flow_is_shown_with_its_tasks(tools: Dependencies, seeded: str) -> None:
    assert taskflow(tools, "flows", "show", FLOW, "--database", seeded) == Ran(0, SHOWN, "")


def test_a_flow_is_shown_with_the_history_that_audit_history_prints(
    tools: Dependencies, seeded: str
) -> None:
    history = taskflow(tools, "audit", "history", FLOW, "--database", seeded).out
    table, _, count = history.rpartition("\n\n")
    assert count == "6 events.\n"
    ran = taskflow(tools, "flows", "show", FLOW, "--database", seeded, "--history")
    assert ran == Ran(0, f"{SHOWN}\n{table}\n", "")


def test_a_flow_in_json_has_the_names_of_the_wire(tools: Dependencies, seeded: str) -> None:
    assert shown(tools, seeded, FLOW) == {
        "flow": {
            "flowId": FLOW,
            "syncMode": "managed",
            "controllerId": "webhooks/zapier",
            "revision": 3,
            "status": "running",
            "notifyPolicy": "done_only",
            "goal": "Reconcile the invoices of November with the statements of the bank",
            "stateJson": {"id": 12345678901234567890, "list": [1.5, None]},
            "waitJson": None,
            "cancelRequestedAt": NOON + 5000,
            "createdAt": NOON,
            "updatedAt": NOON + 5000,
            "owner": OWNER,
            "version": 6,
        },
        "tasks": [
            {
                "taskId": flow_id(4),
                "runtime": "acp",
                "parentFlowId": FLOW,
                "agentId": "main",
                "runId": "r1",
                "progressSummary": "3 of 12 are there",
                "scopeKind": "session",
                "task": "Fetch the statements",
                "status": "running",
                "deliveryStatus": "pending",
                "notifyPolicy": "done_only",
                "createdAt": NOON + 3000,
                "startedAt": NOON + 4000,
                "lastEventAt": NOON + 4000,
            }
        ],
    }


def test_a_history_in_json_has_the_events_of_audit_history(
    tools: Dependencies, seeded: str
) -> None:
    ran = taskflow(tools, "audit", "history", FLOW, "--database", seeded, "--json")
    events = json.loads(ran.out)["events"]
    assert len(events) == 6
    assert shown(tools, seeded, FLOW, "--history")["history"] == events


def test_a_flow_is_shown_as_it_was_after_an_event(tools: Dependencies, seeded: str) -> None:
    document = shown(tools, seeded, FLOW, "--version", "2", "--history")
    flow, history = document["flow"], document["history"]
    assert isinstance(flow, dict)
    assert isinstance(history, list)
    assert (flow["status"], flow["revision"], flow["version"]) == ("waiting", 1, 2)
    assert [step["event"] for step in history] == ["flow_created", "flow_began_waiting"]


def test_a_flow_that_does_not_exist_is_a_finding(tools: Dependencies, seeded: str) -> None:
    ran = taskflow(tools, "flows", "show", "nope", "--database", seeded)
    assert ran == Ran(1, "", "taskflow: there is no flow nope\n")


def test_a_flow_that_does_not_exist_is_null_in_json(tools: Dependencies, seeded: str) -> None:
    ran = taskflow(tools, "flows", "show", "nope", "--database", seeded, "--json")
    assert (ran.code, json.loads(ran.out)) == (1, {"flow": None, "tasks": []})


def test_a_version_that_a_flow_has_not_reached_is_a_finding(
    tools: Dependencies, seeded: str
) -> None:
    ran = taskflow(tools, "flows", "show", FLOW, "--database", seeded, "--version", "7")
    sentence = f"taskflow: flow {FLOW} has no version 7; its newest is version 6\n"
    assert ran == Ran(1, "", sentence)


def test_a_long_state_is_shown_over_several_lines(tools: Dependencies, url: str) -> None:
    with seeding(url) as bench:
        state = Json('{"first":"' + "x" * 40 + '","second":"\\u001b[31m"}')
        bench.execute(CreateFlow(goal="g", controller_id="c", state_json=state))
    ran = taskflow(tools, "flows", "show", FLOW, "--database", url)
    assert 'State      {\n             "first": "xxx' in ran.out
    assert '\n             "second": "\\u001b[31m"\n           }\n' in ran.out


@pytest.mark.parametrize("moment", [10**17, -(10**17)])
def test_news_from_a_year_beyond_any_calendar_can_be_shown(
    tools: Dependencies, url: str, moment: int
) -> None:
    with seeding(url) as bench:
        bench.execute(CreateFlow(goal="g", controller_id="c"))
        bench.execute(
            RunTask(
                flow_id=FLOW,
                runtime=Runtime.ACP,
                task="t",
                status=TaskStatus.RUNNING,
                last_event_at=moment,
            )
        )
    ran = taskflow(tools, "flows", "show", FLOW, "--database", url, "--history")
    assert (ran.code, ran.err) == (0, "")
    assert str(moment) in ran.out


def test_the_id_of_a_flow_is_whole_however_little_there_is_to_show(
    tools: Dependencies, url: str
) -> None:
    with seeding(url) as bench:
        bench.execute(CreateFlow(goal="g", controller_id="c"))
    ran = taskflow(tools, "flows", "show", FLOW, "--database", url)
    assert ran.out.splitlines()[0] == f"Flow {FLOW}"
