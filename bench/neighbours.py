"""How long `get_flow` takes beside others: `python -m bench.neighbours`.

One connection asks for a flow over and over: alone; while two others list a thousand flows in a
loop; and while four create flows on a disk whose syncs take 50 ms. In turn, medians of rounds.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Final, TypeAlias

from bench.gateway import Running, configuration, gateway
from bench.generator import Generator, Script, compiled
from bench.load import Load, ask
from bench.operations import body, fill
from bench.plan import Sizes
from bench.slow_sync import LeftOut, slow_syncs
from bench.tables import table

ROUNDS: Final = 3
SECONDS: Final = 2.0
SYNC_MS: Final = 50
_LIST: Final = Script((body(action="list_flows"),))
_CREATE: Final = Script((body(action="create_flow", goal="bench"),))

Neighbours: TypeAlias = tuple[str, Sequence[Script]]
"""The route that they ask, and what each of them sends."""

BESIDE: Final[Mapping[str, Neighbours]] = {
    "alone": ("page", ()),
    f"two list {Sizes().page:,} flows in a loop": ("page", [_LIST] * 2),
    f"four create flows, syncs of {SYNC_MS} ms": ("new", [_CREATE] * 4),
}


def main() -> None:
    """Measure, and print a table."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        preload, generator = slow_syncs(folder, SYNC_MS), compiled(folder)
        if isinstance(preload, LeftOut):
            raise SystemExit(preload.why)
        process = stack.enter_context(
            gateway(configuration(folder), folder / "neighbours.db", preload.environ)
        )
        fill(generator, process, "page", Sizes().page)
        flow_id = ask(process.place, "bench", _CREATE.bodies)[0]["flow"]["flowId"]
        get = Script((body(action="get_flow", flowId=flow_id),))
        rounds = [
            {name: _beside(generator, process, get, it) for name, it in BESIDE.items()}
            for _ in range(ROUNDS)
        ]
    rows = [[name, *_shown([each[name] for each in rounds])] for name in BESIDE]
    print(table(["`get_flow`, ms", "p50", "p99", "answers a second"], rows))


def _beside(generator: Generator, process: Running, get: Script, neighbours: Neighbours) -> Load:
    route, scripts = neighbours
    with ThreadPoolExecutor() as pool:
        if scripts:
            pool.submit(generator.measure, process, route, scripts, 1.5 * SECONDS)
        return generator.measure(process, "bench", [get], SECONDS)


def _shown(loads: Sequence[Load]) -> Sequence[str]:
    p50, p99 = ([getattr(it, name) for it in loads] for name in ("p50_ms", "p99_ms"))
    rate = statistics.median(it.per_second for it in loads)
    return [f"{statistics.median(p50):.2f}", f"{statistics.median(p99):.1f}", f"{rate:,.0f}"]


if __name__ == "__main__":
    main()
