"""The benchmark runs, and leaves what it promises; how fast anything is, is no matter here."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from attrs import evolve

from bench.__main__ import run
from bench.aims import Verdict, verdicts
from bench.bare import IN_THE_LOOP
from bench.figures import (
    Ceiling,
    Comparison,
    Disk,
    Figure,
    Machine,
    Memory,
    Peer,
    Report,
    Side,
    read,
)
from bench.gateway import running
from bench.generator import Generator, Script, compiled
from bench.peer import rivalry
from bench.plan import Plan, Sizes
from bench.tables import markdown, summary, write_between

TINY = Plan(
    sizes=Sizes(events=3, flows=12, page=11, fresh=3, parents=2, children=5),
    connections=(1, 4),
    rounds=1,
    seconds=0.02,
    requests=10,
    starts=1,
    peer=False,
)
needs_a_compiler = pytest.mark.skipif(shutil.which("cc") is None, reason="the load is in C")
MEASURED = {
    *("create_flow", "get_flow", "find_latest_flow", "set_waiting / resume_flow"),
    *("list_flows", "list_flows, limit 10"),
}


@needs_a_compiler
def test_a_tiny_run_leaves_figures_of_every_action_and_a_picture(tmp_path: Path) -> None:
    run(TINY, tmp_path)
    report = read(tmp_path / "http.json")
    combinations = {(f.action, f.connections) for f in report.figures if f.disk == "as it is"}
    assert combinations == {(action, count) for action in MEASURED for count in (1, 4)}
    slowed = [f for f in report.figures if f.disk == "slowed"]
    assert len(report.figures) - len(slowed) == 11 * 2
    assert len(slowed) == (0 if report.left_out else 4 * 2)
    assert all(f.durable for f in slowed)
    assert all(f.requests and f.per_second and f.share for f in report.figures)
    assert report.peer.left_out == "it was not asked for"
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


def comparison(action: str, flows: int, connections: int, ours: float) -> Comparison:
    """Return a figure beside a reference that answers 1,000 a second in 100 µs each."""

    def side(per_second: float, cpu_us: float) -> Side:
        return Side(per_second=per_second, p50_ms=0.5, p99_ms=1.5, cpu_us=cpu_us, written=4096.0)

    return Comparison(
        action=action,
        on="",
        flows=flows,
        connections=connections,
        ours=side(ours, 120.0),
        reference=side(1000.0, 100.0),
    )


BESIDE = (
    comparison("create_flow", 0, 4, 1250.0),
    comparison("create_flow", 0, 16, 1200.0),
    comparison("create_flow", 100_000, 4, 1100.0),
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
    memory=Memory(ready_mb=40.0, requests=10, after_mb=85.5),
    ready_seconds=0.3,
    left_out=None,
    peer=Peer(version="1.0", left_out=None, generator_us=11.0, comparisons=BESIDE),
)


PLAIN = evolve(REPORT, figures=REPORT.figures[:1], left_out="there is no compiler")


def test_an_aim_is_reached_or_the_distance_is_said() -> None:
    assert list(verdicts(REPORT)) == [
        Verdict(
            "`create_flow`: 1.10/1.30 times the reference's rate, 4/16 conn.", "1.25/1.20", "0/0.10"
        ),
        Verdict(
            "`create_flow`, beside 100,000 flows: 1.00 times the reference's rate, 4 conn.",
            "1.10",
            None,
        ),
        Verdict(
            "`create_flow`: processor time at most 1.00 of the reference's, 16 conn.",
            "1.20",
            "0.20",
        ),
        Verdict(
            "`create_flow` with slowed syncs: 3 times as many with 16 connections as with 1",
            "3.2 times",
            None,
        ),
        Verdict("memory below 80 MB after 10 requests", "85.5 MB", "5.5 MB"),
        Verdict("ready in half a second", "0.3 s", None),
    ]


def test_the_tables_show_both_sides() -> None:
    text = markdown(PLAIN)
    small = "| `create_flow` | 1,250 / 1,000 (1.25) | 1,200 / 1,000 (1.20) | 120 / 100 (1.20) | "
    assert small in text
    assert "| `create_flow`, beside 100,000 flows | 1,100 / 1,000 (1.10) | 120 / 100" in text


def test_the_readme_gets_figures_that_are_in_the_tables() -> None:
    text = summary(REPORT)
    assert "1,250 requests a second with 4 connections, synced, 1.25 times the rate" in text
    alone = evolve(REPORT, peer=Peer(version="1.0", left_out="npm is not installed"))
    assert "`create_flow`: 2,000 requests a second with 4 connections, synced;" in summary(alone)


def test_without_the_reference_the_page_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    said: list[str] = []
    with rivalry(
        tmp_path, Generator(tmp_path / "load"), evolve(TINY, peer=True), said.append
    ) as it:
        assert isinstance(it, Peer)
    why = "it cannot be installed here: npm is not installed"
    assert said[-1] == f"the reference is left out: {why}"
    assert f"Nothing was measured beside the reference: {why}." in markdown(evolve(PLAIN, peer=it))


@pytest.mark.full
@needs_a_compiler
def test_a_tiny_run_beside_the_reference_measures_both(tmp_path: Path) -> None:
    peer = run(evolve(TINY, peer=True), tmp_path).peer
    if peer.left_out is not None:
        pytest.skip(f"the reference {peer.left_out}")
    assert len(peer.comparisons) == 6 * 2 * 2
    assert {it.flows for it in peer.comparisons} == {0, TINY.sizes.flows}
    assert all(it.ours.per_second and it.reference.per_second for it in peer.comparisons)


@needs_a_compiler
@pytest.mark.parametrize("arguments", [(), IN_THE_LOOP])
def test_a_bare_answer_is_made_by_a_worker_or_in_the_loop(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    generator = compiled(tmp_path)
    with running(["bench.bare", *arguments]) as bare:
        load = generator.measure(bare, "bench", [Script((b"{}",))] * 2, 0.05)
    assert load.requests > 0


@needs_a_compiler
def test_the_load_generator_ends_at_an_answer_that_is_no_success(tmp_path: Path) -> None:
    generator = compiled(tmp_path)
    with (
        running(["bench.bare"]) as bare,
        pytest.raises(SystemExit, match=r"the benchmark is wrong: missing: HTTP/1\.1 404"),
    ):
        generator.measure(bare, "missing", [Script((b"{}",))], 0.05)


def test_a_page_gets_the_tables_between_its_markers(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text("before\n<!-- bench -->\nold\n<!-- /bench -->\nafter\n", encoding="utf-8")
    write_between(page, "bench", markdown(PLAIN))
    text = page.read_text(encoding="utf-8")
    assert text.startswith("before\n<!-- bench -->\n\n")
    assert text.endswith("\n<!-- /bench -->\nafter\n")
    assert "| `create_flow`, a new owner | 2,000 (25%) | 0.5 | 1.5 |  |  |\n" in text
    assert "Left out, with every sync 2 ms slower: there is no compiler." in text
    assert "old" not in text


def test_a_page_without_markers_is_left_alone(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text("nothing\n", encoding="utf-8")
    with pytest.raises(SystemExit, match="has no <!-- bench -->"):
        write_between(page, "bench", "tables")
    assert page.read_text(encoding="utf-8") == "nothing\n"
