"""A proxy that pools its connections never finds one at its end, whatever the pauses are."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.whole.gateway import Place, RunningGateway
from tests.whole.honest import PATIENCE, UNLIMITED, ask, webhook
from tests.whole.proxies import KINDS, Kind, Proxy

CALLERS = 40
PAUSES = (4.96, 5.0, 5.04, 5.08, 5.12, 5.16, 5.2)
"""Seconds around those after which a gateway once closed its connections."""

NGINX = KINDS["nginx"]


def pooling(folder: Path, port: int, gateway: Place) -> str:
    """Write the configuration of an nginx that keeps a connection for each caller."""
    configured = NGINX.configured(folder, port, gateway)
    return configured.replace("keepalive 1;", f"keepalive {CALLERS};")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Where a proxy listens before a gateway that keeps connections as long as by default."""
    kind = Kind("nginx, pooling", NGINX.command, pooling, streams=False)
    gateway = RunningGateway.of_contract(tmp_path, {"limits": UNLIMITED})
    with gateway, Proxy.before(gateway.place, kind, tmp_path) as proxy:
        yield proxy.place


@pytest.mark.full
def test_no_request_is_sent_into_the_end_of_a_pooled_connection(place: Place) -> None:
    request = webhook(b'{"action": "find_latest_flow"}', "Connection: close")
    with ThreadPoolExecutor(CALLERS) as callers:
        for pause in (0.0, *PAUSES):
            time.sleep(pause)  # the stretch of time that matters
            answers = list(callers.map(lambda _: ask(place, request), range(CALLERS)))
            assert {answer.status for answer in answers} == {200}


def test_a_gateway_says_for_how_long_it_keeps_a_connection(tmp_path: Path) -> None:
    with RunningGateway.of_contract(tmp_path) as gateway:
        connection = HTTPConnection(gateway.place.host, gateway.place.port, timeout=PATIENCE)
        for _ in range(2):
            connection.request("GET", "/healthz")
            answer = connection.getresponse()
            answer.read()
            assert answer.headers["Keep-Alive"] == "timeout=75"
        connection.close()
