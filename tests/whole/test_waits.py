"""Real gateways whose flows wait: thousands due at once, kills in between, links over sockets."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Final

import pytest

from adapters.composition.clock_and_ids import new_id, now
from adapters.store import open_for_reading, open_for_writing
from domain.application.batch import carry_out
from domain.application.outcomes import Accepted
from domain.application.recorded_events import Actor, ActorKind, CommandMetadata
from domain.application.sessions import TaskFlows
from domain.flow.commands import CreateFlow, SetWaiting
from domain.flow.events import FlowWaitExpired
from domain.flow.ids import FlowId, KeyId, Owner, RequestId
from domain.flow.status import OnTimeout
from tests.whole.callers import Caller
from tests.whole.gateway import RunningGateway

OWNER: Final = Owner("agent:main:main")
ORIGIN: Final = CommandMetadata(
    actor=Actor(kind=ActorKind.ROUTE, name="zapier", key_id=KeyId("default")),
    request_id=RequestId("seed"),
)
PATIENCE: Final = 120.0
FAST: Final = {"limits": {"rateRequests": 1_000_000}}


def seed(url: str, count: int, until: int) -> Sequence[FlowId]:
    """Let flows wait until some moment of one second."""
    with closing(open_for_writing(url)) as store:
        session = TaskFlows(store, now, new_id).bind_session(OWNER)
        ids: list[FlowId] = []
        for start in range(0, count, 500):
            part = range(start, min(start + 500, count))
            creations = [
                session.submission(CreateFlow(goal="g", controller_id="c"), ORIGIN) for _ in part
            ]
            made = [_flow_id(outcome) for outcome in carry_out(store, creations)]
            waits = [
                session.submission(
                    SetWaiting(
                        flow_id=flow_id,
                        expected_revision=0,
                        until=until + number % 1000,
                        on_timeout=OnTimeout.RESUME if number % 2 else OnTimeout.FAIL,
                    ),
                    ORIGIN,
                )
                for number, flow_id in zip(part, made, strict=True)
            ]
            for outcome in carry_out(store, waits):
                _flow_id(outcome)
            ids += made
    return ids


def _flow_id(outcome: object) -> FlowId:
    assert isinstance(outcome, Accepted), outcome
    return outcome.flow.flow_id


def ended(url: str) -> Counter[str]:
    """Return how often the wait of each flow has ended by time."""
    with closing(open_for_reading(url)) as store:
        return Counter(
            record.flow_id for _, record in store.log() if isinstance(record.event, FlowWaitExpired)
        )


def wait_for(url: str, count: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while sum(ended(url).values()) < count:
        assert time.monotonic() < deadline, "the waits did not end"
        time.sleep(0.05)


STORES: Final = ("file", pytest.param("server", marks=pytest.mark.full))


@pytest.fixture(params=STORES)
def gateway(request: pytest.FixtureRequest, tmp_path: Path) -> RunningGateway:
    """A gateway that is yet to start, on a new store of either kind."""
    gateway = RunningGateway.of_contract(tmp_path, FAST)
    if request.param == "server":
        gateway.store = request.getfixturevalue("postgres_url")
    return gateway


SIZES: Final = (300, pytest.param(10_000, marks=pytest.mark.full))


@pytest.mark.parametrize("count", SIZES)
def test_waits_that_are_due_in_one_second_end_once_while_callers_are_served(
    gateway: RunningGateway, count: int
) -> None:
    ids = seed(gateway.store_url, count, now() + count // 3)
    with gateway:
        deadline = time.monotonic() + PATIENCE
        with Caller(gateway.place) as caller:
            while sum(ended(gateway.store_url).values()) < len(ids):
                assert time.monotonic() < deadline, "the waits did not end"
                assert caller.act("get_flow", flowId=ids[0]).status in {200, 429}
                time.sleep(0.1)
    assert ended(gateway.store_url) == Counter(ids)
    assert "ERROR" not in gateway.logs


@pytest.mark.parametrize(
    ("count", "kills"), [(300, 1), pytest.param(3000, 3, marks=pytest.mark.full)]
)
def test_kills_between_due_and_done_end_no_wait_twice_and_lose_none(
    gateway: RunningGateway, count: int, kills: int
) -> None:
    ids = seed(gateway.store_url, count, now() - 2000)
    for kill in range(kills):
        gateway.start()
        wait_for(gateway.store_url, kill * 400 + 1)
        gateway.kill()
    between = sum(ended(gateway.store_url).values())
    assert kills == 1 or between < len(ids), "the kills came too late to be between"
    with gateway:
        wait_for(gateway.store_url, len(ids))
    assert ended(gateway.store_url) == Counter(ids)


def test_a_link_is_followed_over_a_real_socket_and_stands_in_no_log(tmp_path: Path) -> None:
    with RunningGateway.of_contract(tmp_path, FAST) as gateway:
        with Caller(gateway.place) as caller:
            flow_id = caller.act("create_flow", goal="g").result["flow"]["flowId"]
            wait = {"flowId": flow_id, "expectedRevision": 0, "resumeLink": True}
            link = caller.act("set_waiting", **wait).result["resumeLink"]
        assert len(link) == len("/resume/") + 43
        assert [_status(gateway, method, link) for method in ("GET", "HEAD")] == [405, 405]
        statuses = [_status(gateway, "POST", path) for path in (link, link, link + "x")]
        assert statuses == [200, 410, 404]
    kept = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert link.removeprefix("/resume/").encode() not in kept


def test_a_gateway_ends_a_wait_that_is_due(gateway: RunningGateway) -> None:
    (flow_id,) = seed(gateway.store_url, 1, now() - 60_000)
    with gateway:
        wait_for(gateway.store_url, 1)
        with Caller(gateway.place) as caller:
            assert caller.act("get_flow", flowId=flow_id).result["flow"]["status"] == "failed"


def _status(gateway: RunningGateway, method: str, path: str) -> int:
    connection = HTTPConnection(gateway.place.host, gateway.place.port, timeout=10)
    with closing(connection):
        connection.request(method, path)
        return connection.getresponse().status
