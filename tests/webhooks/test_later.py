"""Under a server whose threads must not wait: what is answered at once, and what is put off."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field
from falcon.testing import create_environ

from adapters.webhooks.responses import RawPieces
from adapters.webhooks.slow_reads import SLOW_FOR_SECONDS, SLOW_SECONDS
from domain.application.ports import StoreBusy
from domain.flow.ids import FlowId, Owner
from tests.memory_store import READ, WRITE, WatchedStore
from tests.webhooks.gateway import OF_SERVER, Gateway, given, path_of, run
from tests.webhooks.signing import signed_gateway

Make = Callable[[], RawPieces]


@define
class Later:
    """What our own server hands over, and what became of it."""

    answers: list[tuple[str, Make]] = field(factory=list)

    def __call__(self) -> Later:
        return self

    def begin_soon(self, begin: Callable[[], None]) -> None:
        """Begin at once: nothing else is read here."""
        begin()

    def answer(self, make: Make) -> None:
        """Note an answer that is made in the loop."""
        self.answers.append(("in the loop", make))

    def answer_aside(self, make: Make, *, urgent: bool = False) -> None:
        """Note an answer that is made in another thread."""
        self.answers.append(("urgent" if urgent else "aside", make))


def asked(
    gateway: Gateway, document: object, target: str | None = None, method: str = "POST"
) -> tuple[str | None, int, dict[str, Any]]:
    """Ask a gateway in the loop; say where it was answered, and what."""
    permit = gateway.admit(target=target, method=method)
    assert not isinstance(permit, tuple)
    body = b"" if document is None else json.dumps(document).encode()
    later = Later()
    environ = create_environ(method="POST", path=path_of("zapier"), body=body)
    at_once = run(gateway.app, environ | given(permit, OF_SERVER) | {"taskflow.later": later})
    if not later.answers:
        return None, at_once[0], json.loads(at_once[1])
    ((where, make),) = later.answers
    logged = len(gateway.access_log)
    status, _, pieces = make()
    assert len(gateway.access_log) == logged + 1, "it is logged when it is answered"
    return where, status, json.loads(b"".join(pieces))


def test_one_flow_and_a_short_list_are_answered_at_once(gateway: Gateway) -> None:
    flow_id = gateway.create()
    assert asked(gateway, {"action": "get_flow", "flowId": flow_id})[:2] == (None, 200)
    assert asked(gateway, {"action": "list_flows"})[:2] == (None, 200)
    assert asked(gateway, {"action": "nothing"})[:2] == (None, 400)


@pytest.mark.parametrize(
    ("flows", "wanted", "where"),
    [(64, {}, None), (65, {}, "aside"), (65, {"limit": 64}, None), (66, {"limit": 65}, "aside")],
)
def test_a_list_beyond_64_is_made_aside(
    gateway: Gateway, flows: int, wanted: dict[str, int], where: str | None
) -> None:
    for _ in range(flows):
        gateway.create()
    found = asked(gateway, {"action": "list_flows", **wanted})
    assert found[:2] == (where, 200)
    assert len(found[2]["result"]["flows"]) == wanted.get("limit", flows)


def test_a_list_of_long_flows_is_made_aside(gateway: Gateway) -> None:
    for _ in range(3):
        gateway.create(stateJson="x" * 100_000)
    where, _, document = asked(gateway, {"action": "list_flows", "limit": 3})
    assert (where, len(document["result"]["flows"])) == ("aside", 3)


def test_a_change_is_answered_in_the_loop_when_it_is_carried_out(gateway: Gateway) -> None:
    where, status, document = asked(gateway, {"action": "create_flow", "goal": "g"})
    assert (where, status, document["result"]["created"]) == ("in the loop", 200, True)
    assert gateway.access_log[-1]["flow_id"] == document["result"]["flow"]["flowId"]


def test_an_answer_with_many_tasks_is_made_aside(gateway: Gateway) -> None:
    flow_id = gateway.create()
    for number in range(65):
        gateway.link(flow_id, runId=f"run-{number}")
    where, status, document = asked(gateway, {"action": "cancel_flow", "flowId": flow_id})
    assert (where, status, len(document["result"]["tasks"])) == ("aside", 202, 65)


def test_a_probe_of_readiness_is_urgent_and_one_of_life_is_answered_at_once(
    gateway: Gateway,
) -> None:
    assert asked(gateway, None, target="/readyz", method="GET")[:2] == ("urgent", 200)
    assert asked(gateway, None, target="/healthz", method="GET")[:2] == (None, 200)


def test_a_store_that_fails_is_answered_as_ever(gateway: Gateway) -> None:
    flow_id = gateway.create()
    gateway.store.broken = WRITE
    finish = {"action": "finish_flow", "flowId": flow_id, "expectedRevision": 0}
    assert asked(gateway, finish)[:2] == ("in the loop", 503)
    gateway.store.broken = READ
    assert asked(gateway, {"action": "get_flow", "flowId": flow_id})[:2] == (None, 503)
    assert len(gateway.fault_log) == 2


def test_a_command_that_nobody_takes_is_answered(gateway: Gateway) -> None:
    gateway.is_stopped = True
    create = {"action": "create_flow", "goal": "g"}
    assert asked(gateway, create)[:2] == ("in the loop", 503)
    assert len(gateway.fault_log) == 1


def test_who_is_not_known_is_refused_as_a_head_is(tmp_path: Path) -> None:
    """By the server itself, so that no byte of the answer says that a signature was looked at."""
    gateway = signed_gateway(tmp_path, secret="key-of-a-sender-1", auth={"scheme": "github"})
    where, status, document = asked(gateway, {"action": "list_flows"})
    assert (where, status) == ("in the loop", 401)
    assert "routeId" not in document


class SlowStore(WatchedStore):
    """A store whose reads take a while."""

    takes: float = 0.0
    gateway: Gateway

    def find_json(self, owner: Owner, flow_id: FlowId) -> bytes | None:
        """Take a while to find a flow."""
        self.gateway.uptime += self.takes
        return super().find_json(owner, flow_id)


def test_after_a_slow_read_nobody_waits_for_another_in_the_loop() -> None:
    store = SlowStore()
    gateway = store.gateway = Gateway(store=store)
    get = {"action": "get_flow", "flowId": gateway.create()}
    store.takes = 2 * SLOW_SECONDS
    assert asked(gateway, get)[:2] == (None, 200)
    assert asked(gateway, get)[:2] == ("urgent", 200)
    gateway.uptime += SLOW_FOR_SECONDS
    store.takes = 0.0
    assert asked(gateway, get)[:2] == (None, 200)
    assert asked(gateway, get)[:2] == (None, 200)


class BusyStore(WatchedStore):
    """A store that is locked, for who may not wait."""

    is_busy: bool = False

    def find_json(self, owner: Owner, flow_id: FlowId) -> bytes | None:
        """Refuse once to wait."""
        if self.is_busy:
            self.is_busy = False
            raise StoreBusy("locked")
        return super().find_json(owner, flow_id)


def test_a_read_that_would_wait_is_asked_again_by_a_thread_that_may() -> None:
    store = BusyStore()
    gateway = Gateway(store=store)
    get = {"action": "get_flow", "flowId": gateway.create()}
    store.is_busy = True
    assert asked(gateway, get)[:2] == ("urgent", 200)
    assert asked(gateway, get)[:2] == ("urgent", 200)
    gateway.uptime += SLOW_FOR_SECONDS
    assert asked(gateway, get)[:2] == (None, 200)
