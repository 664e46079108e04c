"""Generated histories: the core, the service and the gateway answer as the model says.

`make test` takes some thousands of steps. With TASKFLOW_PROVE=full it is the proof: a million on
the core, 100,000 on the durable store, 20,000 on a live gateway.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from adapters.testing.drivers import memory_service, pure_core
from adapters.testing.machine import explore, machine_for
from tests.kit.live import live
from tests.kit.sqlite import sqlite_service

FULL: Final = os.environ.get("TASKFLOW_PROVE") == "full"
PURE: Final = 1_000_000 if FULL else 8_000
MEMORY: Final = 100_000 if FULL else 2_000
SQLITE: Final = 100_000 if FULL else 1_500
HTTP: Final = 20_000 if FULL else 300


def test_the_pure_core_answers_as_the_model_says() -> None:
    assert explore(machine_for(pure_core), PURE) >= PURE


def test_the_service_over_a_store_in_memory_answers_as_the_model_says() -> None:
    assert explore(machine_for(memory_service), MEMORY) >= MEMORY


def test_the_service_over_the_durable_store_answers_as_the_model_says() -> None:
    assert explore(machine_for(sqlite_service), SQLITE) >= SQLITE


def test_a_live_gateway_answers_as_the_model_says(tmp_path: Path) -> None:
    with live(tmp_path) as gateways:
        assert explore(machine_for(gateways.drive), HTTP) >= HTTP
        assert gateways.restarts > 0
