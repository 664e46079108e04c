"""What many requests leave in a gateway's memory: `python -m bench.memory [REQUESTS]`."""

from __future__ import annotations

import itertools
import sys
import tempfile
from pathlib import Path
from typing import Final

from bench.gateway import Running, configuration, gateway
from bench.generator import Generator, compiled
from bench.operations import operations
from bench.plan import QUICK, Plan
from bench.stores import Built, build
from bench.tables import say_progress

REQUESTS: Final = 1_000_000
_CONNECTIONS: Final = 16
_SECONDS: Final = 2.0
_STEPS: Final = 10


def serve_requests(
    plan: Plan, generator: Generator, process: Running, built: Built, requests: int
) -> int:
    """Have all that is measured answered in turn, until it was at least so many requests."""
    served, seconds = 0, min(_SECONDS, plan.seconds * 5)
    for each in itertools.cycle(operations(built, plan.sizes)):
        if served >= requests:
            break
        scripts = each.scripts(process, min(_CONNECTIONS, len(built.changing)))
        served += generator.measure(process, each.route, scripts, seconds).requests
    return served


def main(argv: list[str]) -> None:
    """Print the memory when the gateway is ready, and after each tenth of the requests."""
    requests, served = int(argv[0]) if argv else REQUESTS, 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        generator = compiled(folder)
        built = build(folder / "memory.db", QUICK.sizes, _CONNECTIONS, say_progress)
        with gateway(configuration(folder), built.path) as process:
            print(f"ready: {process.resident_mb()} MB", flush=True)
            while served < requests:
                served += serve_requests(QUICK, generator, process, built, requests // _STEPS)
                print(f"after {served:,} requests: {process.resident_mb()} MB", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
