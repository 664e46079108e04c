"""A gateway's metrics and readiness, asked for as its operators ask."""

from __future__ import annotations

import json
import math
import os
import socket
from pathlib import Path

from adapters.webhooks.actions import ACTIONS
from tests.whole.callers import Caller
from tests.whole.canaries import MARK, configured, traces
from tests.whole.gateway import RunningGateway
from tests.whole.metered import ADMIN, asked, fetched, metrics_of, readiness_of
from tests.whole.provocations import provoke
from tests.whole.reloadable import Reloadable, document, route


def test_what_callers_do_is_counted(tmp_path: Path) -> None:
    with RunningGateway.of_contract(tmp_path, ADMIN) as gateway, Caller(gateway.place) as caller:
        flow_id = caller.act("create_flow", goal="g").result["flow"]["flowId"]
        assert caller.act("finish_flow", flowId=flow_id, expectedRevision=0).status == 200
        assert caller.act("finish_flow", flowId=flow_id, expectedRevision=7).status == 409
        assert caller.act("get_flow", flowId=flow_id).status == 200
        metrics = metrics_of(gateway)
    requests = "taskflow_requests_total"
    assert metrics.value(requests, route="zapier", action="create_flow", code="ok") == 1
    assert metrics.value(requests, route="zapier", action="finish_flow", code="ok") == 1
    conflict = metrics.value(
        requests, route="zapier", action="finish_flow", code="revision_conflict"
    )
    assert conflict == 1
    assert metrics.value("taskflow_request_seconds_count", action="get_flow") == 1
    assert (
        metrics.value("taskflow_events_total", shard="first")
        == metrics.value("taskflow_log_position", shard="first")
        == 2
    )
    assert metrics.value("taskflow_batch_commands_sum", shard="first") == 3
    assert metrics.value("taskflow_commit_seconds_count", shard="first") == 2
    assert metrics.value("taskflow_connections") == 1
    assert metrics.value("taskflow_in_flight") == 0
    assert metrics.value("taskflow_store_free_bytes", shard="first") > 0


def test_a_limit_that_is_reached_is_counted_by_its_name(tmp_path: Path) -> None:
    own = {**ADMIN, "limits": {"rateRequests": 2, "headSeconds": 0.2}}
    with RunningGateway.of_contract(tmp_path, own) as gateway:
        with Caller(gateway.place) as caller:
            assert [caller.act("list_flows").status for _ in range(4)] == [200, 200, 429, 429]
        with socket.create_connection((gateway.place.host, gateway.place.port)) as slow:
            slow.sendall(b"POST /half")
            assert slow.recv(99).startswith(b"HTTP/1.1 408")
        metrics = metrics_of(gateway)
    limits = "taskflow_limit_refusals_total"
    assert metrics.value(limits, limit="rate") == 2
    assert metrics.value(limits, limit="seconds") == 1
    assert metrics.value(limits, limit="in_flight") == 0


def test_no_caller_makes_a_series_and_no_secret_is_shown(tmp_path: Path) -> None:
    gateway = configured(tmp_path)
    config = json.loads(gateway.config.read_text(encoding="utf-8"))
    config["taskflow"] |= ADMIN
    gateway.config.write_text(json.dumps(config), encoding="utf-8")
    with gateway:
        codes = provoke(gateway).codes
        for number in range(30):
            fetched(f"{gateway.url}/{MARK}/{number}")
            fetched(f"{gateway.url}/{MARK}", method=f"M{number}")
        _, text = asked(gateway, "/metrics")
        metrics = metrics_of(gateway)
        assert traces(text) == []
        assert b"agent:" not in text
        assert metrics.names == {"route", "action", "code", "limit", "outcome", "le", "shard"}
        routes = config["plugins"]["entries"]["webhooks"]["config"]["routes"]
        assert metrics.labels("route") <= {"", *routes}
        assert metrics.labels("action") <= {"", *ACTIONS}
        assert metrics.labels("code") <= (codes - {""}) | {"ok"}
        assert len(metrics.labels("code")) > 15


def test_the_public_address_shows_no_metrics(tmp_path: Path) -> None:
    with RunningGateway.of_contract(tmp_path, ADMIN) as gateway:
        assert fetched(f"{gateway.url}/metrics")[0] == 404
        assert asked(gateway, "/metrics")[0] == 200
        assert asked(gateway, "/metrics", method="POST")[0] == 405
        assert asked(gateway, "/plugins/webhooks/zapier", method="POST")[0] == 404
        assert json.loads(asked(gateway, "/healthz")[1]) == {
            "ok": True,
            "result": {"status": "alive"},
        }


def test_without_an_administrative_address_nobody_is_shown_any(tmp_path: Path) -> None:
    with RunningGateway.of_contract(tmp_path) as gateway:
        assert fetched(f"{gateway.url}/metrics")[0] == 404
        assert "metrics host=" not in gateway.logs


def test_reloads_are_counted_by_how_they_ended(tmp_path: Path) -> None:
    served = document({"zapier": route()}, taskflow=ADMIN)
    reloadable = Reloadable.in_folder(tmp_path, served)
    with reloadable.gateway as gateway:
        reloadable.reloaded()
        reloadable.refused("{")
        moved = {"server": {"admin": {"port": 1}}}
        sentence = reloadable.reloaded(document({"zapier": route()}, taskflow=moved))
        assert "only a restart changes taskflow.server.admin" in sentence
        metrics = metrics_of(gateway)
    assert metrics.value("taskflow_reloads_total", outcome="reloaded") == 2
    assert metrics.value("taskflow_reloads_total", outcome="refused") == 1


def test_a_store_that_is_lost_is_named_and_not_what_happened_to_it(tmp_path: Path) -> None:
    with RunningGateway.of_contract(tmp_path, ADMIN) as gateway:
        assert readiness_of(gateway.url) == (200, {"ok": True, "result": {"status": "ready"}})
        os.link(gateway.database, tmp_path / "twin.db")
        gateway.wait_until(lambda: readiness_of(gateway.url)[0] == 503)
        status, answer = readiness_of(gateway.url)
        assert (status, answer["code"]) == (503, "not_ready")
        assert answer["result"] == {"notReady": ["store"]}
        assert asked(gateway, "/readyz")[0] == 503
        assert math.isnan(metrics_of(gateway).value("taskflow_log_position", shard="first"))


def test_a_key_that_cannot_sign_is_named_and_requests_are_served(tmp_path: Path) -> None:
    audit = {"key": {"source": "env", "provider": "default", "id": "NO_SUCH_KEY"}}
    with RunningGateway.of_contract(tmp_path, {**ADMIN, "audit": audit}) as gateway:
        answer = {"ok": True, "result": {"status": "ready", "notReady": ["signing"]}}
        assert readiness_of(gateway.url) == (200, answer)
        with Caller(gateway.place) as caller:
            assert caller.act("list_flows").status == 200
        assert math.isnan(
            metrics_of(gateway).value("taskflow_checkpoint_age_seconds", shard="first")
        )
