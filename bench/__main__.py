"""Measure the gateway over HTTP, beside the reference and a bare answer: `python -m bench`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

from attrs import evolve

from bench import databases
from bench.figures import Report, as_json, read
from bench.gateway import ROOT
from bench.measure import measure
from bench.plan import FULL, LONG, QUICK, Plan
from bench.plot import draw
from bench.tables import markdown, say_progress, summary, write_between

KEPT: Final = ROOT / "docs" / "benchmarks"
PASSING: Final = ROOT / "var" / "bench"


def main(argv: list[str]) -> None:
    """Do what the arguments say; figures go to standard output, progress to standard error."""
    asked = _parser().parse_args(argv)
    if asked.databases:
        databases.main(["--quick"] if asked.quick else [])
        return
    if asked.write_page:
        report = read(KEPT / "http.json")
        write_between(KEPT / "README.md", "bench", markdown(report))
        write_between(ROOT / "README.md", "speed", summary(report))
        databases.main(["--write-page"])
        return
    report = run(_plan(asked), asked.out or (PASSING if asked.quick else KEPT))
    print(as_json(report) if asked.json else markdown(report))


def run(plan: Plan, out: Path) -> Report:
    """Measure, and leave `http.json` and `http.png` in a folder."""
    report = measure(plan, say_progress)
    out.mkdir(parents=True, exist_ok=True)
    (out / "http.json").write_text(as_json(report))
    draw(report, out / "http.png")
    return report


def _plan(asked: argparse.Namespace) -> Plan:
    plan = QUICK if asked.quick else LONG if asked.long else FULL
    plan = evolve(plan, peer=not asked.no_peer)
    return evolve(plan, requests=1_000_000) if asked.million else plan


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller and shorter, under var/bench")
    parser.add_argument(
        "--million", action="store_true", help="read the memory after a million requests"
    )
    parser.add_argument("--long", action="store_true", help="more and longer rounds")
    parser.add_argument("--databases", action="store_true", help="both stores, and nothing else")
    parser.add_argument("--no-peer", action="store_true", help="leave the reference out")
    parser.add_argument("--json", action="store_true", help="print the raw figures")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="where the outputs go")
    parser.add_argument(
        "--write-page",
        action="store_true",
        help="measure nothing; put the kept figures into the pages",
    )
    return parser


if __name__ == "__main__":
    main(sys.argv[1:])
