from __future__ import annotations

import json
from pathlib import Path

import pytest

from adapters.cli import Dependencies
from domain.flow.commands import CreateFlow
from tests.cli.workbench import NOON, OWNER, STRANGER, Ran, flow_id, seeding, taskflow

TABLE = """\
Flows
Flow, goal                            Status            Updated, owner
────────────────────────────────────────────────────────────────────────────────
00000000-0000-4000-8000-000000000009  queued            2026-11-23T12:00:08Z
Sleep                                 revision 0        agent:main:main
00000000-0000-4000-8000-000000000007  blocked           2026-11-23T12:00:07Z
Answer the customer                   revision 1        agent:support:desk
00000000-0000-4000-8000-000000000001  running           2026-11-23T12:00:05Z
Reconcile the invoices of November …  revision 3        agent:main:main
                                      cancel requested

3 flows.
"""


def listed(tools: Dependencies, *argv: str) -> list[str]:
    ran = taskflow(tools, "flows", "list", "--json", *argv)
    assert (ran.code, ran.err) == (0, "")
    return [flow["flowId"] for flow in json.loads(ran.out)["flows"]]


def test_flows_of_all_owners_are_listed_newest_first(tools: Dependencies, seeded: str) -> None:
    assert taskflow(tools, "flows", "list", "--database", seeded) == Ran(0, TABLE, "")


def test_a_list_in_json_has_the_names_of_the_wire_and_the_owner(
    tools: Dependencies, seeded: str
) -> None:
    ran = taskflow(tools, "flows", "list", "--database", seeded, "--owner", STRANGER, "--json")
    assert ran.code == 0
    assert json.loads(ran.out) == {
        "flows": [
            {
                "flowId": flow_id(7),
                "syncMode": "managed",
                "controllerId": "webhooks/desk",
                "blockedSummary": "no address",
                "revision": 1,
                "status": "blocked",
                "notifyPolicy": "done_only",
                "goal": "Answer the customer",
                "createdAt": NOON + 6000,
                "updatedAt": NOON + 7000,
                "owner": STRANGER,
                "version": 2,
            }
        ]
    }


def test_a_list_can_be_of_one_owner(tools: Dependencies, seeded: str) -> None:
    assert listed(tools, "--database", seeded, "--owner", OWNER) == [flow_id(9), flow_id(1)]


def test_a_list_can_be_of_one_status(tools: Dependencies, seeded: str) -> None:
    assert listed(tools, "--database", seeded, "--status", "running") == [flow_id(1)]


def test_a_cut_list_goes_on_at_its_cursor(tools: Dependencies, seeded: str) -> None:
    ran = taskflow(tools, "flows", "list", "--database", seeded, "--limit", "2")
    assert ran.out.endswith("\n\n2 flows, and there are more: --cursor 7\n")
    assert listed(tools, "--database", seeded, "--cursor", "7") == [flow_id(1)]


def test_a_cut_list_in_json_has_the_cursor_of_the_rest(tools: Dependencies, seeded: str) -> None:
    ran = taskflow(tools, "flows", "list", "--database", seeded, "--limit", "2", "--json")
    assert json.loads(ran.out)["nextCursor"] == "7"


def test_a_list_without_flows_says_so(tools: Dependencies, seeded: str) -> None:
    ran = taskflow(tools, "flows", "list", "--database", seeded, "--owner", "nobody")
    assert ran == Ran(0, "No flows.\n", "")


def test_a_list_shows_fifty_flows_unless_it_is_told_otherwise(
    tools: Dependencies, url: str
) -> None:
    with seeding(url) as bench:
        for number in range(51):
            bench.execute(CreateFlow(goal=f"goal {number}", controller_id="c"))
    assert len(listed(tools, "--database", url)) == 50
    assert len(listed(tools, "--database", url, "--limit", "1000")) == 51


def test_the_store_may_be_that_of_a_configuration(
    tools: Dependencies, seeded: str, tmp_path: Path
) -> None:
    config = tmp_path / "gateway.json5"
    config.write_text(seeded, encoding="utf-8")
    assert len(listed(tools, "--config", str(config))) == 3


def test_a_database_goes_before_a_configuration(
    tools: Dependencies, seeded: str, tmp_path: Path
) -> None:
    config = tmp_path / "gateway.json5"
    config.write_text(f"sqlite:///{tmp_path}/none.db", encoding="utf-8")
    assert len(listed(tools, "--config", str(config), "--database", seeded)) == 3


@pytest.mark.parametrize(
    "goal", ["\x1b[31mred\x07", "two\nlines", "[bold]no[/bold] :smile:", "\u202eo"]
)
def test_a_goal_plays_no_tricks_on_a_terminal(tools: Dependencies, url: str, goal: str) -> None:
    with seeding(url) as bench:
        bench.execute(CreateFlow(goal=goal, controller_id="c"))
    written_out = goal.encode("unicode_escape").decode("ascii")
    ran = taskflow(tools, "flows", "list", "--database", url)
    assert ran.out.splitlines()[4].startswith(f"{written_out}  ")
    assert taskflow(tools, "flows", "list", "--database", url, "--json").out.isascii()


def test_wide_characters_keep_the_columns_in_place(tools: Dependencies, url: str) -> None:
    with seeding(url) as bench:
        bench.execute(CreateFlow(goal="日本語の目標" * 5, controller_id="c"))
    row = taskflow(tools, "flows", "list", "--database", url).out.splitlines()[4]
    assert row == "日本語の目標日本語の目標日本語の目 …  revision 0        agent:main:main"
