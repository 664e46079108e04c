"""On PostgreSQL the service answers as on SQLite: the contract, the model, concurrent callers."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Final

import pytest

from adapters.testing.clock import ControlledClock
from adapters.testing.drivers import DriverFactory
from adapters.testing.ids import CountedIds
from adapters.testing.linearizability import NOTHING, call_flow_id, check_linearizable, flow_step
from adapters.testing.machine import explore, machine_for
from tests.contract.outcomes import PutOff
from tests.contract.player import Options
from tests.contract.test_replay import LINES, WAITING, report_of
from tests.kit.concurrent_callers import Caller, call_at_once
from tests.kit.postgres import postgres_service
from tests.kit.test_concurrent_flows import OWNER, _created
from tests.kit.test_generated import FULL
from tests.postgres.commands import command
from tests.whole.gateway import RunningGateway

STEPS: Final = 50_000 if FULL else 100


@pytest.fixture
def drive(shared_url: str) -> DriverFactory:
    """Drive the service over a store that is emptied for each run."""
    return postgres_service(shared_url)


def test_the_service_answers_as_the_model_says(drive: DriverFactory) -> None:
    assert explore(machine_for(drive), STEPS) >= STEPS


def test_what_four_callers_of_two_flows_are_told_has_an_order(
    drive: DriverFactory,
) -> None:
    driver = drive(ControlledClock(), CountedIds())
    created = [_created(driver) for _ in range(2)]
    callers = [
        Caller(driver, OWNER, call_flow_id(created[number % 2].call), random.Random(number))  # noqa: S311 - a test's choices
        for number in range(4)
    ]
    history = call_at_once(callers, 60)
    driver.close()
    check_linearizable([*created, *history], flow_step, lambda _: NOTHING, key=call_flow_id)


@pytest.mark.parametrize("every", [pytest.param(1, marks=pytest.mark.full), 12])
def test_each_recorded_line_of_the_contract_is_answered_as_recorded(
    tmp_path: Path, postgres_url: str, every: int
) -> None:
    scenarios = list(dict.fromkeys(line.scenario for line in LINES))[::every]
    lines = [line for line in LINES if line.scenario in scenarios]
    gateway = RunningGateway.of_contract(tmp_path)
    gateway.store = postgres_url
    report = report_of(lines, gateway, Options(put_off=WAITING))
    assert report.failures == []
    assert frozenset(report.names(PutOff)) == WAITING & {line.name for line in lines}
    done = command("audit", "replay", "--database", postgres_url)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert re.search(r"Replayed \d+ flows", done.stdout)
