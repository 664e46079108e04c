from __future__ import annotations

import json
from pathlib import Path

import pytest

from adapters.cli import Dependencies
from domain.flow.commands import CancelFlow, CreateFlow, RunTask, UpdateTask
from domain.flow.ids import TaskId
from domain.flow.status import Runtime, TaskStatus
from tests.cli.damage import damage, spoil_event
from tests.cli.workbench import NOON, OWNER, ZAPIER, Ran, flow_id, seeding, taskflow

FLOW = flow_id(1)
TASK = flow_id(4)
HISTORY = f"""\
History of flow {FLOW}
When, version, revision    What changed, by whom
────────────────────────────────────────────────────────────────────────────────
2026-11-23T12:00:00.000Z   flow_created
version 1, revision 0      owner: "agent:main:main"
                           controllerId: "webhooks/zapier"
                           goal: "Reconcile the invoices of November with the
                           statements of the bank"
                           status: queued
                           notifyPolicy: done_only
                           createdAt: 2026-11-23T12:00:00.000Z
                           stateJson:
                           {{"id":12345678901234567890,"list":[1.5,null]}}
                           by route zapier, key 2026-01, from 203.0.113.7
                           request request-1
2026-11-23T12:00:01.000Z   flow_began_waiting
version 2, revision 1      status: queued -> waiting
                           currentStep: (nothing) -> "approval"
                           waitJson: (nothing) -> {{"kind":"reply"}}
                           by route zapier, key 2026-01, from 203.0.113.7
                           request request-1
2026-11-23T12:00:02.000Z   flow_resumed
version 3, revision 2      status: waiting -> running
                           currentStep: "approval" -> (nothing)
                           waitJson: {{"kind":"reply"}} -> null
                           by route zapier, key 2026-01, from 203.0.113.7
                           request request-1
2026-11-23T12:00:03.000Z   task_linked
version 4, revision 2      task {TASK}
                           runtime: acp
                           task: "Fetch the statements"
                           status: queued
                           agentId: "main"
                           notifyPolicy: done_only
                           createdAt: 2026-11-23T12:00:03.000Z
                           runId: "r1"
                           by route zapier, key 2026-01, from 203.0.113.7
                           request request-1
2026-11-23T12:00:04.000Z   task_started
version 5, revision 2      task {TASK}
                           status: queued -> running
                           startedAt: (nothing) -> 2026-11-23T12:00:04.000Z
                           progressSummary: (nothing) -> "3 of 12 are there"
                           by route zapier, key 2026-01, from 203.0.113.7
                           request request-1
2026-11-23T12:00:05.000Z   flow_cancel_requested
version 6, revision 3      cancelRequestedAt: (nothing) ->
                           2026-11-23T12:00:05.000Z
                           by route zapier, key 2026-01, from 203.0.113.7
                           request request-1

6 events.
"""


def audited(tools: Dependencies, url: str, *argv: str) -> dict[str, object]:
    ran = taskflow(tools, "audit", "history", "--database", url, "--json", *argv)
    assert (ran.code, ran.err) == (0, "")
    document: dict[str, object] = json.loads(ran.out)
    return document


def complaint(tools: Dependencies, url: str, *argv: str) -> str:
    ran = taskflow(tools, "audit", "history", "--database", url, *argv)
    assert (ran.code, ran.out) == (2, "")
    return ran.err


def test_a_history_says_what_each_event_changed_and_by_whom(
    tools: Dependencies, seeded: str
) -> None:
    assert taskflow(tools, "audit", "history", FLOW, "--database", seeded) == Ran(0, HISTORY, "")


def test_a_history_in_json_has_each_event_with_its_changes(
    tools: Dependencies, seeded: str
) -> None:
    document = audited(tools, seeded, FLOW)
    events = document["events"]
    assert isinstance(events, list)
    assert (document["flowId"], len(events)) == (FLOW, 6)
    assert events[2] == {
        "version": 3,
        "revision": 2,
        "event": "flow_resumed",
        "at": NOON + 2000,
        "recordedAt": NOON + 2000,
        "actor": {"kind": "route", "name": "zapier", "keyId": "2026-01"},
        "requestId": "request-1",
        "correlationId": "request-1",
        "causationId": "request-1",
        "remoteAddress": "203.0.113.7",
        "rules": 2,
        "data": {"status": "running", "currentStep": None},
        "changes": [
            {"field": "status", "before": "waiting", "after": "running"},
            {"field": "updatedAt", "before": NOON + 1000, "after": NOON + 2000},
            {"field": "latestAt", "before": NOON + 1000, "after": NOON + 2000},
            {"field": "version", "before": 2, "after": 3},
            {"field": "revision", "before": 1, "after": 2},
            {"field": "currentStep", "before": "approval"},
            {"field": "waitJson", "before": {"kind": "reply"}, "after": None},
        ],
    }


