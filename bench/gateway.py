"""Processes to be measured: started on a free port, stopped at the end."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from attrs import frozen

ROOT = Path(__file__).parent.parent
Place: TypeAlias = tuple[str, int]


@frozen
class Running:
    """A process that listens."""

    place: Place
    pid: int

    def resident_mb(self) -> float:
        """Return its resident memory in megabytes (Linux), or 0 elsewhere."""
        status = Path(f"/proc/{self.pid}/status")
        found = re.search(r"VmRSS:\s+(\d+) kB", status.read_text()) if status.exists() else None
        return int(found[1]) / 1024 if found else 0.0


def configuration(folder: Path, **own: object) -> Path:
    """Write a configuration with one route, `bench`, and next to no limits."""
    route = {"sessionKey": "agent:bench:main", "secret": "bench-secret-of-some-length"}
    plenty = {"rateRequests": 1_000_000, "rateWindowSeconds": 0.1, "inFlight": 10_000}
    document = {
        "plugins": {"entries": {"webhooks": {"config": {"routes": {"bench": route}}}}},
        "taskflow": {"limits": plenty, **own},
    }
    file = folder / "bench.json"
    file.write_text(json.dumps(document))
    return file


@contextmanager
def gateway(
    config: Path, database: Path, environ: Mapping[str, str] | None = None
) -> Iterator[Running]:
    """Run a gateway."""
    arguments = ["serve", "--config", str(config), "--database", f"sqlite:///{database}"]
    with running(["app", *arguments, "--port", "0"], environ) as process:
        yield process


@contextmanager
def running(module: list[str], environ: Mapping[str, str] | None = None) -> Iterator[Running]:
    """Run a module that prints where it listens."""
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", *module],
        cwd=ROOT,
        env={**os.environ, **(environ or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            yield Running(_place(process), process.pid)
        finally:
            process.terminate()


def _place(process: subprocess.Popen[str]) -> Place:
    for line in process.stdout or ():
        if found := re.search(r"listening on http://([^:]+):(\d+)", line):
            return found[1], int(found[2])
    raise SystemExit("the process to be measured did not start")
