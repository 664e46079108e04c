"""The metrics of a gateway: each has its name, its labels and its meaning here, once.

APPSEC: a label's value is from the configuration (a route's id) or from our own code (an action, a
code), never from a caller; so nobody learns a goal, an owner or a secret here, and no caller makes
a series.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    Metric,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

DONE: Final = "ok"
"""The code of an answer that is no refusal."""

NOBODY: Final = ""
"""The route or action of a request that was refused before it was known to have one."""

LIMITS: Final[Mapping[str, str]] = {
    "rate_limited": "rate",
    "too_many_in_flight": "in_flight",
    "payload_too_large": "body_bytes",
    "headers_too_large": "head_bytes",
    "request_timeout": "seconds",
}
"""Which limit a refusal's code says was reached."""

_SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15)
_COMMANDS: Final = (1, 2, 4, 8, 16, 32, 64, 128)

SOURCES: Final[Mapping[str, str]] = {
    "in_flight": "Requests that were admitted and not yet answered.",
    "connections": "Open connections.",
    "writer_waiting": "Submissions that wait for the writer.",
    "writer_busy_seconds": "For how long the writer has worked at its present batch.",
    "log_position": "Position of the last event in the log, of all gateways of the store.",
    "database_up": "Whether the database of the store was reached when it was last asked, 1 or 0.",
    "database_reconnects_total": "How often the database was reached again after it was lost.",
    "checkpoint_age_seconds": "Seconds since the last checkpoint was signed.",
    "limits_shared": "Whether rates and places are counted together with other gateways, 1 or 0.",
    "store_free_bytes": "Free bytes of the disk that the store is on.",
    "log_lines_dropped_total": "Log lines that nobody took in time.",
}
"""What is read when somebody asks for the metrics, and its meaning."""


class GatewayMetrics:
    """Counts and measures, in a registry of its own. Any thread may record, and none waits."""

    def __init__(self) -> None:
        """Begin at nothing."""
        disable_created_metrics()  # type: ignore[no-untyped-call] # else each series has a second one, of when it began
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        requests = Counter(
            "taskflow_requests",
            "Requests by the route that they came to, the action that they asked for, and the code"
            " of the answer.",
            ("route", "action", "code"),
            registry=registry,
        )
        request_seconds = Histogram(
            "taskflow_request_seconds",
            "From the end of a request's head to its answer.",
            ("action",),
            buckets=_SECONDS,
            registry=registry,
        )
        self._limits = Counter(
            "taskflow_limit_refusals",
            "Requests that were refused because a limit was reached.",
            ("limit",),
            registry=registry,
        )
        self._batches = Histogram(
            "taskflow_batch_commands",
            "Commands that the writer carried out together.",
            buckets=_COMMANDS,
            registry=registry,
        )
        self._commits = Histogram(
            "taskflow_commit_seconds",
            "From the first statement of a write to its sync.",
            buckets=_SECONDS,
            registry=registry,
        )
        self._events = Counter(
            "taskflow_events", "Events that this gateway wrote.", registry=registry
        )
        self._failures = Counter(
            "taskflow_write_failures", "Writes that failed as a whole.", registry=registry
        )
        self._dropped = Counter(
            "taskflow_refusals_dropped",
            "Refused calls that are only counted, as their file did not take them in time.",
            registry=registry,
        )
        self._reloads = Counter(
            "taskflow_reloads", "Reloads of the configuration.", ("outcome",), registry=registry
        )
        # PERF: `labels` makes each time of them what finds a series; there is no end to none.
        self._requests_of, self._seconds_of = cache(requests.labels), cache(request_seconds.labels)
        self._sources: dict[str, Callable[[], float]] = {}
        registry.register(self)
        for limit in sorted(set(LIMITS.values())):
            self._limits.labels(limit)
        for outcome in ("reloaded", "refused"):
            self._reloads.labels(outcome)

    def read(self, name: str, source: Callable[[], float]) -> None:
        """Ask `source` for a value of `SOURCES` whenever somebody asks for the metrics."""
        self._sources[name] = source

    def collect(self) -> Iterator[Metric]:
        """Return what is read now; prometheus_client calls this in the thread of who asks."""
        for name, meaning in SOURCES.items():
            kind = CounterMetricFamily if name.endswith("_total") else GaugeMetricFamily
            yield kind(f"taskflow_{name}", meaning, value=self._value(name))

    def _value(self, name: str) -> float:
        try:
            return float(self._sources[name]())
        except Exception:  # noqa: BLE001 - what is not known now hides nothing of the rest
            return math.nan

    def request(self, *, route: str | None, action: str | None, code: str | None) -> None:
        """Count a request and its answer."""
        self._requests_of(route or NOBODY, action or NOBODY, code or DONE).inc()
        if limit := LIMITS.get(code or DONE):
            self._limits.labels(limit).inc()

    def request_took(self, *, action: str | None, seconds: float) -> None:
        """Note how long an answer took."""
        self._seconds_of(action or NOBODY).observe(seconds)

    def batch(self, commands: int) -> None:
        """Note how many commands were carried out together."""
        self._batches.observe(commands)

    def commit(self, *, events: int, seconds: float) -> None:
        """Note a write."""
        self._commits.observe(seconds)
        self._events.inc(events)

    def write_failed(self) -> None:
        """Count a write that failed."""
        self._failures.inc()

    def refusal_dropped(self) -> None:
        """Count a refused call that is not kept."""
        self._dropped.inc()

    def reload(self, outcome: str) -> None:
        """Count a reload that was taken or refused."""
        if outcome in {"reloaded", "refused"}:
            self._reloads.labels(outcome).inc()