def test_an_event_that_another_one_caused_names_it(tools: Dependencies, url: str) -> None:
    with seeding(url) as bench:
        flow = bench.execute(CreateFlow(goal="g", controller_id="c")).flow.flow_id
        bench.execute(RunTask(flow_id=flow, runtime=Runtime.ACP, task="t"))
        bench.attempt(CancelFlow(flow_id=flow), OWNER, actor=ZAPIER)
        done = UpdateTask(flow_id=flow, task_id=TaskId(flow_id(2)), status=TaskStatus.SUCCEEDED)
        bench.execute(done)
    ran = taskflow(tools, "audit", "history", flow, "--database", url)
    assert ran.out.endswith(
        """\
version 5, revision 2      status: queued -> cancelled
                           waitJson: (nothing) -> null
                           endedAt: (nothing) -> 2026-11-23T12:00:03.000Z
                           by route zapier, key 2026-01, from 203.0.113.7
                           request request-1
                           caused by version 4

5 events.
"""
    )


@pytest.mark.parametrize("at", ["5", "r2", "2026-11-23T12:00:04Z", "2026-11-23T13:00:04.5+01:00"])
def test_a_flow_is_shown_as_it_was_at_a_point(tools: Dependencies, seeded: str, at: str) -> None:
    there = audited(tools, seeded, FLOW, "--at", at)
    then = taskflow(tools, "flows", "show", FLOW, "--version", "5", "--database", seeded, "--json")
    as_of = {"version": 5, "revision": 2, "at": NOON + 4000}
    assert there == {"asOf": as_of, **json.loads(then.out)}


def test_a_table_of_a_flow_as_it_was_ends_with_the_moment(tools: Dependencies, seeded: str) -> None:
    there = taskflow(tools, "audit", "history", FLOW, "--database", seeded, "--at", "2")
    then = taskflow(tools, "flows", "show", FLOW, "--database", seeded, "--version", "2")
    assert there == Ran(
        0, f"{then.out}\nAs of version 2, revision 1, 2026-11-23T12:00:01.000Z\n", ""
    )


def test_a_flow_that_does_not_exist_has_no_history(tools: Dependencies, seeded: str) -> None:
    assert complaint(tools, seeded, "nope") == "taskflow: there is no flow nope\n"


NEVER = {
    "7": f"flow {FLOW} has no version 7: its newest is 6",
    "r4": f"flow {FLOW} has no revision 4: its newest is 3",
    "2026-11-23T11:59:59.999Z": f"flow {FLOW} was not there at 2026-11-23T11:59:59.999Z:"
    " it was created at 2026-11-23T12:00:00.000Z",
    "yesterday": "argument --at: expected a version (7), a revision (r3) or a time in UTC"
    " (2026-11-26T10:00:00Z), found 'yesterday' (see: taskflow audit history --help)",
}


@pytest.mark.parametrize("at", NEVER)
def test_a_point_that_a_flow_never_reached_gets_a_sentence(
    tools: Dependencies, seeded: str, at: str
) -> None:
    assert complaint(tools, seeded, FLOW, "--at", at) == f"taskflow: {NEVER[at]}\n"


def test_a_damaged_event_is_named(tools: Dependencies, seeded: str, path: Path) -> None:
    spoil_event(path, FLOW, 3)
    sentence = complaint(tools, seeded, FLOW)
    assert sentence.startswith(
        f"taskflow: the store is damaged: event {FLOW}/3 (taskflow.flow_resumed.v1): "
    )
    assert sentence.count("\n") == 1


def test_an_event_that_is_missing_is_named(tools: Dependencies, seeded: str, path: Path) -> None:
    damage(path, "DELETE FROM stored_events WHERE originator_id = ? AND rowid = 3", FLOW)
    sentence = f"the store is damaged: flow {FLOW}: version 4 follows where 3 was due"
    assert complaint(tools, seeded, FLOW) == f"taskflow: {sentence}\n"


def test_json_that_was_spoilt_is_named(tools: Dependencies, seeded: str, path: Path) -> None:
    damage(
        path,
        "UPDATE stored_events SET state = CAST(replace(CAST(state AS TEXT), ?, ?) AS BLOB)"
        " WHERE rowid = 1",
        "[1.5,null]",
        "[1.5,nul!]",
    )
    place = f"event {FLOW}/1 (taskflow.flow_created.v1)"
    sentence = f"the store is damaged: {place}: stateJson is no JSON"
    assert complaint(tools, seeded, FLOW) == f"taskflow: {sentence}\n"
