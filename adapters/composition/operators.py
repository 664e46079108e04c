"""What operators may do to the flows of all owners, on a store that nobody else writes to."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

from adapters import cli
from adapters.composition.clock_and_ids import new_id, now
from adapters.composition.stores import database_url, gateway_of, opened
from adapters.settings import ChildrenConfig
from adapters.store import EventSourcedStore, open_existing, rebuild
from domain.application.operators import Operators
from domain.application.outcomes import Outcome
from domain.application.ports import Progress
from domain.application.recorded_events import Actor, ActorKind
from domain.application.sweep import Swept
from domain.flow.ids import FlowId
from domain.flow.state import Flow
from domain.replay.findings import RebuiltRows


@contextmanager
def write_store(config: Path | None, database: str | None) -> Iterator[OperatorsFlows]:
    """Open a store to change it as an operator; nobody else may be writing to it."""
    children = ChildrenConfig() if config is None else gateway_of(config).children
    actor = Actor(kind=ActorKind.OPERATOR, name=os.environ.get("USER") or str(os.getuid()))
    with opened(_open, database_url(config, database)) as store:
        yield OperatorsFlows(store, Operators(store, now, new_id, actor), children)


def _open(url: str) -> EventSourcedStore:
    with cli.progress_on(sys.stderr, "upgrading the store") as progress:
        return open_existing(url, progress)


@frozen
class OperatorsFlows:
    """The flows of all owners, to be changed in the operator's name."""

    store: EventSourcedStore
    operators: Operators
    children: ChildrenConfig

    def load(self, flow_id: FlowId, version: int | None = None) -> Flow | None:
        """Return a flow as it is, or as of a stream version."""
        return self.store.load(flow_id, version)

    def cancel(self, flow_id: FlowId) -> Outcome:
        """Cancel a flow of whichever owner."""
        return self.operators.cancel(flow_id)

    def give_up_children(self, flow_id: FlowId) -> Swept:
        """Give up all active children of a flow."""
        return self.operators.give_up_children(flow_id)

    def sweep(self, lost_after: int | None) -> Swept:
        """Give up children that were silent for some seconds."""
        seconds = self.children.lost_after_seconds if lost_after is None else lost_after
        return self.operators.sweep(int(seconds * 1000))

    def rebuild(self, progress: Progress) -> RebuiltRows:
        """Make all derived rows again from the events."""
        return rebuild(self.store, progress)
