"""Stores that lived through generated histories, told of honestly."""

from __future__ import annotations

from typing import Final

from adapters.store import EventSourcedStore, StoreEvidence
from adapters.testing.ids import CountedIds
from domain.audit.findings import Finding
from domain.audit.replay_store import replay_store
from domain.commands import Command, CreateFlow, ResumeFlow
from domain.operators import SYSTEM, Operators
from domain.status import LIVE, FlowStatus
from tests.store.histories import History, Player
from tests.store.service import NOW

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
    return replay_store(StoreEvidence(store), FAR_PAST).findings.kept
