"""What many gateways and shards carry, computed: `python -m bench.capacity [--write-page]`.

A gateway collects commands while it waits for the head row of a shard, and then writes all of them
in one transaction, which holds the row until it is synced. That queue is simulated, with commands
that come at random; the rest is arithmetic. Same seed, same page.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator, Sequence
from statistics import quantiles
from typing import Any, Final

from attrs import frozen

from adapters.schedule.batches import MOST
from bench.gateway import ROOT
from bench.tables import table, write_between

FIGURES: Final = ROOT / "docs" / "benchmarks" / "http.json"
PRODUCTION: Final = ROOT / "docs" / "production.md"
SCALE: Final = ROOT / "docs" / "scale.md"

SYNC: Final = 2e-3
"""Seconds: a cloud disk's sync, or one to a standby beside it."""
CALL: Final = 0.2e-3
"""Seconds of a call of the database, its round trip and its commit included, but for the sync."""
COMMAND: Final = 0.085e-3
"""Seconds of the database's processor for one command of a batch, the row being held."""
GATEWAY_COMMAND: Final = 280e-6
"""Seconds of a gateway's one core for a change."""
PATIENCE: Final = 0.1
"""Seconds: more than this at the 99th percentile is too slow."""
COMMAND_BYTES: Final = 4_000
"""Between a gateway and a shard, both ways, by estimate."""
POOL: Final = 4
"""Connections of a gateway to a shard."""
_CREATES: Final = 200
_GETS: Final = 500
_EXACTLY: Final = 20
_CONNECTIONS: Final = 16

_LEGEND: Final = (
    "Milliseconds to wait, median / 99th percentile; `most` is the rate at which the 99th stays"
    f" below {1000 * PATIENCE:.0f} ms."
)


def _micro(seconds: float) -> str:
    return f"{1e6 * seconds:,.0f} µs"


_INPUTS: Final = [
    [
        "a gateway's core for a change, over HTTP",
        _micro(GATEWAY_COMMAND),
        "measured: a cycle of waiting and going on, 16 connections",
    ],
    [
        "the database's processor for a command of a batch",
        _micro(COMMAND),
        "measured with PostgreSQL 18: 104 µs a command, a tenth of a call in it",
    ],
    [
        "a call of it, round trip and commit included",
        _micro(CALL),
        "measured in one machine; add your network's",
    ],
    ["a sync", _micro(SYNC), "assumed: a cloud disk, or a standby beside it"],
    ["commands in a batch, at most", f"{MOST}", "`adapters/schedule/batches.py`"],
    ["bytes a command, between gateway and shard", f"{COMMAND_BYTES:,}", "estimated"],
]


@frozen
class Queue:
    """A shard under load: commands a second that it carried, a batch's mean, latencies in s."""

    per_second: float
    batch: float
    p50: float
    p99: float


def simulate(gateways: int, offered: float, *, seconds: float = 20.0, seed: int = 1) -> Queue:
    """Let gateways write to one shard, to which so many commands come a second in all."""
    source, now, done = random.Random(seed), 0.0, 0  # noqa: S311 - arrivals, not secrets
    waiting: dict[int, list[float]] = {}
    latencies, batches = [], 0
    coming = source.expovariate(offered)
    while now < seconds:
        if not waiting:
            now = max(now, coming)
        while coming <= now:
            waiting.setdefault(source.randrange(gateways), []).append(coming)
            coming += source.expovariate(offered)
        first = next(iter(waiting))  # who waits longest for the row: a fair queue
        commands = waiting.pop(first)
        batch, rest = commands[:MOST], commands[MOST:]
        now += CALL + SYNC + COMMAND * len(batch)
        latencies += [now - came for came in batch]
        done, batches = done + len(batch), batches + 1
        if rest:
            waiting[first] = rest
    cuts = quantiles(latencies, n=100)
    return Queue(done / now, done / batches, cuts[49], cuts[98])


def most(gateways: int) -> float:
    """Return how many commands a second a shard takes from so many gateways in good time."""
    low, high = 0.0, 1 / COMMAND
    while high - low > _EXACTLY:
        middle = (low + high) / 2
        found = simulate(gateways, middle, seconds=8.0)
        is_well = found.p99 <= PATIENCE and found.per_second >= 0.95 * middle
        low, high = (middle, high) if is_well else (low, middle)
    return low


