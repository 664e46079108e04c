"""Deliveries that come one to five times, some at once, some over a kill: one effect for each."""

from __future__ import annotations

import random
import threading
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest
from attrs import define, field

from adapters.store import open_for_reading
from domain.flow.ids import Owner
from tests.whole.callers import Caller, Door, GoneError, Request
from tests.whole.gateway import RunningGateway
from tests.whole.reloadable import OLD, OWNER, Reloadable, document, route
from tests.whole.vitals import eventually

MAP: Final = {
    "event": "{type}",
    "delivery": "{id}",
    "rules": [{"on": ["order"], "action": "create_flow", "fields": {"goal": "{id}"}}],
}
LIMITS: Final = {"limits": {"rateRequests": 1_000_000, "inFlight": 10_000}}
SENDERS: Final = 8


@define
class Crowd:
    """Senders at once: what is still to be sent, and the flows that answered each delivery."""

    due: list[int]
    flows: dict[int, set[str]]
    statuses: Counter[int] = field(factory=Counter)

    def begin(self, gateway: RunningGateway) -> list[threading.Thread]:
        """Let them send until nothing is left, or the gateway is gone."""
        threads = [threading.Thread(target=self._send, args=[gateway]) for _ in range(SENDERS)]
        for thread in threads:
            thread.start()
        return threads

    def _send(self, gateway: RunningGateway) -> None:
        with Caller(gateway.place, Door("/plugins/webhooks/shop", OLD)) as caller:
            while True:
                try:
                    number = self.due.pop()
                except IndexError:
                    return
                try:
                    answer = caller.ask(Request({"type": "order", "id": f"order-{number}"}))
                except GoneError:
                    self.due.append(number)
                    return
                self.statuses[answer.status] += 1
                self.flows[number].add(answer.result["flow"]["flowId"])


@pytest.mark.parametrize(
    ("count", "kills"),
    [
        (200, 3),
        pytest.param(4_000, 10, marks=pytest.mark.full),
        pytest.param(100_000, 50, marks=pytest.mark.proof),
    ],
)
def test_each_delivery_has_one_effect(tmp_path: Path, count: int, kills: int) -> None:
    choice = random.Random(count)  # noqa: S311 - an order, no secret
    due = [number for number in range(count) for _ in range(choice.randint(1, 5))]
    choice.shuffle(due)
    total = len(due)
    crowd = Crowd(due, {number: set() for number in range(count)})
    made = Reloadable.in_folder(tmp_path, document({"shop": route(map=MAP)}, taskflow=LIMITS))
    with made.gateway as gateway:
        for kill in range(1, kills + 1):
            senders = crowd.begin(gateway)
            left = total * (kills + 1 - kill) // (kills + 1)
            eventually(lambda left=left: len(due) <= left, "a part is sent", patience=600)  # type: ignore[misc] # a default
            gateway.kill()
            for sender in senders:
                sender.join()
            gateway.start()
        for sender in crowd.begin(gateway):
            sender.join()
    assert crowd.due == []
    assert set(crowd.statuses) == {200}
    assert [number for number, ids in crowd.flows.items() if len(ids) != 1] == []
    with closing(open_for_reading(made.url)) as store:
        page = store.page(
            Owner(OWNER), limit=count + 1, before=None, status=None, show=lambda flow: flow.goal
        )
    assert Counter(page.flows) == {f"order-{number}": 1 for number in range(count)}
