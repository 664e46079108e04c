"""Callers who are at it at the same time, over real sockets."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from threading import Barrier
from typing import Any

from tests.whole.actions_page import HEADERS
from tests.whole.gateway import RunningGateway

CALLERS = 7


def post(gateway: RunningGateway, request: object, key: str | None = None) -> tuple[int, Any]:
    """Send a request on a connection of its own; return the status and the answer."""
    connection = HTTPConnection(gateway.place.host, gateway.place.port, timeout=20)
    headers = HEADERS if key is None else {**HEADERS, "Idempotency-Key": key}
    connection.request("POST", "/plugins/webhooks/zapier", json.dumps(request), headers)
    response = connection.getresponse()
    answer = json.loads(response.read())
    connection.close()
    return response.status, answer


def post_at_once(
    gateway: RunningGateway, request: object, key: str | None = None
) -> Sequence[tuple[int, Any]]:
    """Let all callers send one request at the same moment."""
    start = Barrier(CALLERS)

    def call(_: int) -> tuple[int, Any]:
        start.wait(20)
        return post(gateway, request, key)

    with ThreadPoolExecutor(CALLERS) as callers:
        return list(callers.map(call, range(CALLERS)))


def created(gateway: RunningGateway) -> str:
    """Create a flow and return its id."""
    answer = post(gateway, {"action": "create_flow", "goal": "g"})[1]
    flow_id: str = answer["result"]["flow"]["flowId"]
    return flow_id


def test_of_callers_with_one_expected_revision_exactly_one_wins(tmp_path: Path) -> None:
    with RunningGateway.of_example(tmp_path) as gateway:
        flow_id = created(gateway)
        for revision in range(5):
            request = {"action": "set_waiting", "flowId": flow_id, "expectedRevision": revision}
            answers = post_at_once(gateway, request)
            assert Counter(status for status, _ in answers) == {200: 1, 409: CALLERS - 1}
            lost = [answer for status, answer in answers if status == 409]
            assert {answer["code"] for answer in lost} == {"revision_conflict"}
            assert {answer["result"]["current"]["revision"] for answer in lost} == {revision + 1}


def test_of_callers_who_cancel_exactly_one_wins(tmp_path: Path) -> None:
    with RunningGateway.of_example(tmp_path) as gateway:
        answers = post_at_once(gateway, {"action": "cancel_flow", "flowId": created(gateway)})
        assert Counter(status for status, _ in answers) == {200: 1, 409: CALLERS - 1}
        assert {answer["code"] for status, answer in answers if status == 409} == {"terminal"}


def test_callers_who_send_one_key_at_once_have_one_effect_and_one_answer(tmp_path: Path) -> None:
    with RunningGateway.of_example(tmp_path) as gateway:
        answers = post_at_once(gateway, {"action": "create_flow", "goal": "once"}, key="retry-1")
        assert {status for status, _ in answers} == {200}
        assert len({json.dumps(answer) for _, answer in answers}) == 1
        listed = post(gateway, {"action": "list_flows"})[1]["result"]["flows"]
        assert [flow["goal"] for flow in listed] == ["once"]


def test_a_second_gateway_on_one_store_is_refused_and_says_who_has_it(tmp_path: Path) -> None:
    with RunningGateway.of_example(tmp_path) as gateway:
        arguments = ["serve", "--config", str(gateway.config), "--port", "0"]
        store = ["--database", f"sqlite:///{gateway.database}"]
        second = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-m", "app", *arguments, *store],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (second.returncode, second.stdout) == (2, "")
        assert f"(pid {gateway.pid}); stop it first" in second.stderr
