"""Both stores, one gateway and two, beside the library's recorder: `python -m bench.databases`.

Creations, changes and reads over HTTP, with syncs as they are and slowed. The connections are
divided among the gateways. `--write-page` measures nothing and puts the kept figures into the page.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeAlias

import cattrs
import psycopg
from attrs import asdict, define, field, frozen

from adapters.store import migrate
from bench.database_rates import CONNECTIONS, WRITES, DatabasesReport, Rate, markdown
from bench.figures import Disk
from bench.gateway import ROOT, Running, Used, configuration, running
from bench.generator import Generator, Script, compiled
from bench.load import Load, ask
from bench.operations import CYCLE, cycle_of_new
from bench.slow_sync import LeftOut, slow_syncs
from bench.stores import STATE
from bench.tables import say_progress, write_between
from tests.postgres.server import new_database, running_server

KEPT: Final = ROOT / "docs" / "benchmarks"
_CREATE: Final = json.dumps({"action": "create_flow", "goal": "bench", "stateJson": STATE}).encode()
_Setting: TypeAlias = tuple[str, str, Disk, int, int]
"""An action, a store, a disk, how many gateways, how many connections."""


@frozen
class _Sample:
    load: Load
    server_us: float


@define
class _Place:
    """A store on a disk, with its gateways, and its server if it has one."""

    store: str
    disk: Disk
    url: str
    gateways: Sequence[Running]
    server: Running | None
    flow: str = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.flow = ask(self.gateways[0].place, "bench", [_CREATE])[0]["flow"]["flowId"]

    def measure(
        self, generator: Generator, action: str, gateways: int, connections: int, seconds: float
    ) -> _Sample:
        """Put a load on some of the gateways, the connections divided among them."""
        shares = [len(range(number, connections, gateways)) for number in range(gateways)]
        loaded = [
            (gateway, self._scripts(action, gateway, share))
            for gateway, share in zip(self.gateways, shares, strict=False)
        ]
        before = _used(self.server)
        with ThreadPoolExecutor(gateways) as pool:
            loads = list(
                pool.map(lambda it: generator.measure(it[0], "bench", it[1], seconds), loaded)
            )
        requests = sum(load.requests for load in loads)
        return _Sample(
            Load(
                requests,
                round(sum(load.per_second for load in loads), 1),
                statistics.mean(load.p50_ms for load in loads),
                max(load.p99_ms for load in loads),
                sum(load.cpu_us * load.requests for load in loads) / requests,
            ),
            1e6 * (_used(self.server) - before) / requests,
        )

    def _scripts(self, action: str, gateway: Running, connections: int) -> Sequence[Script]:
        if action == CYCLE:
            return cycle_of_new(gateway, connections)
        get = json.dumps({"action": "get_flow", "flowId": self.flow}).encode()
        return [Script((_CREATE if action == "create_flow" else get,))] * connections


def _used(server: Running | None) -> float:
    return (Used(0, 0) if server is None else server.used()).processor_seconds


def measure_databases(rounds: int, seconds: float) -> DatabasesReport:
    """Measure all of it."""
    busy = round(os.getloadavg()[0], 1)
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)
        generator, config, preload = compiled(folder), configuration(folder), slow_syncs(folder)
        if isinstance(preload, LeftOut):
            raise SystemExit(preload.why)
        disks: Mapping[Disk, Mapping[str, str]] = {"as it is": {}, "slowed": preload.environ}
        places = [
            place
            for disk, environ in disks.items()
            for place in (
                stack.enter_context(_on_sqlite(folder, config, disk, environ)),
                stack.enter_context(_on_postgres(folder, config, disk, environ)),
            )
        ]
        samples: dict[_Setting, list[_Sample]] = {}
        library: dict[str, list[float]] = {}
        for number in range(rounds):
            say_progress(f"round {number + 1} of {rounds}")
            for place in places:
                for setting, sample in _round(place, generator, seconds):
                    samples.setdefault(setting, []).append(sample)
                if place.server is not None:
                    library.setdefault(place.disk, []).append(_library(place.url, seconds))
        return DatabasesReport(
            date=datetime.now(UTC).date().isoformat(),
            python=platform.python_version(),
            postgres=_version(places[1].url),
            cpus=os.cpu_count() or 1,
            load=busy,
            rounds=rounds,
            seconds=seconds,
            rates=[_rate(*item) for item in samples.items()],
            library={disk: statistics.median(found) for disk, found in library.items()},
        )


def _round(
    place: _Place, generator: Generator, seconds: float
) -> Iterator[tuple[_Setting, _Sample]]:
    for action in (*WRITES, "get_flow"):
        if action == "get_flow" and place.disk == "slowed":
            continue
        for gateways in range(1, len(place.gateways) + 1):
            for connections in CONNECTIONS[gateways - 1 :]:
                sample = place.measure(generator, action, gateways, connections, seconds)
                yield (action, place.store, place.disk, gateways, connections), sample


@contextmanager
def _on_sqlite(
    folder: Path, config: Path, disk: Disk, environ: Mapping[str, str]
) -> Iterator[_Place]:
    url = f"sqlite:///{folder}/{disk.replace(' ', '-')}.db"
    with _gateway(config, url, environ) as one:
        yield _Place("SQLite", disk, url, [one], None)


@contextmanager
def _on_postgres(
    folder: Path, config: Path, disk: Disk, environ: Mapping[str, str]
) -> Iterator[_Place]:
    for library in folder.glob("*.so"):
        library.chmod(0o755)
    with running_server(environ) as server, new_database(server.url) as url:
        migrate(url)
        database = Running(("", 0), server.pid, 0)
        with _gateway(config, url, {}) as one, _gateway(config, url, {}) as two:
            yield _Place("PostgreSQL", disk, url, [one, two], database)


def _gateway(config: Path, url: str, environ: Mapping[str, str]) -> AbstractContextManager[Running]:
    words = ["app", "serve", "--config", str(config), "--database", url, "--port", "0"]
    return running(words, environ)


def _library(url: str, seconds: float) -> float:
    """Return how many events two processes of eight threads insert a second."""
    words = [sys.executable, "-m", "bench.library", url]
    subprocess.run([*words, "1", "0"], cwd=ROOT, stdout=subprocess.DEVNULL, check=True)  # noqa: S603 - makes the table, which two at once cannot
    started = [
        subprocess.Popen([*words, "8", str(seconds)], cwd=ROOT, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own program
        for _ in range(2)
    ]
    printed = [process.communicate()[0].split() for process in started]
    return sum(float(count) / float(took) for count, took in printed)


def _version(url: str) -> str:
    with closing(psycopg.connect(url)) as connection:
        return str(connection.info.server_version // 10_000)


def _rate(setting: _Setting, samples: Sequence[_Sample]) -> Rate:
    action, store, disk, gateways, connections = setting

    def median(read: Callable[[_Sample], float]) -> float:
        return round(statistics.median(map(read, samples)), 1)

    return Rate(
        action=action,
        store=store,
        disk=disk,
        gateways=gateways,
        connections=connections,
        per_second=median(lambda sample: sample.load.per_second),
        p50_ms=median(lambda sample: sample.load.p50_ms),
        p99_ms=median(lambda sample: sample.load.p99_ms),
        python_us=median(lambda sample: sample.load.cpu_us),
        server_us=median(lambda sample: sample.server_us),
    )


def main(argv: Sequence[str]) -> None:
    """Do what the arguments say."""
    parser = argparse.ArgumentParser(prog="python -m bench.databases", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round, kept nowhere")
    parser.add_argument("--write-page", action="store_true", help="only write the page")
    asked = parser.parse_args(argv)
    file = KEPT / "databases.json"
    if asked.write_page:
        report = cattrs.structure(json.loads(file.read_text()), DatabasesReport)
        write_between(KEPT / "README.md", "databases", markdown(report))
        return
    report = measure_databases(*((1, 0.3) if asked.quick else (3, 0.8)))
    if not asked.quick:
        file.write_text(json.dumps(asdict(report), indent=1) + "\n")
    print(markdown(report))


if __name__ == "__main__":
    main(sys.argv[1:])
