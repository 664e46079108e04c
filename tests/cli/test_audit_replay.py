from __future__ import annotations

import json
from pathlib import Path

import pytest

from adapters.cli import Dependencies
from tests.cli.damage import edit
from tests.cli.workbench import Ran, flow_id, taskflow

SEEN = "Replayed 3 flows, 9 events, 0 request keys"


def test_a_healthy_store_has_no_finding(tools: Dependencies, seeded: str) -> None:
    ran = taskflow(tools, "audit", "replay", "--database", seeded)
    assert ran == Ran(0, f"{SEEN}: all agree.\n", "")


def test_findings_are_shown_and_are_the_exit_code(
    tools: Dependencies, seeded: str, path: Path
) -> None:
    edit(path, "DELETE FROM stored_events WHERE rowid=3")
    edit(path, "UPDATE flow_index SET status='running' WHERE position=9")
    ran = taskflow(tools, "audit", "replay", "--database", seeded)
    assert (ran.code, ran.err) == (1, "")
    assert ran.out.splitlines() == [
        "Findings",
        "Flow, version, position                Finding",
        "─" * 80,
        f"{flow_id(1)}   position_gap",
        "version 4, position 4                  position 3 is missing from the log before",
        "                                       it",
        f"{flow_id(1)}   gap",
        "version 4, position 4                  it stands where version 3 was due",
        f"{flow_id(9)}   index_differs",
        "position 9                             its index row differs in status",
        "",
        "3 findings: 1 position_gap, 1 gap, 1 index_differs.",
        "",
        "Replayed 3 flows, 8 events, 0 request keys: 3 findings.",
    ]


def test_findings_in_json_have_the_ids_that_prove_them(
    tools: Dependencies, seeded: str, path: Path
) -> None:
    edit(path, "UPDATE stored_events SET topic='made.up' WHERE rowid=8")
    ran = taskflow(tools, "audit", "replay", "--database", seeded, "--json")
    assert (ran.code, ran.err) == (1, "")
    assert json.loads(ran.out) == {
        "flows": 3,
        "events": 9,
        "requestKeys": 0,
        "counts": {"unknown_event": 1},
        "findings": [
            {
                "code": "unknown_event",
                "sentence": f"event {flow_id(7)}/2: no event is 'made.up'",
                "flowId": flow_id(7),
                "version": 2,
                "position": 8,
            }
        ],
        "adviceCounts": {},
        "advice": [],
    }


def test_flows_that_look_stuck_are_advice(tools: Dependencies, seeded: str) -> None:
    ran = taskflow(tools, "audit", "replay", "--database", seeded, "--stuck-after", "0")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines() == [
        "Advice",
        "Flow, last event                       Advice",
        "─" * 80,
        f"{flow_id(1)}   stuck",
        "2026-11-23T12:00:05Z                   it is to be cancelled, and nothing has",
        "                                       happened to it since",
        f"{flow_id(7)}   stuck",
        "2026-11-23T12:00:07Z                   it is blocked, and nothing has happened",
        "                                       to it since",
        "",
        "2 pieces of advice: 2 stuck.",
        "",
        f"{SEEN}: all agree.",
    ]


@pytest.mark.parametrize(("days", "advised"), [("0", 2), ("1", 0)])
def test_how_long_is_long_is_said_in_days(
    tools: Dependencies, seeded: str, days: str, advised: int
) -> None:
    ran = taskflow(tools, "audit", "replay", "--database", seeded, "--stuck-after", days, "--json")
    assert len(json.loads(ran.out)["advice"]) == advised


def test_a_row_of_other_types_than_ours_is_trouble(
    tools: Dependencies, seeded: str, path: Path
) -> None:
    edit(path, "UPDATE stored_events SET originator_version='first' WHERE rowid=1")
    ran = taskflow(tools, "audit", "replay", "--database", seeded)
    complaint = "the event at position 1: its version or state is not of the type that we write"
    assert ran == Ran(2, "", f"taskflow: {complaint}\n")
