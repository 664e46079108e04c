"""Processes to be measured: started on a free port, stopped at the end."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from attrs import frozen

from bench.load import SECRET, Place
from bench.stores import ROUTES, owner_of

ROOT: Final = Path(__file__).parent.parent


PROXIES: Final = ("127.0.0.1",)
"""Where the load comes from; a list or a network costs the reference 30 to 90 µs a request."""


@frozen
class Used:
    """What a process has used: seconds of processor time, and bytes written to the disk."""

    processor_seconds: float
    written: int


@frozen
class Running:
    """A process that listens, and the seconds that it took to do so."""

    place: Place
    pid: int
    started_in: float

    def resident_mb(self) -> float:
        """Return its resident memory in megabytes (Linux), or 0 elsewhere."""
        status = Path(f"/proc/{self.pid}/status")
        found = re.search(r"VmRSS:\s+(\d+) kB", status.read_text()) if status.exists() else None
        return round(int(found[1]) / 1024, 1) if found else 0.0

    def used(self) -> Used:
        """Return what it and the processes below it have used (Linux), or zeros elsewhere."""
        found = [_used(folder) for folder in _tree(self.pid)]
        return Used(sum(it.processor_seconds for it in found), sum(it.written for it in found))


def _tree(pid: int) -> Iterator[Path]:
    """Return the folders of a process and of those below it."""
    folder = Path(f"/proc/{pid}")
    yield folder
    for children in folder.glob("task/*/children"):
        for child in children.read_text().split():
            yield from _tree(int(child))


def _used(folder: Path) -> Used:
    try:
        fields = (folder / "stat").read_text().rpartition(")")[2].split()
        written = re.search(r"^write_bytes: (\d+)", (folder / "io").read_text(), re.MULTILINE)
    except OSError:  # it has ended, or this is not Linux
        return Used(0.0, 0)
    ticks = int(fields[11]) + int(fields[12])
    return Used(ticks / os.sysconf("SC_CLK_TCK"), int(written[1]) if written else 0)


def configuration(folder: Path, **own: object) -> Path:
    """Write a configuration with the routes of the benchmark, and next to no limits."""
    plenty = {"rateRequests": 1_000_000, "rateWindowSeconds": 0.1, "inFlight": 10_000}
    document = {
        "gateway": {"trustedProxies": PROXIES},
        "plugins": {"entries": {"webhooks": {"config": {"routes": routes()}}}},
        "taskflow": {"limits": plenty, **own},
    }
    file = folder / "bench.json"
    file.write_text(json.dumps(document))
    return file


def routes() -> Mapping[str, object]:
    """Return the routes of the benchmark, as they are configured."""
    return {name: {"sessionKey": owner_of(name), "secret": SECRET} for name in ROUTES}


@contextmanager
def gateway(
    config: Path, database: Path, environ: Mapping[str, str] | None = None
) -> Iterator[Running]:
    """Run a gateway; what it logs is formatted and written, but kept nowhere."""
    store = ["--database", f"sqlite:///{database}"]
    with running(["app", "serve", "--config", str(config), *store, "--port", "0"], environ) as it:
        yield it


@contextmanager
def running(module: Sequence[str], environ: Mapping[str, str] | None = None) -> Iterator[Running]:
    """Run a module that prints where it listens."""
    start = time.perf_counter()
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", *module],
        cwd=ROOT,
        env={**os.environ, **(environ or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            place = _place(process)
            yield Running(place, process.pid, round(time.perf_counter() - start, 3))
        finally:
            process.terminate()


def _place(process: subprocess.Popen[str]) -> Place:
    for line in process.stdout or ():
        if found := re.search(r"listening on http://([^:]+):(\d+)", line):
            return found[1], int(found[2])
    raise SystemExit("the process to be measured did not start")
