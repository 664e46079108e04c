from __future__ import annotations

import json

from adapters.cli import Dependencies
from tests.cli.workbench import NOON, Ran, flow_id, taskflow

FLOW = flow_id(1)
TASK = flow_id(4)
DIFF = f"""\
Flow
Field               Before                         After
────────────────────────────────────────────────────────────────────────────────
status              waiting                        running
updatedAt           2026-11-23T12:00:01.000Z       2026-11-23T12:00:02.000Z
latestAt            2026-11-23T12:00:01.000Z       2026-11-23T12:00:04.000Z
version             2                              5
revision            1                              2
currentStep         "approval"                     (nothing)
waitJson            {{"kind":"reply"}}               null

Task {TASK}
Field               Before                         After
────────────────────────────────────────────────────────────────────────────────
runtime             (nothing)                      acp
task                (nothing)                      "Fetch the statements"
status              (nothing)                      running
agentId             (nothing)                      "main"
notifyPolicy        (nothing)                      done_only
createdAt           (nothing)                      2026-11-23T12:00:03.000Z
lastEventAt         (nothing)                      2026-11-23T12:00:04.000Z
heardAt             (nothing)                      2026-11-23T12:00:04.000Z
startedAt           (nothing)                      2026-11-23T12:00:04.000Z
runId               (nothing)                      "r1"
progressSummary     (nothing)                      "3 of 12 are there"

Before: version 2, revision 1, 2026-11-23T12:00:01.000Z
After:  version 5, revision 2, 2026-11-23T12:00:04.000Z
"""


def diff(tools: Dependencies, url: str, *argv: str) -> Ran:
    return taskflow(tools, "audit", "diff", *argv, "--database", url)


def test_what_changed_between_two_points_stands_side_by_side(
    tools: Dependencies, seeded: str
) -> None:
    assert diff(tools, seeded, FLOW, "r1", "r2") == Ran(0, DIFF, "")


def test_the_second_point_may_be_the_earlier(tools: Dependencies, seeded: str) -> None:
    ran = diff(tools, seeded, FLOW, "2026-11-23T12:00:01Z", "1", "--json")
    assert (ran.code, json.loads(ran.out)) == (
        0,
        {
            "flowId": FLOW,
            "from": {"version": 2, "revision": 1, "at": NOON + 1000},
            "to": {"version": 1, "revision": 0, "at": NOON},
            "changes": [
                {"field": "status", "before": "waiting", "after": "queued"},
                {"field": "updatedAt", "before": NOON + 1000, "after": NOON},
                {"field": "latestAt", "before": NOON + 1000, "after": NOON},
                {"field": "version", "before": 2, "after": 1},
                {"field": "revision", "before": 1, "after": 0},
                {"field": "currentStep", "before": "approval"},
                {"field": "waitJson", "before": {"kind": "reply"}},
            ],
        },
    )


def test_a_point_does_not_differ_from_itself(tools: Dependencies, seeded: str) -> None:
    same = "version 1, revision 0, 2026-11-23T12:00:00.000Z"
    told = f"Nothing differs.\n\nBefore: {same}\nAfter:  {same}\n"
    assert diff(tools, seeded, FLOW, "1", "r0") == Ran(0, told, "")


def test_a_point_that_a_flow_never_reached_gets_a_sentence(
    tools: Dependencies, seeded: str
) -> None:
    sentence = f"taskflow: flow {FLOW} has no version 9: its newest is 6\n"
    assert diff(tools, seeded, FLOW, "1", "9") == Ran(2, "", sentence)
    assert diff(tools, seeded, "nope", "1", "9") == Ran(2, "", "taskflow: there is no flow nope\n")
    assert diff(tools, seeded, FLOW, "1", "now").err.startswith(
        "taskflow: argument B: expected a version (7), a revision (r3) or a time in UTC"
    )
