"""`python -m tests.prove [NAMES...] [--scale F] [--json]`: the proofs, one after the other."""

from __future__ import annotations

import argparse
import json
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from typing import Final

from attrs import asdict

from tests.prove import (
    concurrent,
    copies,
    databases,
    exhaustive,
    faults,
    generated,
    memory,
    power_cuts,
    tailing,
)
from tests.prove.result import Progress, Proof, Ran, Result
from tests.prove.showing import progress_line, table

PROOFS: Final[dict[str, Proof]] = {
    "exhaustive": exhaustive.run,
    "generated": generated.run,
    "concurrent": concurrent.run,
    "databases": databases.run,
    "copies": copies.run,
    "tailing": tailing.run,
    "memory": memory.run,
    "power_cuts": power_cuts.run,
    "faults": faults.run,
}
"""In the order in which they run."""


def main(arguments: Sequence[str]) -> int:
    """Run the proofs that are asked for, and print what came of them; 1 if anything was lost."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    if unknown := set(asked.names) - PROOFS.keys():
        parser.error(f"no proof is called {', '.join(sorted(unknown))}")
    ran = list(_run(asked.names or list(PROOFS), asked.scale))
    if asked.json:
        json.dump([asdict(each) for each in ran], sys.stdout, indent=2)
    else:
        table(ran)
    return int(any(each.result.violations for each in ran))


def _run(names: Sequence[str], scale: float) -> Iterator[Ran]:
    for name in names:
        started = time.monotonic()
        with progress_line(name) as progress:
            result = _proved(PROOFS[name], scale, progress)
        yield Ran(name, result, round(time.monotonic() - started, 1))


def _proved(proof: Proof, scale: float, progress: Progress) -> Result:
    try:
        return proof(scale, progress)
    except Exception:  # noqa: BLE001 - whatever stops one proof, the others are to run
        stopped = f"it did not end: {traceback.format_exc()}"
        return Result(tried="stopped", counts={}, violations=(stopped,))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.prove", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(PROOFS))
    parser.add_argument("--scale", type=float, default=1.0, help="1.0 is full size")
    parser.add_argument("--json", action="store_true", help="print the table as JSON")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
