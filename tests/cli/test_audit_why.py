from __future__ import annotations

import json

import pytest

from adapters.cli import Dependencies
from domain.flow.commands import CreateFlow, SetWaiting
from domain.flow.values import Json
from tests.cli.workbench import NOON, Ran, flow_id, seeding, taskflow

FLOW = flow_id(1)
TASK = flow_id(4)


def why(tools: Dependencies, url: str, *argv: str) -> Ran:
    return taskflow(tools, "audit", "why", *argv, "--database", url)


def test_the_event_that_gave_a_field_its_value_is_named(tools: Dependencies, seeded: str) -> None:
    told = """\
Why waitJson is what it is
Value     null
Before    {"kind":"reply"}
Seen at   version 6, revision 3, 2026-11-23T12:00:05.000Z
Given by  flow_resumed
Given at  version 3, revision 2, 2026-11-23T12:00:02.000Z
Actor     route zapier
Key       2026-01
Request   request-1
Address   203.0.113.7
Caused by the request
"""
    assert why(tools, seeded, FLOW, "waitJson") == Ran(0, told, "")


def test_a_field_is_explained_as_of_a_point(tools: Dependencies, seeded: str) -> None:
    ran = why(tools, seeded, FLOW, "waitJson", "--at", "r1")
    assert 'Value     {"kind": "reply"}\n' in ran.out
    assert "Given by  flow_began_waiting\nGiven at  version 2, revision 1, " in ran.out


def test_a_field_of_a_task_is_explained_in_json(tools: Dependencies, seeded: str) -> None:
    ran = why(tools, seeded, FLOW, f"tasks[{TASK}].status", "--json")
    assert (ran.code, json.loads(ran.out)) == (
        0,
        {
            "flowId": FLOW,
            "field": f"tasks[{TASK}].status",
            "before": "queued",
            "value": "running",
            "seenAt": {"version": 6, "revision": 3, "at": NOON + 5000},
            "givenBy": {
                "version": 5,
                "revision": 2,
                "event": "task_started",
                "at": NOON + 4000,
                "recordedAt": NOON + 4000,
                "actor": {"kind": "route", "name": "zapier", "keyId": "2026-01"},
                "requestId": "request-1",
                "correlationId": "request-1",
                "causationId": "request-1",
                "remoteAddress": "203.0.113.7",
                "rules": 2,
                "data": {"taskId": TASK, "progressSummary": "3 of 12 are there"},
            },
            "saidAgainBy": [],
        },
    )


def test_who_said_the_same_again_is_named_too(tools: Dependencies, url: str) -> None:
    with seeding(url) as bench:
        flow = bench.execute(CreateFlow(goal="g", controller_id="c")).flow.flow_id
        for revision in range(8):
            wait = SetWaiting(flow_id=flow, expected_revision=revision, wait_json=Json("1"))
            bench.execute(wait)
    told = """\
Given by   flow_began_waiting
Given at   version 2, revision 1, 2026-11-23T12:00:01.000Z
Actor      route zapier
Key        2026-01
Request    request-1
Address    203.0.113.7
Caused by  the request
Said again version 3, revision 2, 2026-11-23T12:00:02.000Z
           version 4, revision 3, 2026-11-23T12:00:03.000Z
           version 5, revision 4, 2026-11-23T12:00:04.000Z
           version 6, revision 5, 2026-11-23T12:00:05.000Z
           version 7, revision 6, 2026-11-23T12:00:06.000Z
           and 2 times more, shown by --json
"""
    assert why(tools, url, flow, "waitJson").out.endswith(told)
    again = json.loads(why(tools, url, flow, "waitJson", "--json").out)["saidAgainBy"]
    assert [event["version"] for event in again] == [3, 4, 5, 6, 7, 8, 9]


@pytest.mark.parametrize("at", ["3", "6"])
def test_a_field_that_is_not_there_gets_a_sentence_with_those_that_are(
    tools: Dependencies, seeded: str, at: str
) -> None:
    ran = why(tools, seeded, FLOW, "state_json", "--at", at)
    beginning = f"taskflow: flow {FLOW} has no field state_json; it has flowId, owner, "
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(beginning)
    assert ("as tasks[TASK].status: runtime, task, status, " in ran.err) == (at == "6")


def test_a_flow_that_does_not_exist_gets_a_sentence(tools: Dependencies, seeded: str) -> None:
    ran = why(tools, seeded, "nope", "status")
    assert ran == Ran(2, "", "taskflow: there is no flow nope\n")
