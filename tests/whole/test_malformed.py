"""Malformed requests do no harm, however many."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.whole import campaign
from tests.whole.figures import show
from tests.whole.gateway import RunningGateway
from tests.whole.honest import alarms, created_goals, gateway_under_attack, logged_requests
from tests.whole.vitals import Vitals, eventually


def assert_withstood(gateway: RunningGateway, report: campaign.Report) -> None:
    assert created_goals(gateway.place) <= report.asked_goals
    assert report.faults[:5] == []
    assert alarms(gateway) == []


def assert_logged_once(gateway: RunningGateway, report: campaign.Report) -> None:
    """Every answer is one line of the log, whoever made it."""
    lines = list(logged_requests(gateway))
    statuses = dict(lines)
    assert len(lines) == len(statuses)
    assert report.answered.items() <= statuses.items()


def assert_nothing_leaks(before: Vitals, gateway: RunningGateway, most_growth: float) -> None:
    eventually(lambda: Vitals.of(gateway.pid).sockets <= before.sockets, "all sockets are closed")
    after = Vitals.of(gateway.pid)
    assert after.threads == before.threads
    assert after.memory_mib < before.memory_mib + most_growth


def attack(folder: Path, count: int, warm_up: int, most_growth: float) -> str:
    """Let malformed requests come; return what was measured.

    The memory that a process holds after `warm_up` of them is compared with what it holds in the
    end, in MiB; a worker keeps what its largest request took, so that a short run bounds it less.
    """
    with gateway_under_attack(folder) as gateway:
        report = campaign.run(gateway.place, range(warm_up))
        before = Vitals.of(gateway.pid) if sys.platform == "linux" else None
        report.add(campaign.run(gateway.place, range(warm_up, count)))
        assert_withstood(gateway, report)
        assert_logged_once(gateway, report)
        if before is None:
            return f"{report}; sockets and memory are looked at on Linux only"
        assert_nothing_leaks(before, gateway, most_growth)
        return f"{report}; {before}, in the end {Vitals.of(gateway.pid)}"


def test_two_thousand_malformed_requests_do_no_harm(tmp_path: Path) -> None:
    attack(tmp_path, 2_000, warm_up=500, most_growth=64.0)


@pytest.mark.full
def test_a_hundred_thousand_malformed_requests_do_no_harm(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    show(capsys, attack(tmp_path, 100_000, warm_up=20_000, most_growth=16.0))
