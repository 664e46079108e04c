"""The metrics of a gateway: each has its name, its labels and its meaning here, once.

APPSEC: a label's value is from the configuration (a route's id) or from our own code (an action, a
code), never from a caller; so nobody learns a goal, an owner or a secret here, and no caller makes
a series.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from typing import Any, Final

from attrs import field, frozen
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
_OF_STORE: Final = ("shard",)
_COMMANDS: Final = (1, 2, 4, 8, 16, 32, 64, 128)

SOURCES: Final[Mapping[str, str]] = {
    "in_flight": "Requests that were admitted and not yet answered.",
    "connections": "Open connections.",
    "limits_shared": "Whether rates and places are counted together with other gateways, 1 or 0.",
    "log_lines_dropped_total": "Log lines that nobody took in time.",
}
"""What is read when somebody asks for the metrics, and its meaning."""

STORE_SOURCES: Final[Mapping[str, str]] = {
    "writer_waiting": "Submissions that wait for the writer.",
    "writer_busy_seconds": "For how long the writer has worked at its present batch.",
    "log_position": "Position of the last event in the log, of all gateways of the store.",
    "database_up": "Whether the database of the store was reached when it was last asked, 1 or 0.",
    "database_reconnects_total": "How often the database was reached again after it was lost.",
    "checkpoint_age_seconds": "Seconds since the last checkpoint was signed.",
    "store_free_bytes": "Free bytes of the disk that the store is on.",
}
"""What is read of each store, and its meaning."""


class GatewayMetrics:
    """Counts and measures, in a registry of its own. Any thread may record, and none waits."""

    def __init__(self) -> None:
        """Begin at nothing."""
        disable_created_metrics()  # type: ignore[no-untyped-call] # else each series has a second one, of when it began
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        counter = partial(Counter, registry=registry)
        requests = counter(
            "taskflow_requests",
            "Requests by the route that they came to, the action that they asked for, and the code"
            " of the answer.",
            ("route", "action", "code"),
        )
        request_seconds = Histogram(
            "taskflow_request_seconds",
            "From the end of a request's head to its answer.",
            ("action",),
            buckets=_SECONDS,
            registry=registry,
        )
        self._limits = counter(
            "taskflow_limit_refusals",
            "Requests that were refused because a limit was reached.",
            ("limit",),
        )
        self._dropped = counter(
            "taskflow_refusals_dropped",
            "Refused calls that are only counted, as their file did not take them in time.",
        )
        self._reloads = counter("taskflow_reloads", "Reloads of the configuration.", ("outcome",))
        self._count_store = _store_counters(registry)
        # PERF: `labels` finds a series anew at each call; there are as many as labels have values.
        self._requests_of, self._seconds_of = cache(requests.labels), cache(request_seconds.labels)
        self._sources: dict[str, Callable[[], float]] = {}
        self._stores: dict[str, StoreMetrics] = {}
        registry.register(self)
        for limit in sorted(set(LIMITS.values())):
            self._limits.labels(limit)
        for outcome in ("reloaded", "refused"):
            self._reloads.labels(outcome)

    def read(self, name: str, source: Callable[[], float]) -> None:
        """Ask `source` for a value of `SOURCES` whenever somebody asks for the metrics."""
        self._sources[name] = source

    def of_store(self, shard: str) -> StoreMetrics:
        """Return the metrics of a store; from now on its series are there."""
        if shard not in self._stores:
            self._stores[shard] = self._count_store(shard)
        return self._stores[shard]

    def collect(self) -> Iterator[Metric]:
        """Return what is read now; prometheus_client calls this in the thread of who asks."""
        for name, meaning in SOURCES.items():
            yield _family(name, meaning, value=_value(self._sources, name))
        for name, meaning in STORE_SOURCES.items():
            family = _family(name, meaning, labels=_OF_STORE)
            for shard, store in list(self._stores.items()):
                family.add_metric((shard,), _value(store.sources, name))
            yield family

    def request(self, *, route: str | None, action: str | None, code: str | None) -> None:
        """Count a request and its answer."""
        self._requests_of(route or NOBODY, action or NOBODY, code or DONE).inc()
        if limit := LIMITS.get(code or DONE):
            self._limits.labels(limit).inc()

    def request_took(self, *, action: str | None, seconds: float) -> None:
        """Note how long an answer took."""
        self._seconds_of(action or NOBODY).observe(seconds)

    def refusal_dropped(self) -> None:
        """Count a refused call that is not kept."""
        self._dropped.inc()

    def reload(self, outcome: str) -> None:
        """Count a reload that was taken or refused."""
        if outcome in {"reloaded", "refused"}:
            self._reloads.labels(outcome).inc()


@frozen(kw_only=True)
class StoreMetrics:
    """What is counted and measured of one store, which its shard's name labels."""

    batches: Histogram
    commits: Histogram
    events: Counter
    failures: Counter
    sources: dict[str, Callable[[], float]] = field(factory=dict)
    """Of `STORE_SOURCES`, what returns each."""

    def batch(self, commands: int) -> None:
        """Note how many commands were carried out together."""
        self.batches.observe(commands)

    def commit(self, *, events: int, seconds: float) -> None:
        """Note a write."""
        self.commits.observe(seconds)
        self.events.inc(events)

    def write_failed(self) -> None:
        """Count a write that failed."""
        self.failures.inc()


def _store_counters(registry: CollectorRegistry) -> Callable[[str], StoreMetrics]:
    counter = partial(Counter, labelnames=_OF_STORE, registry=registry)
    histogram = partial(Histogram, labelnames=_OF_STORE, registry=registry)
    batches = histogram(
        "taskflow_batch_commands",
        "Commands that the writer carried out together.",
        buckets=_COMMANDS,
    )
    commits = histogram(
        "taskflow_commit_seconds",
        "From the first statement of a write to its sync.",
        buckets=_SECONDS,
    )
    events = counter("taskflow_events", "Events that this gateway wrote.")
    failures = counter("taskflow_write_failures", "Writes that failed as a whole.")

    def of(shard: str) -> StoreMetrics:
        return StoreMetrics(
            batches=batches.labels(shard),
            commits=commits.labels(shard),
            events=events.labels(shard),
            failures=failures.labels(shard),
        )

    return of


def _family(name: str, meaning: str, **given: Any) -> CounterMetricFamily | GaugeMetricFamily:  # noqa: ANN401 - as both families take it
    kind = CounterMetricFamily if name.endswith("_total") else GaugeMetricFamily
    return kind(f"taskflow_{name}", meaning, **given)


def _value(sources: Mapping[str, Callable[[], float]], name: str) -> float:
    try:
        return float(sources[name]())
    except Exception:  # noqa: BLE001 - what is not known now hides nothing of the rest
        return math.nan
