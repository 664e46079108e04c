"""The benchmark runs, and leaves what it promises; how fast anything is, is no matter here."""

from __future__ import annotations

from pathlib import Path

import pytest
from attrs import evolve

from bench.__main__ import run
from bench.aims import Verdict, verdicts
from bench.figures import Ceiling, Disk, Figure, Machine, Memory, Report, read
from bench.plan import Plan, Sizes
from bench.tables import markdown, write_between

TINY = Plan(
    sizes=Sizes(events=3, flows=12, page=11),
    connections=(1, 4),
    rounds=1,
    seconds=0.02,
    requests=10,
    starts=1,
)
MEASURED = {
    *("create_flow", "get_flow", "find_latest_flow", "set_waiting / resume_flow"),
    *("list_flows", "list_flows, limit 10"),
}


def test_a_tiny_run_leaves_figures_of_every_action_and_a_picture(tmp_path: Path) -> None:
    run(TINY, tmp_path)
    report = read(tmp_path / "http.json")
    disks = {"as it is"} if report.left_out else {"as it is", "slowed"}
    combinations = {(f.action, f.disk, f.connections) for f in report.figures}
    assert combinations == {(a, d, c) for a in MEASURED for d in disks for c in (1, 4)}
    assert len(report.figures) == 11 * len(disks) * 2
    assert all(f.requests and f.per_second and f.share for f in report.figures)
    assert [ceiling.connections for ceiling in report.ceilings] == [1, 4]
    assert report.memory.requests >= TINY.requests
    assert report.ready_seconds > 0
    assert (tmp_path / "http.png").read_bytes().startswith(b"\x89PNG")


def figure(disk: Disk, connections: int, per_second: float, share: float) -> Figure:
    """Return a figure of `create_flow`."""
    return Figure(
        action="create_flow",
        on="a new owner",
        durable=True,
        disk=disk,
        connections=connections,
        requests=100,
        per_second=per_second,
        p50_ms=0.5,
        p99_ms=1.5,
        share=share,
    )


REPORT = Report(
    machine=Machine(date="2026-11-23", python="3.11.7", sqlite="3.40.1", system="Linux", cpus=2),
    plan=TINY,
    ceilings=(Ceiling(connections=4, per_second=8000.0, p50_ms=0.4, p99_ms=1.0),),
    figures=(
        figure("as it is", 4, 2000.0, 0.25),
        figure("slowed", 1, 300.0, 0.1),
        figure("slowed", 16, 960.0, 0.2),
    ),
    memory=Memory(ready_mb=40.0, requests=10, after_mb=125.5),
    ready_seconds=0.5,
    left_out=None,
)


def test_an_aim_is_reached_or_the_distance_is_said() -> None:
    assert list(verdicts(REPORT)) == [
        Verdict("`create_flow` at 45% of the ceiling, 4 connections", "25%", "20 points"),
        Verdict(
            "`create_flow` with slowed syncs: 3 times as many with 16 connections as with 1",
            "3.2 times",
            None,
        ),
        Verdict("memory below 120 MB after 10 requests", "126 MB", "5.5 MB"),
        Verdict("ready in less than a second", "0.5 s", None),
    ]


def test_a_page_gets_the_tables_between_its_markers(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text("before\n<!-- bench -->\nold\n<!-- /bench -->\nafter\n", encoding="utf-8")
    plain = evolve(REPORT, figures=REPORT.figures[:1], left_out="there is no compiler")
    write_between(page, "bench", markdown(plain))
    text = page.read_text(encoding="utf-8")
    assert text.startswith("before\n<!-- bench -->\n\n")
    assert text.endswith("\n<!-- /bench -->\nafter\n")
    assert "| `create_flow`, a new owner | 2,000 (25%) | 0.5 | 1.5 |\n" in text
    assert "Left out, with every sync 2 ms slower: there is no compiler." in text
    assert "old" not in text


def test_a_page_without_markers_is_left_alone(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text("nothing\n", encoding="utf-8")
    with pytest.raises(SystemExit, match="has no <!-- bench -->"):
        write_between(page, "bench", "tables")
    assert page.read_text(encoding="utf-8") == "nothing\n"
