"""Callers of a gateway whose database is stuck are answered soon, and it needs no restart."""

from __future__ import annotations

import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from adapters.store import migrate
from tests.postgres.server import eventually, new_database, running_server
from tests.postgres.test_faults import PROMPT
from tests.whole.callers import Answer, Caller, Request
from tests.whole.gateway import RunningGateway
from tests.whole.metered import ADMIN, metrics_of, readiness_of

CREATE = {"action": "create_flow", "goal": "g"}
LATEST = {"action": "find_latest_flow"}


def ask(gateway: RunningGateway, document: dict[str, str]) -> Answer:
    with closing(Caller(gateway.place)) as caller:
        return caller.ask(Request(document))


@pytest.mark.full
def test_a_stuck_database_is_a_prompt_503_for_all_and_then_served_again(tmp_path: Path) -> None:
    with running_server() as server, new_database(server.url) as url:
        migrate(url)
        gateway = RunningGateway.of_contract(tmp_path, ADMIN)
        gateway.store = url
        with gateway, ThreadPoolExecutor(8) as callers:
            assert ask(gateway, CREATE).status == 200
            server.signal_all(signal.SIGSTOP)
            began = time.monotonic()
            try:
                asked = [CREATE, LATEST] * 4
                answers = list(callers.map(lambda document: ask(gateway, document), asked))
                assert time.monotonic() - began < PROMPT
                seen = metrics_of(gateway)
                assert readiness_of(gateway.url)[1]["result"]["notReady"] == ["store", "database"]
            finally:
                server.signal_all(signal.SIGCONT)
            assert seen.value("taskflow_database_up", shard="first") == 0
            assert {answer.status for answer in answers} == {503}
            assert {answer.headers.get("retry-after") for answer in answers} == {"5"}
            assert eventually(lambda: ask(gateway, LATEST).status == 200)
            assert eventually(lambda: ask(gateway, CREATE).status == 200)
            assert metrics_of(gateway).value("taskflow_database_up", shard="first") == 1
            assert (
                metrics_of(gateway).value("taskflow_database_reconnects_total", shard="first") >= 1
            )
