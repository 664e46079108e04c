"""`python -m tests.mutants [--only PART...] [--json] [--write]`: who finds each of the faults?"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Final, TypeVar, get_args

from tests.mutants.finding import Copy, Outcome, outcome
from tests.mutants.patches import Patch, Room, all_patches, keep_finder
from tests.whole.gateway import ROOT

T = TypeVar("T")
R = TypeVar("R")

WORKERS: Final = 2
AT_LEAST: Final = 0.95
MOST_STEPS: Final = 6


def main(arguments: Sequence[str]) -> int:
    """Bring in the faults that are asked for; 1 if too few are found, or with too long a story."""
    asked = _parser().parse_args(arguments)
    patches = [patch for patch in all_patches() if _is_asked(patch, asked.only)]
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(WORKERS) as pool:
        copies = [Copy.of(ROOT, Path(folder) / str(number)) for number in range(WORKERS)]
        if faults := list(_unsound(pool, copies, patches)):
            sys.stderr.write("\n".join(faults) + "\n")
            return 1
        outcomes = list(_outcomes(pool, copies, patches))
    if asked.write:
        _keep(outcomes)
    if asked.json:
        json.dump([_as_json(each) for each in outcomes], sys.stdout, indent=2)
    return _judged(outcomes)


def _is_asked(patch: Patch, only: Sequence[str]) -> bool:
    return not only or any(part in patch.name or part == patch.expects for part in only)


def _unsound(
    pool: ThreadPoolExecutor, copies: Sequence[Copy], patches: Iterable[Patch]
) -> Iterator[str]:
    """Yield what is found wrong where no fault was brought in."""
    wanted = {patch.expects for patch in patches}
    rooms: list[Room] = [room for room in get_args(Room) if room in wanted]
    for room, finding in zip(rooms, _shared(pool, copies, Copy.sound, rooms), strict=True):
        if finding:
            what = finding.steps or finding.line
            yield f"the tree itself has a fault ({room}): {finding.by} {what}"


def _outcomes(
    pool: ThreadPoolExecutor, copies: Sequence[Copy], patches: Sequence[Patch]
) -> Iterator[Outcome]:
    def work(copy: Copy, numbered: tuple[int, Patch]) -> Outcome:
        return outcome(copy, numbered[1], numbered[0])

    for each in _shared(pool, copies, work, list(enumerate(patches, 1))):
        _tell(each)
        yield each


def _shared(
    pool: ThreadPoolExecutor,
    copies: Sequence[Copy],
    work: Callable[[Copy, T], R],
    items: Sequence[T],
) -> Iterator[R]:
    """Do work for each item, in whichever copy is free."""
    free: SimpleQueue[Copy] = SimpleQueue()
    for copy in copies:
        free.put(copy)

    def one(item: T) -> R:
        copy = free.get()
        try:
            return work(copy, item)
        finally:
            free.put(copy)

    return pool.map(one, items)


def _keep(outcomes: Iterable[Outcome]) -> None:
    for each in outcomes:
        if each.finding and each.finding.by != each.patch.finder:
            keep_finder(each.patch, each.finding.by)


def _tell(each: Outcome) -> None:
    finding = each.finding
    found = "SURVIVED" if finding is None else f"killed by {finding.by}"
    lines = [f"{each.patch.name} ({each.patch.expects}, {each.seconds:.0f} s): {found}"]
    lines += [f"    {line}" for line in finding.steps] if finding else [f"    {each.patch.fault}"]
    sys.stderr.write("\n".join(lines) + "\n")


def _judged(outcomes: Sequence[Outcome]) -> int:
    survived = [each for each in outcomes if each.finding is None]
    wordy = [each for each in outcomes if each.patch.expects == "core" and _is_wordy(each)]
    found = len(outcomes) - len(survived)
    share = found / max(1, len(outcomes))
    by_the_kit = sum(each.finding is not None and each.finding.is_by_the_kit for each in outcomes)
    sys.stderr.write(
        f"{found} of {len(outcomes)} faults found ({share:.1%}): {by_the_kit} by the kit,"
        f" {found - by_the_kit} by the tests of a room;"
        f" {len(wordy)} in the core with a story of more than {MOST_STEPS} steps\n"
    )
    for each in (*survived, *wordy):
        sys.stderr.write(f"  {each.patch.name}: {each.patch.fault}\n")
    return int(share < AT_LEAST or bool(wordy))


def _is_wordy(each: Outcome) -> bool:
    return each.finding is not None and len(each.finding.steps) > MOST_STEPS


def _as_json(each: Outcome) -> dict[str, Any]:
    finding = each.finding
    return {
        "name": each.patch.name,
        "room": each.patch.expects,
        "fault": each.patch.fault,
        "found": finding is not None,
        "by": finding and finding.by,
        "steps": finding and finding.steps,
        "line": finding and finding.line,
        "seconds": each.seconds,
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--only", nargs="+", default=(), metavar="PART", help="names or rooms")
    parser.add_argument("--json", action="store_true", help="print what came of each as JSON")
    parser.add_argument("--write", action="store_true", help="keep with each fault who found it")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
