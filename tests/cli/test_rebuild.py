from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

from adapters.cli import Dependencies
from adapters.store import open_for_writing
from tests.cli.damage import edit
from tests.cli.workbench import Ran, taskflow


def test_a_healthy_store_has_nothing_to_mend(tools: Dependencies, seeded: str) -> None:
    ran = taskflow(tools, "store", "rebuild", "--database", seeded)
    assert ran == Ran(0, "Folded 3 flows from the events: nothing had to change.\n", "")


def test_a_rebuild_says_what_it_mended(tools: Dependencies, seeded: str, path: Path) -> None:
    damage(path)
    ran = taskflow(tools, "store", "rebuild", "--database", seeded)
    assert (ran.code, ran.err) == (0, "")
    assert sorted(ran.out.splitlines()) == [
        "  flow_filters: 0 rows",
        "  flow_index: 3 rows",
        "  flow_names: 0 rows",
        "  flow_tasks: 0 rows",
        "  flow_values: 0 rows",
        "  flow_views: 0 rows",
        "  flow_waits: 0 rows",
        "  past_flows: 0 rows",
        "  request_keys: 0 rows",
        "  resume_links: 0 rows",
        "  stored_snapshots: 1 row",
        "Folded 3 flows from the events, and corrected:",
    ]
    assert "nothing had" in taskflow(tools, "store", "rebuild", "--database", seeded).out


def test_a_rebuild_in_json_counts_the_mended_rows(
    tools: Dependencies, seeded: str, path: Path
) -> None:
    damage(path)
    ran = taskflow(tools, "store", "rebuild", "--database", seeded, "--json")
    assert ran.code == 0
    assert json.loads(ran.out) == {
        "flows": 3,
        "changed": {
            "flowNames": 0,
            "flowFilters": 0,
            "flowWaits": 0,
            "resumeLinks": 0,
            "flowTasks": 0,
            "flowValues": 0,
            "storedSnapshots": 1,
            "flowIndex": 3,
            "flowViews": 0,
            "pastFlows": 0,
            "requestKeys": 0,
        },
    }


def test_a_store_in_use_is_not_rebuilt(tools: Dependencies, seeded: str) -> None:
    with closing(open_for_writing(seeded)):
        ran = taskflow(tools, "store", "rebuild", "--database", seeded)
    assert (ran.code, ran.out) == (2, "")
    assert "in use by another process" in ran.err


def test_a_store_whose_events_do_not_fold_is_not_rebuilt(
    tools: Dependencies, seeded: str, path: Path
) -> None:
    edit(path, "DELETE FROM stored_events WHERE originator_version = 2")
    ran = taskflow(tools, "store", "rebuild", "--database", seeded)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.endswith("version 3 follows where 2 was due\n")


def damage(path: Path) -> None:
    edit(
        path, "DELETE FROM flow_index", "DELETE FROM stored_snapshots WHERE originator_version = 6"
    )
