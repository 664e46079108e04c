"""The rates of `bench.databases`, and the tables of their page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from attrs import frozen

from bench.figures import Disk
from bench.operations import CYCLE
from bench.plan import SLOWER_MS
from bench.tables import table

CONNECTIONS: Final = (1, 4, 16, 64)
AT: Final = 16
WRITES: Final = ("create_flow", CYCLE)


@frozen(kw_only=True)
class Rate:
    """Medians over the rounds; what a request took the gateways and the server, in µs."""

    action: str
    store: str
    disk: Disk
    gateways: int
    connections: int
    per_second: float
    p50_ms: float
    p99_ms: float
    python_us: float
    server_us: float


@frozen(kw_only=True)
class DatabasesReport:
    """One run; `library` is what its own recorder inserted a second, with 16 threads in all.

    `load` is the machine's load average before it: with more than 1 a CPU only ratios count.
    """

    date: str
    python: str
    postgres: str
    cpus: int
    load: float
    rounds: int
    seconds: float
    rates: Sequence[Rate]
    library: Mapping[str, float]

    def find(self, action: str, store: str, disk: Disk, gateways: int) -> Rate:
        """Return a rate with 16 connections."""
        wanted = (action, store, disk, gateways, AT)
        return next(
            rate
            for rate in self.rates
            if (rate.action, rate.store, rate.disk, rate.gateways, rate.connections) == wanted
        )


def markdown(report: DatabasesReport) -> str:
    """Return the tables."""
    about = (
        f"{report.date}: Python {report.python}, PostgreSQL {report.postgres}, {report.cpus} CPUs"
        f" that all share, load generator included, at a load average of {report.load:g} before it"
        f" began. Requests a second over HTTP, medians of {report.rounds} rounds of"
        f" {report.seconds:g} s; p50 and p99 in ms, and the processor time of a request in µs"
        f" (gateways / server), with {AT} connections."
    )
    return "\n\n".join([about, _rates(report), _aims(report)]) + "\n"


def _rates(report: DatabasesReport) -> str:
    heads = ["", *(f"{count} conn." for count in CONNECTIONS), "p50", "p99", "µs"]
    groups: dict[tuple[object, ...], dict[int, Rate]] = {}
    for rate in report.rates:
        key = (rate.action, rate.disk, rate.store, rate.gateways)
        groups.setdefault(key, {})[rate.connections] = rate
    body = []
    for (action, disk, store, gateways), found in sorted(groups.items(), key=repr):
        slower = f", syncs {SLOWER_MS} ms slower" if disk == "slowed" else ""
        name = f"`{action}`, {store}, {gateways} gateway{'s' if gateways != 1 else ''}{slower}"
        rates = [f"{found[n].per_second:,.0f}" if n in found else "" for n in CONNECTIONS]
        at = found[AT]
        took = (f"{at.p50_ms:.1f}", f"{at.p99_ms:.1f}", f"{at.python_us:.0f} / {at.server_us:.0f}")
        body.append([name, *rates, *took])
    return table(heads, body)


def _aims(report: DatabasesReport) -> str:
    slowed = report.find("create_flow", "PostgreSQL", "slowed", 2)
    times = slowed.per_second / report.library["slowed"]
    aims = (
        (f"1,000 `create_flow` a second, 2 gateways, {AT} connections", slowed.per_second, 1000.0),
        ("2.5 times what the library's own recorder inserts, without HTTP", times, 2.5),
    )
    body = [
        [f"{aim}, syncs {SLOWER_MS} ms slower", f"{got:,.4g}", _yes(got / least)]
        for aim, got, least in aims
    ]
    for action in dict.fromkeys(rate.action for rate in report.rates if rate.action in WRITES):
        times = _processor_time(report, action)
        aim = f"processor time of `{action}` at most 1.5 of SQLite's, {AT} connections"
        body.append([aim, f"{times:.2f}", _yes(1.5 / times)])
    return table(["aim", "measured", "reached"], body)


def _processor_time(report: DatabasesReport, action: str) -> float:
    """Return what a request on PostgreSQL takes all processes, as a multiple of SQLite's."""
    ours, sqlite = (report.find(action, it, "as it is", 1) for it in ("PostgreSQL", "SQLite"))
    return (ours.python_us + ours.server_us) / sqlite.python_us


def _yes(share: float) -> str:
    return "yes" if share >= 1 else f"no: {share:.0%} of it"
