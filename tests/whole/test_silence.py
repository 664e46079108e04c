"""Real gateways that are stopped, started again, or whose clock is set, while a child reports."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import pytest
from attrs import define

from tests.contract.wire_client import Address, Outgoing, Wire
from tests.whole.callers import Answer, Caller, Document
from tests.whole.faked_clock import FakedClock
from tests.whole.gateway import ROOT, RunningGateway

pytestmark = pytest.mark.full

LOST_AFTER: Final = 4.0
SWEEP: Final = 0.5
CHILDREN: Final = {
    "children": {"lostAfterSeconds": LOST_AFTER, "sweepSeconds": SWEEP},
    "limits": {"rateRequests": 1_000_000},
}
LONGER: Final = 1.5 * LOST_AFTER
PATIENCE: Final = 60.0
YEAR: Final = 31_557_600
AT_2000: Final = 946_684_800_000
AT_2090: Final = 3_786_912_000_000


@define
class Pending:
    """A flow whose cancellation waits for a child that reports now and then."""

    gateway: RunningGateway
    flow: str = ""
    task: str = ""

    @classmethod
    def at(cls, gateway: RunningGateway) -> Pending:
        """Make one."""
        made = cls(gateway)
        made.flow = made.act("create_flow", goal="g").result["flow"]["flowId"]
        child = made.act("run_task", flowId=made.flow, runtime="acp", task="t").result["task"]
        made.task = child["taskId"]
        assert made.act("cancel_flow", flowId=made.flow).status == 202
        return made

    def act(self, action: str, **given: object) -> Answer:
        """Ask for an action, on a connection of its own."""
        with Caller(self.gateway.place) as caller:
            return caller.act(action, **given)

    def report(self) -> Document:
        """Let the child report, which must not have been given up; return it."""
        answer = self.act("update_task", flowId=self.flow, taskId=self.task, status="running")
        assert answer.status == 200, answer.document
        task: Document = answer.result["task"]
        return task

    def is_cancelled(self) -> bool:
        """Say whether the cancellation has taken effect."""
        flow = self.act("get_flow", flowId=self.flow).result["flow"]
        return bool(flow["status"] == "cancelled")

    def ends(self) -> None:
        """Report once more and fall silent: the flow is cancelled, and not too early."""
        silent_from = time.monotonic()
        self.report()
        while not self.is_cancelled():
            assert time.monotonic() < silent_from + PATIENCE, "it is pending for ever"
            time.sleep(0.2)
        assert time.monotonic() >= silent_from + LOST_AFTER


def let_it_sweep() -> None:
    """Let time pass in which a gateway sweeps twice or more."""
    time.sleep(3 * SWEEP)


def test_a_child_that_reports_after_a_long_stop_of_the_process_is_not_lost(tmp_path: Path) -> None:
    with RunningGateway.of_contract(tmp_path, CHILDREN) as gateway, ThreadPoolExecutor() as pool:
        pending = Pending.at(gateway)
        another = Pending.at(gateway)
        pending.report()
        gateway.process.send_signal(signal.SIGSTOP)
        waits = pool.submit(pending.report)
        time.sleep(LONGER)
        gateway.process.send_signal(signal.SIGCONT)
        waits.result()
        let_it_sweep()
        another.report()
        pending.ends()


def test_a_child_that_reports_after_a_restart_is_not_lost(tmp_path: Path) -> None:
    with RunningGateway.of_contract(tmp_path, CHILDREN) as gateway:
        pending = Pending.at(gateway)
        gateway.stop()
        time.sleep(LONGER)
        gateway.start()
        let_it_sweep()
        pending.ends()


def test_a_request_that_came_while_the_process_was_stopped_is_not_late(tmp_path: Path) -> None:
    own = {"limits": {"bodySeconds": 1, "headSeconds": 1}}
    with RunningGateway.of_contract(tmp_path, own) as gateway:
        outgoing = _large()
        held = Wire(Address(gateway.place.host, gateway.place.port)).hold(outgoing)
        Pending.at(gateway)  # so the head was read as well
        gateway.process.send_signal(signal.SIGSTOP)
        with ThreadPoolExecutor() as pool:
            answer = pool.submit(held.finish)
            time.sleep(3.0)
            gateway.process.send_signal(signal.SIGCONT)
            assert answer.result().status == 200


def _large() -> Outgoing:
    """Return a request that takes more than one read."""
    document = {"action": "create_flow", "goal": "g", "stateJson": "x" * 200_000}
    body = json.dumps(document).encode()
    secret, kind = "Bearer plain-secret-zapier", "application/json"
    headers = (("Authorization", secret), ("Content-Type", kind))
    return Outgoing("POST", "/plugins/webhooks/zapier", headers, body, declared=len(body))


def since_1971() -> int:
    return YEAR - int(time.time())


@pytest.mark.parametrize(
    "offsets",
    [
        pytest.param([since_1971(), 0], id="from 1971 to now"),
        pytest.param([0, 73 * YEAR, 0], id="to 2099 and back"),
        pytest.param([0, 3_600, 0], id="an hour on and back"),
        pytest.param([0, -3_600, 0], id="an hour back and on"),
    ],
)
def test_a_child_that_reports_is_not_lost_because_the_clock_is_set(
    tmp_path: Path, offsets: Sequence[int]
) -> None:
    gateway = RunningGateway.of_contract(tmp_path, CHILDREN)
    clock = FakedClock.of(gateway)
    clock.set_off(offsets[0])
    with gateway:
        pending = Pending.at(gateway)
        reported = [pending.report()["lastEventAt"]]
        for offset in offsets[1:]:
            clock.set_off(offset)
            let_it_sweep()
            reported.append(pending.report()["lastEventAt"])
        assert (min(reported) < AT_2000) == (min(offsets) < -YEAR)
        assert (max(reported) > AT_2090) == (max(offsets) > YEAR)
        pending.ends()
    assert "ERROR" not in gateway.logs


def test_an_operator_ends_a_cancellation_that_saw_a_clock_in_2099(tmp_path: Path) -> None:
    gateway = RunningGateway.of_contract(tmp_path, CHILDREN)
    clock = FakedClock.of(gateway)
    clock.set_off(73 * YEAR)
    with gateway:
        pending = Pending.at(gateway)
        clock.set_off(0)
        gateway.stop()
        swept = json.loads(taskflow(gateway, "flows", "sweep", "--lost-after", "0", "--json"))
        assert swept == {"lost": 0, "cancelled": 0}
        ended = taskflow(gateway, "flows", "cancel", pending.flow, "--give-up-children", "--json")
        assert json.loads(ended)["flow"]["status"] == "cancelled"
        taskflow(gateway, "audit", "replay")
        gateway.start()
        assert pending.is_cancelled()


def taskflow(gateway: RunningGateway, *arguments: str) -> str:
    """Run a command on the store of a gateway, which must succeed, and return what it says."""
    done = subprocess.run(  # noqa: S603 - our own program, with our own arguments
        [sys.executable, "-m", "app", *arguments, "--database", f"sqlite:///{gateway.database}"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
