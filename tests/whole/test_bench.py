"""The benchmark runs, and leaves what it promises; how fast anything is, is no matter here."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.__main__ import run
from bench.figures import Report, read
from bench.plan import Plan, Sizes
from bench.tables import BEGIN, END, write_readme

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


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a tiny run, once for all tests here."""
    folder = tmp_path_factory.mktemp("bench")
    run(TINY, folder)
    return folder


@pytest.fixture
def report(out: Path) -> Report:
    """Read the raw figures of that run."""
    return read(out / "http.json")


def test_every_action_is_measured_with_every_number_of_connections(report: Report) -> None:
    disks = {"as it is"} if report.left_out else {"as it is", "slowed"}
    combinations = {(f.action, f.disk, f.connections) for f in report.figures}
    assert combinations == {(a, d, c) for a in MEASURED for d in disks for c in (1, 4)}
    assert len(report.figures) == 11 * len(disks) * 2


def test_every_figure_stands_for_answered_requests(report: Report) -> None:
    assert all(f.requests and f.per_second and f.share for f in report.figures)
    assert [ceiling.connections for ceiling in report.ceilings] == [1, 4]
    assert report.memory.requests >= TINY.requests
    assert report.ready_seconds > 0


def test_a_picture_is_drawn(out: Path) -> None:
    assert (out / "http.png").read_bytes().startswith(b"\x89PNG")


def test_the_readme_gets_the_tables_between_its_markers(report: Report, tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", encoding="utf-8")
    write_readme(readme, report)
    text = readme.read_text(encoding="utf-8")
    assert text.startswith(f"before\n{BEGIN}\n\n")
    assert text.endswith(f"\n{END}\nafter\n")
    assert "| `get_flow`, a flow of 3 |" in text
    assert "old" not in text


def test_a_readme_without_markers_is_left_alone(report: Report, tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("nothing\n", encoding="utf-8")
    with pytest.raises(SystemExit, match="has no <!-- bench -->"):
        write_readme(readme, report)
    assert readme.read_text(encoding="utf-8") == "nothing\n"
