"""Waits of real gateways whose wall clock is set forward and back, while they run and while not."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from attrs import define

from tests.whole.callers import Answer, Caller
from tests.whole.faked_clock import FakedClock
from tests.whole.gateway import RunningGateway
from tests.whole.test_waits import FAST, ended, wait_for

pytestmark = pytest.mark.full

HOUR: Final = 3600


@define
class Waiting:
    """A gateway under a clock of ours, and how far that is off."""

    gateway: RunningGateway
    clock: FakedClock
    off: int = 0

    def set_off(self, seconds: int, *, down: bool = False) -> None:
        """Set the clock, while the gateway runs or while it does not."""
        if down:
            self.gateway.stop()
        self.clock.set_off(seconds)
        self.off = seconds
        if down:
            self.gateway.start()

    def wait(self, seconds: int, flow_id: str | None = None, on_timeout: str = "resume") -> str:
        """Let a flow wait until some seconds from now, by the clock; a new one unless it is named.

        Return its id.
        """
        flow = self.act("get_flow", flowId=flow_id) if flow_id else None
        flow = flow or self.act("create_flow", goal="g")
        found = flow.result["flow"]
        until = (int(time.time()) + self.off + seconds) * 1000
        named = {"flowId": found["flowId"], "expectedRevision": found["revision"]}
        answer = self.act("set_waiting", **named, until=until, onTimeout=on_timeout)
        assert answer.status == 200, answer.document
        return str(found["flowId"])

    def status(self, flow_id: str) -> str:
        """Return the status of a flow once all waits that are due by the clock have ended."""
        before = sum(ended(self.gateway.store_url).values())
        self.wait(-1)  # the last one that is due
        wait_for(self.gateway.store_url, before + 1)
        return str(self.act("get_flow", flowId=flow_id).result["flow"]["status"])

    def times(self, flow_id: str) -> int:
        """Return how often waits of a flow have ended by time."""
        found: Counter[str] = ended(self.gateway.store_url)
        return found[flow_id]

    def act(self, action: str, **given: object) -> Answer:
        """Ask for an action, on a connection of its own."""
        with Caller(self.gateway.place) as caller:
            return caller.act(action, **given)


@pytest.fixture(params=["file", "server"])
def waiting(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Waiting]:
    """A gateway on a store of either kind."""
    gateway = RunningGateway.of_contract(tmp_path, FAST)
    if request.param == "server":
        gateway.store = request.getfixturevalue("postgres_url")
    clock = FakedClock.of(gateway)
    clock.set_off(0)
    with gateway:
        yield Waiting(gateway, clock)
        assert "ERROR" not in gateway.logs


@pytest.mark.parametrize("down", [False, True], ids=["running", "down"])
def test_a_clock_that_is_set_forward_ends_a_wait_once_and_back_ends_it_not_again(
    waiting: Waiting, *, down: bool
) -> None:
    flow, later = waiting.wait(HOUR), waiting.wait(3 * HOUR)
    assert waiting.status(flow) == "waiting"
    waiting.set_off(2 * HOUR, down=down)
    assert (waiting.status(flow), waiting.status(later)) == ("queued", "waiting")
    waiting.set_off(0, down=down)
    waiting.set_off(2 * HOUR, down=down)
    assert (waiting.status(flow), waiting.status(later)) == ("queued", "waiting")
    assert waiting.times(flow) == 1


@pytest.mark.parametrize("down", [False, True], ids=["running", "down"])
def test_a_clock_that_is_set_back_ends_a_wait_as_much_later(
    waiting: Waiting, *, down: bool
) -> None:
    flow = waiting.wait(HOUR, on_timeout="fail")
    waiting.set_off(-24 * HOUR, down=down)
    assert waiting.status(flow) == "waiting"
    waiting.set_off(-HOUR, down=down)
    assert waiting.status(flow) == "waiting"
    waiting.set_off(2 * HOUR, down=down)
    assert waiting.status(flow) == "failed"
    assert waiting.times(flow) == 1


def test_a_flow_that_saw_the_future_waits_by_the_clock_as_it_is(waiting: Waiting) -> None:
    waiting.set_off(24 * HOUR)
    flow = waiting.wait(-1)
    assert waiting.status(flow) == "queued"
    waiting.set_off(0)
    waiting.wait(HOUR, flow)
    assert waiting.status(flow) == "waiting"
    waiting.set_off(2 * HOUR)
    assert waiting.status(flow) == "queued"
    assert waiting.times(flow) == 2
