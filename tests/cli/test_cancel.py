from __future__ import annotations

import json
from contextlib import closing

from adapters.cli import Dependencies
from adapters.store import open_for_reading, open_for_writing
from domain.application.recorded_events import RecordedEvent
from domain.flow.commands import CreateFlow, FinishFlow, RunTask
from domain.flow.events import FlowCancelled, TaskEnded
from domain.flow.ids import FlowId
from domain.flow.status import Runtime
from tests.cli.workbench import NOON, OPERATOR, STRANGER, Ran, flow_id, seeding, taskflow

HOUR = 3_600_000
CHILDREN, PLAIN = flow_id(1), flow_id(7)


def last_record(url: str, flow: FlowId) -> RecordedEvent:
    with closing(open_for_reading(url)) as store:
        return list(store.history(flow))[-1]


def test_a_flow_of_any_owner_is_cancelled_in_the_operators_name(
    tools: Dependencies, seeded: str
) -> None:
    ran = taskflow(tools, "flows", "cancel", PLAIN, "--database", seeded)
    assert ran == Ran(0, f"Flow {PLAIN} is cancelled, at revision 3.\n", "")
    assert last_record(seeded, FlowId(PLAIN)).metadata.actor == OPERATOR


def test_a_cancellation_in_json_is_that_of_the_wire_with_the_owner(
    tools: Dependencies, seeded: str
) -> None:
    ran = taskflow(tools, "flows", "cancel", PLAIN, "--database", seeded, "--json")
    assert (ran.code, ran.err) == (0, "")
    assert json.loads(ran.out) == {
        "found": True,
        "cancelled": True,
        "flow": {
            "flowId": PLAIN,
            "syncMode": "managed",
            "controllerId": "webhooks/desk",
            "revision": 3,
            "status": "cancelled",
            "notifyPolicy": "done_only",
            "goal": "Answer the customer",
            "waitJson": None,
            "cancelRequestedAt": NOON + HOUR,
            "createdAt": NOON + 6000,
            "updatedAt": NOON + HOUR,
            "endedAt": NOON + HOUR,
            "owner": STRANGER,
            "version": 4,
        },
        "tasks": [],
    }


def test_a_cancellation_waits_for_active_children(tools: Dependencies, seeded: str) -> None:
    ran = taskflow(tools, "flows", "cancel", CHILDREN, "--database", seeded)
    sentence = f"The cancellation of flow {CHILDREN} is pending; active child tasks: 1.\n"
    assert ran == Ran(0, sentence, "")


def test_a_pending_cancellation_has_the_code_of_the_wire(tools: Dependencies, seeded: str) -> None:
    ran = taskflow(tools, "flows", "cancel", CHILDREN, "--database", seeded, "--json")
    document = json.loads(ran.out)
    assert ran.code == 0
    assert document["cancelled"] is False
    assert document["code"] == "cancel_pending"
    assert document["reason"] == "One or more child tasks are still active."
    assert [task["status"] for task in document["tasks"]] == ["running"]


def test_an_operator_gives_up_the_children_of_a_flow_and_so_cancels_it(
    tools: Dependencies, seeded: str
) -> None:
    give_up = ("flows", "cancel", CHILDREN, "--database", seeded, "--give-up-children")
    before = last_record(seeded, CHILDREN).version
    ran = taskflow(tools, *give_up)
    sentence = f"Flow {CHILDREN} is cancelled, at revision 4. Given up: 1 child task.\n"
    assert ran == Ran(0, sentence, "")
    with closing(open_for_reading(seeded)) as store:
        done = [record for record in store.history(CHILDREN) if record.version > before]
    assert [type(record.event) for record in done] == [TaskEnded, FlowCancelled]
    assert {record.metadata.actor for record in done} == {OPERATOR}
    again = taskflow(tools, *give_up)
    sentence = f"taskflow: flow {CHILDREN} is not cancelled: Flow is already cancelled.\n"
    assert again == Ran(1, "", sentence)


def test_what_was_given_up_is_counted_in_json(tools: Dependencies, seeded: str) -> None:
    give_up = ("--database", seeded, "--give-up-children", "--json")
    ran = taskflow(tools, "flows", "cancel", CHILDREN, *give_up)
    document = json.loads(ran.out)
    assert (ran.code, document["cancelled"], document["lost"]) == (0, True, 1)
    lost = [task for task in document["tasks"] if task["status"] == "lost"]
    assert [task["error"] for task in lost] == ["given up by an operator"]
    plain = json.loads(taskflow(tools, "flows", "cancel", PLAIN, *give_up).out)
    assert (plain["cancelled"], plain["lost"]) == (True, 0)


def test_no_child_of_a_flow_that_has_ended_is_given_up(tools: Dependencies, url: str) -> None:
    with seeding(url) as bench:
        flow = bench.execute(CreateFlow(goal="g", controller_id="c")).flow
        bench.execute(RunTask(flow_id=flow.flow_id, runtime=Runtime.ACP, task="t"))
        bench.execute(FinishFlow(flow_id=flow.flow_id, expected_revision=0))
    ran = taskflow(tools, "flows", "cancel", flow.flow_id, "--database", url, "--give-up-children")
    assert ran.code == 1
    assert last_record(url, flow.flow_id).version == 3


def test_a_flow_that_has_ended_is_not_cancelled(tools: Dependencies, seeded: str) -> None:
    taskflow(tools, "flows", "cancel", PLAIN, "--database", seeded)
    ran = taskflow(tools, "flows", "cancel", PLAIN, "--database", seeded)
    sentence = f"taskflow: flow {PLAIN} is not cancelled: Flow is already cancelled.\n"
    assert ran == Ran(1, "", sentence)


def test_a_refusal_in_json_shows_the_flow_as_it_is(tools: Dependencies, seeded: str) -> None:
    taskflow(tools, "flows", "cancel", PLAIN, "--database", seeded)
    ran = taskflow(tools, "flows", "cancel", PLAIN, "--database", seeded, "--json")
    document = json.loads(ran.out)
    assert ran.code == 1
    assert document["flow"].pop("version") == 4
    assert (document["found"], document["cancelled"]) == (True, False)
    assert (document["code"], document["reason"]) == ("terminal", "Flow is already cancelled.")


def test_a_flow_that_does_not_exist_is_not_cancelled(tools: Dependencies, seeded: str) -> None:
    ran = taskflow(tools, "flows", "cancel", "nope", "--database", seeded, "--json")
    assert (ran.code, ran.err) == (1, "taskflow: there is no flow nope\n")
    assert json.loads(ran.out) == {
        "found": False,
        "cancelled": False,
        "code": "not_found",
        "reason": "Flow not found.",
    }


def test_nothing_is_cancelled_beside_a_process_that_writes(
    tools: Dependencies, seeded: str
) -> None:
    with closing(open_for_writing(seeded)):
        ran = taskflow(tools, "flows", "cancel", PLAIN, "--database", seeded)
    assert (ran.code, ran.out) == (2, "")
    assert "in use by another process" in ran.err
    assert last_record(seeded, FlowId(PLAIN)).version == 2
