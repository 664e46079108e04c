"""A gateway that is killed at a random moment under load has lost nothing that it acknowledged."""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from tests.whole.callers import Caller, Request
from tests.whole.gateway import GatewayFailedError, RunningGateway
from tests.whole.stored import assert_holds_exactly, assert_nothing_to_rebuild
from tests.whole.writers import Writer, crowd, writing

ROUNDS = 10
LIMITS = {"limits": {"rateRequests": 1_000_000}}


def test_what_was_acknowledged_outlives_a_kill(tmp_path: Path) -> None:
    _kill_again_and_again(tmp_path, seed=0, rounds=5)


@pytest.mark.full
@pytest.mark.parametrize("seed", range(1, 21))
def test_what_was_acknowledged_outlives_ten_kills(tmp_path: Path, seed: int) -> None:
    _kill_again_and_again(tmp_path, seed=seed, rounds=ROUNDS)


def _kill_again_and_again(folder: Path, *, seed: int, rounds: int) -> None:
    """Kill a gateway several times on one file, and compare the file with what writers know.

    The load and the moments of death follow from the seed, which the name of the test shows; at
    which byte a moment falls is up to the machine.
    """
    choice = random.Random(seed)  # noqa: S311 - moments, no secret
    gateway = RunningGateway.of_contract(folder, LIMITS)
    writers = crowd(seed, choice.randrange(4, 9))
    with gateway:
        for _ in range(rounds):
            _write_and_kill(gateway, writers, seconds=choice.uniform(0.02, 0.4))
            if choice.random() < 0.3:
                _kill_while_it_starts(gateway, seconds=choice.uniform(0.1, 0.5))
            gateway.start()
            for writer in writers:
                _check(gateway, writer)
    assert [writer.faults for writer in writers if writer.faults] == []
    told = [entry for writer in writers for entry in writer.acknowledged]
    assert_holds_exactly(gateway.database, told)
    assert_nothing_to_rebuild(gateway.database)


def _write_and_kill(gateway: RunningGateway, writers: Sequence[Writer], *, seconds: float) -> None:
    with writing(writers, gateway.place):
        threading.Event().wait(seconds)
        gateway.kill()


def _kill_while_it_starts(gateway: RunningGateway, *, seconds: float) -> None:
    """Kill a gateway that has not yet, or only just, recovered from the kill before."""
    killer = threading.Timer(seconds, gateway.kill)
    killer.start()
    with suppress(GatewayFailedError):
        gateway.start()
    gateway.kill()
    killer.join()


def _check(gateway: RunningGateway, writer: Writer) -> None:
    """Check the flow that a writer was at: as it was told last, or one whole step further.

    Then its last request is sent again, twice: whether or not it had come through, both answers
    are the same, and the effect is there once.
    """
    told, pending = writer.acknowledged[-1:], writer.pending
    assert pending is not None
    with Caller(gateway.place) as caller:
        found = _flow(caller, pending)
        again, repeated = caller.ask(pending), caller.ask(pending)
        assert (again.status, again.body) == (200, repeated.body), (pending, again, repeated)
        before = told[0].result["flow"] if told and "flowId" in pending.document else None
        assert found in (before, again.result["flow"]), (writer, pending)
        assert writer.ask(caller)
        after = writer.acknowledged[-1].result["flow"]
        assert caller.act("get_flow", flowId=after["flowId"]).result["flow"] == after
        assert after["revision"] == _revision(pending, before)


def _flow(caller: Caller, request: Request) -> object:
    """Return the flow that a request is about, as it is now."""
    flow_id = request.document.get("flowId")
    return None if flow_id is None else caller.act("get_flow", flowId=flow_id).result["flow"]


STEPS = {"run_task": 0, "update_task": 0, "cancel_flow": 2}


def _revision(request: Request, before: dict[str, int] | None) -> int:
    """Return the revision that a request leads to."""
    return 0 if before is None else before["revision"] + STEPS.get(request.document["action"], 1)
