"""Nobody who reads one flow waits for those who read many, or for a slow disk."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from threading import Event, Thread

import pytest
from attrs import frozen

from adapters.store import open_for_writing
from bench.load import quantile
from bench.slow_sync import LeftOut, slow_syncs
from domain.flow.commands import CreateFlow
from tests.whole.answers import Answer
from tests.whole.figures import show
from tests.whole.gateway import RunningGateway
from tests.whole.honest import UNLIMITED, ask, creating, webhook
from tests.whole.test_bounds import ORIGIN, session_of

LIST = webhook(b'{"action":"list_flows"}', "Connection: close")
CREATE = webhook(creating("g"), "Connection: close")
PROBES = {
    name: f"GET /{name} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
    for name in ("healthz", "readyz")
}
SHUT_OUT_SECONDS = 5.0
SYNC_MS = 50


@frozen
class Waits:
    """How long requests of one kind took, in milliseconds."""

    what: str
    took: list[float]

    def __str__(self) -> str:
        """Say it in a line."""
        took = sorted(self.took)
        p50, p99, most = (quantile(took, share) for share in (0.5, 0.99, 1.0))
        return f"{self.what}: {len(took)} requests, p50 {p50} ms, p99 {p99} ms, most {most} ms"


def repeated(asking: Callable[[], Answer], over: Event, took: list[float]) -> None:
    while not over.wait(0.01):
        began = time.monotonic()
        assert asking().status == 200
        took.append(time.monotonic() - began)


def waits_beside(gateway: RunningGateway, flow_id: str, beside: list[bytes]) -> list[Waits]:
    """Read one flow, and probe, while others send what they send without a pause."""
    body = json.dumps({"action": "get_flow", "flowId": flow_id}).encode()
    get = webhook(body, "Connection: close")
    kinds = {"get_flow": get, **PROBES}
    waits = [Waits(name, []) for name in kinds]
    over = Event()
    jobs = [(request, list[float]()) for request in beside]
    jobs += [(kinds[each.what], each.took) for each in waits]
    with ExitStack() as stack:
        for request, took in jobs:
            thread = Thread(
                target=repeated, args=(partial(ask, gateway.place, request), over, took)
            )
            thread.start()
            stack.callback(thread.join)
        stack.callback(over.set)
        over.wait(5)
    return waits


def gateway_of(folder: Path) -> RunningGateway:
    return RunningGateway.of_contract(folder, {"limits": UNLIMITED})


@pytest.mark.full
def test_a_reader_of_one_flow_beside_those_who_list_a_thousand(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = gateway_of(tmp_path)
    with closing(open_for_writing(f"sqlite:///{made.database}")) as store:
        session = session_of(store)
        for _ in range(1_000):
            session.execute(CreateFlow(goal="g", controller_id="c"), ORIGIN)
    with made as gateway:
        for callers in (0, 1, 4):
            for waits in waits_beside(gateway, "id-2", [LIST] * callers):
                show(capsys, f"beside {callers} who list 1,000: {waits}")
                assert max(waits.took) < SHUT_OUT_SECONDS


@pytest.mark.full
def test_a_reader_of_one_flow_beside_a_disk_that_syncs_slowly(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.slow_sync.SLOWER_MS", SYNC_MS)
    preload = slow_syncs(tmp_path)
    if isinstance(preload, LeftOut):
        pytest.skip(preload.why)
    for name, value in preload.environ.items():
        monkeypatch.setenv(name, value)
    with gateway_of(tmp_path) as gateway:
        flow_id = ask(gateway.place, CREATE).json["result"]["flow"]["flowId"]
        for waits in waits_beside(gateway, flow_id, [CREATE] * 8):
            show(capsys, f"beside 8 who write with syncs of {SYNC_MS} ms: {waits}")
            assert max(waits.took) < SHUT_OUT_SECONDS
