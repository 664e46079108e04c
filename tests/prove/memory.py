"""A gateway's memory after a million requests, each from another address, as after ten thousand."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Final

from bench.gateway import Running, configuration, gateway
from bench.generator import Script, compiled
from bench.load import ask
from tests.prove.result import Progress, Result, scaled

REQUESTS: Final = 1_000_000
FIRST: Final = 10_000
CONNECTIONS: Final = 16
MORE: Final = 0.1
"""How much more memory it may have, as a share."""


def run(scale: float, progress: Progress) -> Result:
    """Prove it; a tenth of the requests changes a flow, the others read one."""
    requests = scaled(REQUESTS, scale, least=2 * FIRST)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        generator = compiled(folder, per_client=1)
        with gateway(configuration(folder), folder / "flows.db") as process:
            scripts = [_script(process)] * CONNECTIONS
            generator.send(process, "bench", scripts, FIRST)
            first = process.resident_mb()
            progress(FIRST, requests)
            generator.send(process, "bench", scripts, requests - FIRST)
            last = process.resident_mb()
    grown = last / first - 1
    return Result(
        tried="requests of which each comes from another address",
        counts={
            "requests": requests,
            "after ten thousand, kB": round(first * 1024),
            "at the end, kB": round(last * 1024),
        },
        violations=() if grown <= MORE else (f"memory has grown by {grown:.0%}",),
    )


def _script(process: Running) -> Script:
    create = json.dumps({"action": "create_flow", "goal": "g"}).encode()
    flow = ask(process.place, "bench", [create])[0]["flow"]["flowId"]
    get = json.dumps({"action": "get_flow", "flowId": flow}).encode()
    return Script((create, *[get] * 9))
