"""What `check` reports, for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from adapters.cli.check_report import (
    ActionKeys,
    CheckReport,
    ConfigurationFinding,
    GatewayOptions,
    KeyPeriod,
    ServedRoute,
    Startable,
    UnservedRoute,
    Unstartable,
)
from adapters.cli.tables import REST, details, folded, table
from adapters.presentation.printable import counted, to_the_second
from domain.application.limits import RouteLimits


def report_parts(report: CheckReport) -> Iterator[RenderableType]:
    """Return the tables of a report, without those that are empty, and its sum."""
    if isinstance(report, Unstartable):
        yield _findings("Problems", report.problems)
        return
    if report.routes:
        yield _served(report.routes)
    if report.allowed:
        yield _allowed(report.allowed)
    if report.skipped:
        yield _skipped(report.skipped)
    if report.advice:
        yield _findings("Advice", report.advice)
    yield details("Gateway", _options(report))
    yield _verdict(report)


def _verdict(report: Startable) -> Text:
    routes = counted(len(report.routes), "route")
    skipped = f"{len(report.skipped)} skipped" if report.skipped else "none skipped"
    advice = f"{counted(len(report.advice), 'line')} of advice" if report.advice else "no advice"
    return Text(f"{routes} would be served, {skipped}, {advice}.")


def _served(routes: Iterable[ServedRoute]) -> Table:
    columns = {"Route, keys": 22, "Path, session key, controller, limits": REST}
    shown = table("Routes that would be served", columns)
    for route in routes:
        shown.add_row(
            folded(route.route_id, *(f"key {key_id}" for key_id in route.key_ids)),
            folded(
                route.path,
                route.owner,
                route.controller_id,
                _limits(route.limits),
                *map(_times, route.key_times or ()),
                *(f"key {one.key_id} signs: {one.scheme}" for one in route.key_schemes or ()),
                *(["who lets a flow wait may not resume it"] if route.separate_approver else ()),
            ),
        )
    return shown


def _allowed(actions: Iterable[ActionKeys]) -> Table:
    shown = table("Who may use which action", {"Action": 22, "Keys": REST})
    for one in actions:
        shown.add_row(one.action, folded(", ".join(one.keys) or "nobody"))
    return shown


def _times(times: KeyPeriod) -> str:
    begin = "" if times.not_before is None else f" from {to_the_second(times.not_before)}"
    end = "" if times.not_after is None else f" until {to_the_second(times.not_after)}"
    return f"key {times.key_id}{begin}{end}"


def _limits(limits: RouteLimits) -> str:
    rate = f"{limits.rate_requests:,} requests in {limits.rate_window_seconds:g} s"
    return f"{rate}, {limits.in_flight:,} at once, {_size(limits.body_bytes)}"


def _size(count: int) -> str:
    kibibytes, rest = divmod(count, 1024)
    return counted(count, "byte") if rest else f"{kibibytes:,} KiB"


def _skipped(routes: Iterable[UnservedRoute]) -> Table:
    shown = table("Routes that would be skipped", {"Route": 22, "Path, reason": REST})
    for route in routes:
        shown.add_row(folded(route.route_id), folded(route.path, route.reason))
    return shown


def _findings(title: str, findings: Iterable[ConfigurationFinding]) -> Table:
    shown = table(title, {"Line": 6, "Field, what is to say of it": REST})
    for finding in findings:
        line = "" if finding.line is None else str(finding.line)
        file = () if finding.file is None else (finding.file,)
        shown.add_row(line, folded(*file, finding.field or "the whole file", finding.sentence))
    return shown


def _options(report: Startable) -> Iterator[tuple[str, str]]:
    options = report.options
    yield "Listens on", f"{options.host} port {options.port}"
    yield "Metrics", options.metrics or "not served: taskflow.server.admin is not set"
    yield "Store", options.store
    for shard in options.shards or ():
        yield f"Store {shard.name}", f"{shard.url}, {shard.new_owners} to new owners"
    yield "Work", _work(options)
    yield "Limits", options.shared_limits or "counted by this gateway alone"
    yield "Lost children", _children(options)
    yield "Client addresses", f"recorded: {options.remote_address}"
    yield "Trusted proxies", ", ".join(options.trusted_proxies) or "none"
    yield "Checkpoints", _checkpoints(options)
    if report.disabled:
        yield "Disabled routes", ", ".join(report.disabled)


def _work(options: GatewayOptions) -> str:
    threads = counted(options.threads, "thread")
    connections = counted(options.connections, "connection")
    return f"{threads}, {connections}, {options.drain_seconds:g} s to drain"


def _checkpoints(options: GatewayOptions) -> str:
    if options.public_key is None:
        return "none are appended, as no key can sign them"
    return (
        f"{options.checkpoints}, every {options.checkpoint_minutes:g} min,"
        f" signed by {options.public_key}"
    )


def _children(options: GatewayOptions) -> str:
    lost = f"after {options.lost_after_seconds:g} s without news"
    return f"{lost}, looked for every {options.sweep_seconds:g} s"