def sizing() -> str:
    """Return what a request costs a gateway on SQLite, from the figures of the benchmark."""
    report = json.loads(FIGURES.read_text(encoding="utf-8"))
    figures = list(_alike(report["figures"]))
    rows = [
        [
            f"`{each['action']}`, {each['on']}",
            f"{each['cpu_us']:,.0f} µs",
            f"{1e6 / each['cpu_us']:,.0f}",
            f"{each['per_second']:,.0f}",
            f"{each['written'] / 1000:,.0f} kB" if each["written"] else "",
        ]
        for each in figures
    ]
    headings = ["", "processor", "a core has", "measured, 2 cores", "written to disk"]
    return "\n\n".join([table(headings, rows), _example(figures), _memory(report["memory"])]) + "\n"


def _example(figures: Sequence[dict[str, Any]]) -> str:
    create, get = (
        next(each for each in figures if each["action"] == action)
        for action in ("create_flow", "get_flow")
    )
    core = 100 * (_CREATES * create["cpu_us"] + _GETS * get["cpu_us"]) / 1e6
    megabytes = _CREATES * create["written"] / 1e6
    return (
        f"So {_CREATES} `create_flow` and {_GETS} `get_flow` a second take {core:.0f} % of a core,"
        f" and write {megabytes:.0f} MB a second to the disk."
    )


def _memory(memory: dict[str, Any]) -> str:
    return (
        f"**Memory**: {memory['ready_mb']:.0f} MB at the start, {memory['after_mb']:.0f} MB after"
        f" {memory['requests']:,} requests."
    )


def _alike(figures: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for each in figures:
        if each["disk"] == "as it is" and each["connections"] == _CONNECTIONS:
            yield each


def inputs() -> str:
    """Return what the page on scale is computed from."""
    return f"{table(['figure', 'value', 'from'], _INPUTS)}\n"


def scale() -> str:
    """Return the tables of the page on scale."""
    by_gateways = [[f"{n:,}", *_shard(n)] for n in (1, 2, 5, 10, 20, 50, 100, 1000)]
    headings = ["gateways a shard", "at 100/s", "at 500/s", "at 1,000/s", "most"]
    spread = [_spread(n, shards) for n in (10, 100, 1000) for shards in (1, 10, 100, 1000)]
    columns = ["gateways", "shards", "gateways have", "all write to all", "by owner", "whose limit"]
    columns += ["connections a shard", "network a shard"]
    return "\n".join(
        [
            table(headings, by_gateways),
            "",
            _LEGEND,
            "",
            table(columns, spread),
            "",
        ]
    )


def _shard(gateways: int) -> Iterator[str]:
    for offered in (100, 500, 1000):
        found = simulate(gateways, offered)
        is_carried = found.per_second >= 0.95 * offered
        latencies = f"{1000 * found.p50:,.0f} / {1000 * found.p99:,.0f}"
        yield latencies if is_carried else "more than it takes"
    yield f"{_round(most(gateways)):,}/s"


def _spread(gateways: int, shards: int) -> list[str]:
    own = gateways / GATEWAY_COMMAND
    everywhere = min(own, shards * most(gateways))
    beside = max(1, gateways // shards)
    by_owner = min(own, shards * most(beside))
    limit = "the gateways" if by_owner >= own else "the head row"
    connections = POOL * gateways
    megabits = by_owner / shards * COMMAND_BYTES * 8 / 1e6
    cells = [_round(own), _round(everywhere), _round(by_owner)]
    rates = [f"{cell:,}/s" for cell in cells]
    return [
        *(f"{gateways:,}", f"{shards:,}", *rates, limit),
        *(f"{connections:,}", f"{megabits:,.0f} Mbit/s"),
    ]


def _round(number: float) -> int:
    """Return a number as exactly as it is known: two digits."""
    digits = len(str(int(number))) - 2
    return int(round(number, -digits)) if digits > 0 else int(number)


def main(argv: Sequence[str]) -> None:
    """Print the tables, or write them into their pages."""
    if "--write-page" in argv:
        write_between(PRODUCTION, "sizing", sizing())
        write_between(SCALE, "inputs", inputs())
        write_between(SCALE, "scale", scale())
    else:
        print(sizing(), scale(), sep="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
