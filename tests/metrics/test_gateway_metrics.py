"""What is counted, as Prometheus reads it."""

from __future__ import annotations

import math

from prometheus_client import generate_latest

from adapters.metrics import GatewayMetrics
from adapters.metrics.gateway_metrics import SOURCES, STORE_SOURCES
from tests.whole.metered import Metrics, read_metrics


def shown(metrics: GatewayMetrics) -> Metrics:
    return read_metrics(generate_latest(metrics.registry).decode())


def fail() -> float:
    raise OSError("the disk is gone")


def test_a_part_that_fails_hides_nothing_of_the_others() -> None:
    metrics = GatewayMetrics()
    metrics.of_store("b").sources["store_free_bytes"] = fail
    metrics.read("in_flight", lambda: 3)
    found = shown(metrics)
    assert math.isnan(found.value("taskflow_store_free_bytes", shard="b"))
    assert found.value("taskflow_in_flight") == 3


def test_all_that_is_read_is_there_before_it_is_known() -> None:
    metrics = GatewayMetrics()
    metrics.of_store("b").batch(1)
    found = shown(metrics)
    assert all(math.isnan(found.value(f"taskflow_{name}")) for name in SOURCES)
    of_store = [found.value(f"taskflow_{name}", shard="b") for name in STORE_SOURCES]
    assert all(map(math.isnan, of_store))


def test_two_gateways_of_one_process_count_apart() -> None:
    one, other = GatewayMetrics(), GatewayMetrics()
    one.request(route="zapier", action="get_flow", code=None)
    labels = {"route": "zapier", "action": "get_flow", "code": "ok"}
    assert shown(one).value("taskflow_requests_total", **labels) == 1
    assert shown(other).value("taskflow_requests_total", **labels) == 0


def test_each_limit_and_outcome_is_there_before_it_is_reached() -> None:
    found = shown(GatewayMetrics())
    assert found.labels("limit") == {"rate", "in_flight", "body_bytes", "head_bytes", "seconds"}
    assert found.labels("outcome") == {"reloaded", "refused"}


def test_a_reload_that_only_began_is_not_counted() -> None:
    metrics = GatewayMetrics()
    for outcome in ("ready", "began", "reloaded"):
        metrics.reload(outcome)
    assert shown(metrics).labels("outcome") == {"reloaded", "refused"}
    assert shown(metrics).value("taskflow_reloads_total", outcome="reloaded") == 1
