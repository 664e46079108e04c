"""What the auditor's pages cost over a large store: `python -m bench.pages [--flows N]`.

One store with 100,000 flows, its checkpoint with tiles, and `taskflow audit serve` over it in a
process of its own. Each page is asked for over one keep-alive connection, one after another.
"""

from __future__ import annotations

import argparse
import base64
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Final

from attrs import asdict, frozen

from adapters.audit.audit_service import AuditService, Configured
from adapters.store import StoreAuditLog, open_for_reading
from bench.beside import Beside, beside
from bench.gateway import Running, running
from bench.load import SECRET
from bench.plan import Sizes
from bench.stores import Built, build, owner_of
from bench.tables import say_progress

FLOWS: Final = 100_000
ROUNDS: Final = 200
LONG: Final = 2_000
_WARM: Final = 5
_OK: Final = 200
_HEADERS: Final = {
    "Authorization": "Basic " + base64.b64encode(f"auditor:{SECRET}".encode()).decode()
}


@frozen
class Figure:
    """One page: its size in bytes, and the milliseconds that it took the reader and a processor."""

    page: str
    size: int
    cpu_ms: float
    p50_ms: float
    p99_ms: float


def main(argv: Sequence[str]) -> None:
    """Build the store, measure, and print a table, or JSON with --json."""
    parser = argparse.ArgumentParser(prog="python -m bench.pages", description=__doc__)
    parser.add_argument("--flows", type=int, default=FLOWS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as name:
        sizes = Sizes(events=LONG, flows=asked.flows, page=1_000)
        built = build(Path(name) / "plain.db", sizes, 0, say_progress)
        with _serving(Path(name), built) as pages:
            figures = [_measured(pages, *each, asked.rounds) for each in _pages(built)]
            say_progress("writing and reading at once")
            gateway = _beside(Path(name), built, pages)
    if asked.json:
        shown = {"pages": [asdict(figure) for figure in figures], "gateway": asdict(gateway)}
        print(json.dumps(shown))
        return
    print(f"{'page':<52}{'bytes':>10}{'CPU ms':>9}{'p50 ms':>9}{'p99 ms':>9}")
    for f in figures:
        print(f"{f.page:<52}{f.size:>10,}{f.cpu_ms:>9.1f}{f.p50_ms:>9.1f}{f.p99_ms:>9.1f}")
    print(
        f"a gateway that writes: {gateway.alone:,.0f} requests a second alone,"
        f" {gateway.read:,.0f} while {gateway.pages:,} pages were read ({gateway.share:.0%})"
    )


def _beside(folder: Path, built: Built, pages: Running) -> Beside:
    with closing(HTTPConnection(*pages.place)) as connection:
        return beside(folder, built.path, lambda: _ask(connection, f"/flows/{built.long}"))


def _pages(built: Built) -> Iterator[tuple[str, str]]:
    many = owner_of("many")
    yield "a flow of 1 event, with its proof", f"/flows/{built.short}"
    yield f"a flow of {LONG:,} events, its newest 100 told", f"/flows/{built.long}"
    yield f"a flow of {LONG:,} events, as of version 1,000", f"/flows/{built.long}?at=1000"
    yield "the proof of an event", f"/proofs/{built.long}?at=1000"
    yield "the newest flows of all owners", "/"
    yield "the newest flows of an owner of nearly all", f"/?owner={many}"
    yield "flows by status, of all owners", "/?status=waiting"
    yield "a text that no goal has, of all owners", "/?q=nothing+like+it"
    yield "a text that no goal has, of one owner", f"/?q=nothing+like+it&owner={many}"
    yield "the health of the log, no checkup running", "/health"


def _measured(pages: Running, name: str, path: str, rounds: int) -> Figure:
    taken, size = [], 0
    with closing(HTTPConnection(*pages.place)) as connection:
        for _ in range(_WARM):
            _ask(connection, path)
        busy = pages.used().processor_seconds
        for _ in range(rounds):
            start = time.perf_counter()
            size = _ask(connection, path)
            taken.append((time.perf_counter() - start) * 1000)
        busy = pages.used().processor_seconds - busy
    hundredths = statistics.quantiles(taken, n=100)
    return Figure(
        page=name,
        size=size,
        cpu_ms=round(busy / rounds * 1000, 1),
        p50_ms=round(hundredths[49], 1),
        p99_ms=round(hundredths[98], 1),
    )


def _ask(connection: HTTPConnection, path: str) -> int:
    connection.request("GET", path, headers=_HEADERS)
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != _OK:
        raise SystemExit(f"the benchmark is wrong: {path}: {answer.status}")
    return len(body)


def _serving(folder: Path, built: Built) -> AbstractContextManager[Running]:
    """Sign a checkpoint of a store, and serve the pages over both."""
    service = AuditService(_no_configuration)
    public_key = service.keygen(folder / "key", "bench")
    file = folder / "checkpoints"
    url = f"sqlite:///{built.path}"
    with closing(open_for_reading(url)) as store:
        say_progress("signing a checkpoint")
        service.checkpoint(
            StoreAuditLog(store), config=None, file=file, key=folder / "key", progress=_ignore
        )
    config = folder / "pages.json"
    config.write_text(json.dumps({"taskflow": {"audit": {"pages": {"password": SECRET}}}}))
    serve = ["app", "audit", "serve", "--config", str(config), "--database", url, "--port", "0"]
    return running([*serve, "--checkpoints", str(file), "--public-key", public_key])


def _no_configuration(config: Path) -> Configured:
    raise SystemExit(f"the benchmark is wrong: {config}")


def _ignore(_done: int, _all: int) -> None:
    """Tell nobody."""


if __name__ == "__main__":
    main(sys.argv[1:])
