"""What `deploy/compose` has: two gateways on one database that count limits together."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from tests.shared_limits.server import Valkey
from tests.whole.callers import Caller
from tests.whole.gateway import RunningGateway
from tests.whole.metered import ADMIN, metrics_of, readiness_of


def _gateway(folder: Path, store: str, valkey: Valkey) -> RunningGateway:
    folder.mkdir()
    shared = {"url": valkey.url, "deadlineSeconds": 1}
    limits = {"shared": shared, "rateRequests": 5}
    gateway = RunningGateway.of_contract(folder, {**ADMIN, "limits": limits})
    gateway.store = store
    return gateway


@pytest.mark.full
def test_two_gateways_share_a_log_and_a_limit_and_each_says_how_it_fares(
    tmp_path: Path, postgres_url: str
) -> None:
    with (
        Valkey(tmp_path) as valkey,
        _gateway(tmp_path / "one", postgres_url, valkey) as one,
        _gateway(tmp_path / "other", postgres_url, valkey) as other,
    ):
        for gateway in (one, other):
            assert readiness_of(gateway.url)[0] == 200
        one.wait_until(lambda: metrics_of(one).value("taskflow_limits_shared") == 1)
        one.wait_until(lambda: metrics_of(other).value("taskflow_limits_shared") == 1)
        statuses = []
        for gateway in (one, other, one, other, one, other):
            with Caller(gateway.place) as caller:
                statuses.append(caller.act("create_flow", goal="g").status)
        assert statuses == [200] * 5 + [429]
        mine, others = metrics_of(one), metrics_of(other)
        assert mine.value("taskflow_events_total", shard="first") == 3
        assert others.value("taskflow_events_total", shard="first") == 2
        assert (
            mine.value("taskflow_log_position", shard="first")
            == others.value("taskflow_log_position", shard="first")
            == 5
        )
        assert math.isnan(mine.value("taskflow_store_free_bytes", shard="first"))
