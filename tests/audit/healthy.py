"""Stores that lived through generated histories, told of honestly."""

from __future__ import annotations

from typing import Final

from adapters.store import EventSourcedStore, StoreAuditLog
from adapters.testing.ids import CountedIds
from domain.application.operators import SYSTEM, Operators
from domain.flow.commands import CancelFlow, Command, CreateFlow, ResumeFlow, SetWaiting
from domain.flow.ids import FlowId
from domain.flow.status import LIVE, FlowStatus
from domain.replay.findings import Finding
from tests.audit.whole_logs import replay_store
from tests.store.histories import History, Player
from tests.store.service import (
    NOW,
    ORIGIN,
    OWNER,
    STRANGER,
    create,
    granted,
    keyed,
    run,
    service,
    shown,
)

FAR_PAST: Final = 0


def live(store: EventSourcedStore, history: History) -> None:
    """Let a store live through a history, and a sweep of lost children at its end."""
    player = Player(store)
    for step in history:
        if _is_sendable(step.command):
            player.play(step)
    ids = CountedIds("swept")
    Operators(store, lambda: NOW + 10, ids, SYSTEM).sweep(lost_after=0)


def _is_sendable(command: Command) -> bool:
    """Say whether a caller can send a command; the core is given more in its own tests."""
    match command:
        case CreateFlow():
            return command.status in LIVE
        case ResumeFlow():
            return command.status in {FlowStatus.QUEUED, FlowStatus.RUNNING}
        case _:
            return True


def findings(store: EventSourcedStore) -> list[Finding]:
    """Return what a replay of a store finds."""
    return replay_store(StoreAuditLog(store), FAR_PAST).findings.kept


def fill(store: EventSourcedStore) -> None:
    """Fill a store with three flows and eight events.

    `id-1` is created at position 1, has a child linked at 4, waits from 5 on and is to be cancelled
    from 8 on; `id-2`, a stranger's, is created at 2; `id-3` is created at 3 and cancelled at once
    at 6 and 7. The request keys `k1`, `k2` and `k3` came with positions 1, 4 and 6.
    """
    flows = service(store)
    owner, stranger = flows.bind_session(OWNER), flows.bind_session(STRANGER)
    create(owner, keyed("k1"))
    create(stranger)
    create(owner)
    granted(owner.execute(run(FlowId("id-1")), keyed("k2")))
    shown(owner.execute(SetWaiting(flow_id=FlowId("id-1"), expected_revision=0), ORIGIN))
    shown(owner.execute(CancelFlow(flow_id=FlowId("id-3")), keyed("k3")))
    shown(owner.execute(CancelFlow(flow_id=FlowId("id-1")), ORIGIN))
