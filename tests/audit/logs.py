"""A real store whose log has the events of four flows of two owners, one through the other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from adapters.store import StoreAuditLog, open_for_writing
from domain.flow.commands import CreateFlow, ResumeFlow, RunTask, SetWaiting
from domain.flow.ids import Owner
from domain.flow.status import FlowStatus, Runtime
from domain.flow.values import Json
from tests.cli.workbench import Bench, bench

OWNERS: Final = ("agent:main:main", "agent:support:desk")
FLOWS: Final = 4
ROUNDS: Final = 3

AS_SENT: Final = Json(
    '{"b":1.10,"a":123456789012345678901234567890,"e":1E+2,"n":-0,"u":"\\u00e9é\u202e"}'
)
"""A caller's JSON that reading and writing it again would change."""


@contextmanager
def busy_log(path: Path) -> Iterator[StoreAuditLog]:
    """Fill a store and lay it open."""
    with closing(open_for_writing(f"sqlite:///{path}")) as store:
        fill(bench(store))
        yield StoreAuditLog(store)


def fill(service: Bench) -> None:
    """Let four flows live, an event of each in turn."""
    owners = [OWNERS[number % 2] for number in range(FLOWS)]
    create = CreateFlow(goal="Count", controller_id="webhooks/zapier", state_json=AS_SENT)
    flows = {service.execute(create, Owner(owner)).flow.flow_id: owner for owner in owners}
    for round_ in range(ROUNDS):
        for flow, owner in flows.items():
            wait = SetWaiting(flow_id=flow, expected_revision=2 * round_, wait_json=AS_SENT)
            service.execute(wait, Owner(owner))
        for flow, owner in flows.items():
            run = RunTask(flow_id=flow, runtime=Runtime.ACP, task="Count", run_id=f"{round_}")
            service.execute(run, Owner(owner))
            service.execute(
                ResumeFlow(
                    flow_id=flow, expected_revision=2 * round_ + 1, status=FlowStatus.RUNNING
                ),
                Owner(owner),
            )
