"""A store with flows worth looking at: busy, failed, hostile, long, and with one event."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Final, NoReturn

from attrs import define, evolve, field, frozen

from adapters.audit.audit_service import AuditService, Configured
from adapters.store import EventSourcedStore, StoreAuditLog, open_for_writing, recording_refusals
from domain.application.outcomes import Accepted
from domain.application.recorded_events import Actor, ActorKind, CommandMetadata, RequestKey
from domain.application.sessions import TaskFlows
from domain.flow import commands as c
from domain.flow.ids import FlowId, KeyId, Owner, RequestId, RouteId
from domain.flow.status import FlowStatus, Runtime, TaskStatus, TerminalOutcome
from domain.flow.values import Json
from domain.history.refused_requests import DeniedRequest, RefusedRequest, TurnedAway

NOON: Final = 1_795_435_200_000
"""2026-11-23T12:00:00Z"""

OWNER: Final = Owner("agent:main:main")
DESK: Final = Owner("agent:support:desk")
ZAPIER: Final = Actor(kind=ActorKind.ROUTE, name="zapier", key_id=KeyId("2026-01"))

HOSTILE: Final = "<script>alert('goal')</script> & \"quoted\" \u202egnp.exe \x1b[31m"
SECOND, MINUTE, HOUR = 1000, 60_000, 3_600_000
DAY: Final = 24 * HOUR


def _no_configuration(config: Path) -> Configured:
    raise AssertionError(config)


DESK_OF_PROOFS: Final = AuditService(_no_configuration)


@define
class Seeder:
    """Brings commands about, at moments of its own and with ids that are counted."""

    store: EventSourcedStore
    at: int = NOON
    first: int = 1
    _numbers: Iterator[int] = field(init=False)
    _requests: Iterator[int] = field(init=False)

    def __attrs_post_init__(self) -> None:
        """Begin to count ids."""
        self._numbers, self._requests = count(self.first), count(self.first)

    def execute(
        self,
        command: c.Command,
        *,
        owner: Owner = OWNER,
        actor: Actor = ZAPIER,
        after: int = SECOND,
    ) -> Accepted:
        """Bring about a command that must be accepted, some milliseconds later."""
        self.at += after
        flows = TaskFlows(self.store, lambda: self.at, self._new_id)
        request = f"7d3a{next(self._requests):08x}"
        origin = CommandMetadata(
            actor=actor,
            request_id=RequestId(request),
            remote_address="203.0.113.7",
            request_key=RequestKey(
                route_id=RouteId(actor.name), key=f"key-{request}", request_hash="00"
            ),
        )
        outcome = flows.bind_session(owner).execute(command, origin)
        assert isinstance(outcome, Accepted), outcome
        return outcome

    def _new_id(self) -> str:
        return f"2f1d7b6e-5d6f-4b6f-8a43-{next(self._numbers):012x}"

    def create(self, goal: str, *, owner: Owner = OWNER, state: object = None) -> str:
        """Create a flow and return its id."""
        held = None if state is None else Json(json.dumps(state, separators=(",", ":")))
        command = c.CreateFlow(
            goal=goal,
            controller_id="webhooks/zapier",
            status=FlowStatus.RUNNING,
            state_json=held,
        )
        return self.execute(command, owner=owner).flow.flow_id


@frozen
class Seeds:
    """The ids of the flows that were sown."""

    busy: str
    failed: str
    hostile: str
    long: str
    single: str
    pending: str


@contextmanager
def sowing(url: str, *, first: int = 1) -> Iterator[Seeder]:
    """Open a store to sow flows in, their ids counted from a number on."""
    store = open_for_writing(url)
    try:
        yield Seeder(store, first=first)
    finally:
        store.close()


@frozen
class Sown:
    """A store with its flows, and the checkpoints over all of them but the last, `pending`."""

    url: str
    seeds: Seeds
    checkpoints: Path
    public_key: str


def sow(folder: Path, *, long: int = 120) -> Sown:
    """Sow one flow of each kind, the long one with so many events, and some refusals."""
    url = f"sqlite:///{folder / 'flows.db'}"
    checkpoints, key = folder / "taskflow.checkpoints", folder / "signing.key"
    public_key = DESK_OF_PROOFS.keygen(key, "sown")
    with sowing(url) as seeder:
        seeds = Seeds(
            busy=_busy(seeder),
            failed=_failed(seeder),
            hostile=_hostile(seeder),
            long=_long(seeder, long),
            single=seeder.create("Say good morning"),
            pending="",
        )
        DESK_OF_PROOFS.checkpoint(
            StoreAuditLog(seeder.store),
            config=None,
            file=checkpoints,
            key=key,
            progress=lambda _done, _all: None,
        )
        seeds = evolve(seeds, pending=_pending(seeder))
    with recording_refusals(url, most=10, on_fault=_fail) as note:
        for refused in _refusals(seeds):
            note(refused)
    return Sown(url, seeds, checkpoints, public_key)


def _fail(fault: Exception) -> NoReturn:
    raise fault


def _refusals(seeds: Seeds) -> Iterator[DeniedRequest]:
    for number, (code, action) in enumerate(
        [("revision_conflict", "resume_flow"), ("terminal", "finish_flow")]
    ):
        yield RefusedRequest(
            at=NOON + DAY + number * MINUTE,
            route_id=RouteId("zapier"),
            key_id=KeyId("2026-01"),
            action=action,
            code=code,
            flow_id=FlowId(seeds.busy),
            request_id=RequestId(f"refused-{number}"),
            remote_address="203.0.113.9",
        )
    yield TurnedAway(at=NOON + DAY, route_id=RouteId("n8n"), code="unauthorized")
    yield TurnedAway(at=NOON + DAY + HOUR, route_id=RouteId("n8n"), code="unauthorized")


def _run(seeder: Seeder, flow: FlowId, task: str, run: str) -> str:
    command = c.RunTask(
        flow_id=flow,
        runtime=Runtime.ACP,
        task=task,
        run_id=run,
        child_session_key="agent:main:acp:worker",
    )
    linked = seeder.execute(command).task
    assert linked is not None
    return linked.task_id


def _news(seeder: Seeder, flow: str, task: str, *, status: TaskStatus, **said: object) -> None:
    command = c.UpdateTask(flow_id=flow, task_id=task, status=status, **said)  # type: ignore[arg-type]
    seeder.execute(command, after=40 * SECOND)


def _busy(seeder: Seeder) -> str:
    flow = seeder.create(
        "Reconcile the invoices of November with the statements of the bank",
        state={"month": "2026-11", "accounts": ["DE89 3704", "FR14 2004"], "matched": 0},
    )
    running, done = TaskStatus.RUNNING, TaskStatus.SUCCEEDED
    fetch = _run(seeder, FlowId(flow), "Fetch the statements of both accounts", "r1")
    match = _run(seeder, FlowId(flow), "Match invoices and payments", "r2")
    _news(seeder, flow, fetch, status=running, progress_summary="1 of 2 accounts")
    _news(seeder, flow, fetch, status=running, progress_summary="2 of 2 accounts")
    _news(seeder, flow, fetch, status=done, terminal_summary="214 lines")
    _news(seeder, flow, match, status=running, progress_summary="180 of 214 matched")
    state = Json('{"month":"2026-11","matched":180,"open":[{"invoice":"R-1042","amount":1250.00}]}')
    wait = Json('{"kind":"approval","from":"head of accounting","invoice":"R-1042"}')
    seeder.execute(
        c.SetWaiting(
            flow_id=FlowId(flow),
            expected_revision=0,
            current_step="await_approval",
            state_json=state,
            wait_json=wait,
        ),
        after=MINUTE,
    )
    resumed = c.ResumeFlow(
        flow_id=FlowId(flow), expected_revision=1, status=FlowStatus.RUNNING, current_step="match"
    )
    seeder.execute(resumed, after=2 * DAY + 5 * HOUR)
    ended = TerminalOutcome.SUCCEEDED
    _news(seeder, flow, match, status=done, terminal_outcome=ended, terminal_summary="all matched")
    blocked = c.SetWaiting(
        flow_id=FlowId(flow),
        expected_revision=2,
        blocked_summary="the ledger is locked until midnight",
    )
    seeder.execute(blocked, after=MINUTE)
    again = c.ResumeFlow(flow_id=FlowId(flow), expected_revision=3, status=FlowStatus.RUNNING)
    seeder.execute(again, after=6 * HOUR)
    done_state = Json('{"month":"2026-11","matched":214,"open":[]}')
    finish = c.FinishFlow(flow_id=FlowId(flow), expected_revision=4, state_json=done_state)
    seeder.execute(finish, after=90 * SECOND)
    return flow


def _failed(seeder: Seeder) -> str:
    flow = seeder.create("Import the price list of the supplier", state={"file": "prices.csv"})
    task = _run(seeder, FlowId(flow), "Read the file", "r1")
    _news(seeder, flow, task, status=TaskStatus.RUNNING)
    _news(seeder, flow, task, status=TaskStatus.FAILED, error="line 812: no such currency: XXZ")
    summary = "the file names a currency that does not exist"
    seeder.execute(c.FailFlow(flow_id=FlowId(flow), expected_revision=0, blocked_summary=summary))
    return flow


def _hostile(seeder: Seeder) -> str:
    state = {"<b>key</b>": HOSTILE, "deep": [[[[[["</pre></svg><img src=x onerror=alert(2)>"]]]]]]}
    flow = seeder.create(HOSTILE, owner=DESK, state=state)
    waiting = c.SetWaiting(
        flow_id=FlowId(flow), expected_revision=0, blocked_summary=f"{HOSTILE}\n\n"
    )
    seeder.execute(waiting, owner=DESK)
    return flow


def _long(seeder: Seeder, events: int) -> str:
    flow = seeder.create("Watch the temperature of the server room")
    for revision in range(events - 1):
        step = c.SetWaiting(
            flow_id=FlowId(flow), expected_revision=revision, current_step=f"{revision}"
        )
        if revision % 2:
            step = c.ResumeFlow(flow_id=FlowId(flow), expected_revision=revision)  # type: ignore[assignment]
        seeder.execute(step, after=0 if revision % 5 else (revision % 7) * MINUTE)
    return flow


def _pending(seeder: Seeder) -> str:
    flow = seeder.create("Answer the customer", owner=OWNER)
    _run(seeder, FlowId(flow), "Look up the order", "r1")
    seeder.execute(c.RequestCancel(flow_id=FlowId(flow), expected_revision=0))
    return flow
