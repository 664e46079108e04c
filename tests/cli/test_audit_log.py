from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from adapters.cli import Dependencies
from domain.flow.commands import CreateFlow
from tests.cli.damage import spoil_event
from tests.cli.workbench import NOON, OWNER, STRANGER, Ran, flow_id, seeding, taskflow

FLOW, OTHER, LAST = flow_id(1), flow_id(7), flow_id(9)


def log(tools: Dependencies, url: str, *argv: str) -> Ran:
    return taskflow(tools, "audit", "log", "--database", url, *argv)


def logged(tools: Dependencies, url: str, *argv: str) -> list[dict[str, Any]]:
    ran = log(tools, url, "--json", *argv)
    assert (ran.code, ran.err) == (0, "")
    return [json.loads(line) for line in ran.out.splitlines()]


def positions(tools: Dependencies, url: str, *argv: str) -> list[int]:
    return [event["position"] for event in logged(tools, url, *argv)]


def test_a_log_lists_the_events_of_all_flows_in_order(tools: Dependencies, seeded: str) -> None:
    events = logged(tools, seeded)
    assert [(e["position"], e["flowId"], e["version"]) for e in events] == [
        *((version, FLOW, version) for version in range(1, 7)),
        (7, OTHER, 1),
        (8, OTHER, 2),
        (9, LAST, 1),
    ]
    assert events[7] == {
        "position": 8,
        "flowId": OTHER,
        "owner": STRANGER,
        "status": "blocked",
        "version": 2,
        "revision": 1,
        "event": "flow_became_blocked",
        "at": NOON + 7000,
        "recordedAt": NOON + 7000,
        "actor": {"kind": "route", "name": "zapier", "keyId": "2026-01"},
        "requestId": "request-1",
        "correlationId": "request-1",
        "causationId": "request-1",
        "remoteAddress": "203.0.113.7",
        "rules": 2,
        "data": {"blockedSummary": "no address"},
    }


def test_a_log_for_people_says_what_happened_and_how_the_flow_stands(
    tools: Dependencies, seeded: str
) -> None:
    told = f"""\
Log
Position, when             Flow, what, how it stands, by whom
────────────────────────────────────────────────────────────────────────────────
8                          {OTHER} version 2
2026-11-23T12:00:07.000Z   became blocked: because "no address"
                           blocked, revision 1, owner agent:support:desk
                           by route zapier, key 2026-01, from 203.0.113.7
                           request request-1

1 event, and there are more: --cursor 9
"""
    assert log(tools, seeded, "--cursor", "8", "--limit", "1") == Ran(0, told, "")


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ("--owner agent:support:desk", [7, 8]),
        ("--owner agent:main:main --event flow_created", [1, 9]),
        ("--route zapier --cursor 7", [7, 8, 9]),
        ("--route ada", []),
        ("--event task_started", [5]),
        ("--status running", [3, 4, 5, 6]),
        ("--status running --cursor 5", [5, 6]),
        ("--status blocked --owner agent:main:main", []),
        ("--since 2026-11-23T12:00:07Z", [8, 9]),
        ("--until 2026-11-23T12:00:01Z", [1]),
        ("--since 2026-11-23T12:00:01Z --until 2026-11-23T12:00:03Z", [2, 3]),
        ("--since 2026-11-24", []),
        ("--cursor 10", []),
    ],
)
def test_a_log_can_be_filtered(
    tools: Dependencies, seeded: str, filters: str, found: list[int]
) -> None:
    assert positions(tools, seeded, *filters.split()) == found


def test_a_log_that_was_cut_goes_on_at_its_cursor(tools: Dependencies, seeded: str) -> None:
    pages = [
        logged(tools, seeded, "--owner", OWNER, "--limit", "3", "--cursor", cursor)
        for cursor in ("1", "4", "9")
    ]
    assert [page[-1].get("nextCursor") for page in pages] == ["4", "9", None]
    assert [[e["position"] for e in page if "position" in e] for page in pages] == [
        [1, 2, 3],
        [4, 5, 6],
        [9],
    ]


def test_a_log_without_events_says_so(tools: Dependencies, seeded: str) -> None:
    assert log(tools, seeded, "--route", "nobody") == Ran(0, "No events.\n", "")


def test_a_long_table_has_one_head(tools: Dependencies, url: str) -> None:
    with seeding(url) as bench:
        for _ in range(201):
            bench.execute(CreateFlow(goal="g", controller_id="c"))
    out = log(tools, url, "--limit", "1000").out
    assert (out.count("Position, when"), out.count(" version 1\n")) == (1, 201)
    assert out.endswith("\n\n201 events.\n")
    assert "\n\n" not in out.removesuffix("\n\n201 events.\n")


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (("--event", "flow_lost"), "argument --event: expected one of flow_created, "),
        (("--status", "lost"), "argument --status: expected one of queued, "),
        (("--since", "noon"), "argument --since: expected a time in UTC such as "),
        (("--cursor", "0"), "argument --cursor: expected a number from 1 to "),
    ],
)
def test_a_wrong_filter_gets_a_sentence(
    tools: Dependencies, seeded: str, argv: tuple[str, str], sentence: str
) -> None:
    ran = log(tools, seeded, *argv)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"taskflow: {sentence}")


def test_a_file_that_is_no_store_gets_a_sentence(tools: Dependencies, path: Path, url: str) -> None:
    path.write_text("no store")
    ran = log(tools, url)
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)


@pytest.mark.parametrize(("options", "shown"), [(["--json"], '"position": 2,'), ([], "began wait")])
def test_a_damaged_event_is_named_after_those_before_it(
    tools: Dependencies, seeded: str, path: Path, options: list[str], shown: str
) -> None:
    spoil_event(path, FLOW, 3)
    ran = log(tools, seeded, *options)
    assert (ran.code, ran.out.count(shown), ran.err.count("\n")) == (2, 1, 1)
    assert "resumed" not in ran.out
    assert ran.err.startswith(f"taskflow: the store is damaged: event {FLOW}/3 ")


def test_a_log_reads_no_further_than_it_has_to(
    tools: Dependencies, seeded: str, path: Path
) -> None:
    spoil_event(path, FLOW, 4)
    assert log(tools, seeded, "--limit", "2").code == 0
    assert log(tools, seeded, "--limit", "3").code == 2
