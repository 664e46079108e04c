"""A store of flows in memory, for tests of what stands in front of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from attrs import define, field

from domain.application.ports import (
    Commit,
    IdempotencyRecord,
    Page,
    StoreUnavailable,
    WriteConflict,
)
from domain.application.recorded_events import RecordedEvent
from domain.flow.state import Flow
from domain.flow.status import FlowStatus

T = TypeVar("T")


@define
class MemoryStore:
    """Keeps every state of every flow; fails on request, as a broken disk does."""

    states: dict[str, list[Flow]] = field(factory=dict)
    keys: dict[tuple[str, str], IdempotencyRecord] = field(factory=dict)
    records: list[RecordedEvent] = field(factory=list)
    broken_for: frozenset[str] = frozenset()
    """What fails now: `read`, `write`."""

    def find(self, owner: str, flow_id: str) -> Flow | None:
        """Return an owner's flow as it is."""
        flow = self.load(flow_id)
        return flow if flow is not None and flow.owner == owner else None

    def load(self, flow_id: str, version: int | None = None) -> Flow | None:
        """Return a state of a flow."""
        self._check("read")
        states = self.states.get(flow_id, [])
        wanted = (state for state in reversed(states) if version in {None, state.version})
        return next(wanted, None)

    def save(self, commit: Commit) -> None:
        """Keep a state of a flow."""
        self._check("write")
        states = self.states.setdefault(commit.flow.flow_id, [])
        if commit.events:
            if commit.events[0].version != (states[-1].version if states else 0) + 1:
                raise WriteConflict
            states.append(commit.flow)
        self.records.extend(commit.events)
        if commit.request_key is not None:
            self._remember(commit)

    def find_idempotency_record(self, route_id: str, key: str) -> IdempotencyRecord | None:
        """Return what a request key stands for."""
        self._check("read")
        return self.keys.get((route_id, key))

    def latest(self, owner: str) -> Flow | None:
        """Return the flow that an owner created last."""
        self._check("read")
        return next((flow for _, flow in self._newest_first(owner)), None)

    def page(
        self,
        owner: str,
        *,
        limit: int,
        before: int | None,
        status: FlowStatus | None,
        show: Callable[[Flow], T | None],
    ) -> Page[T]:
        """Return some flows of an owner."""
        self._check("read")
        found = [
            (position, flow)
            for position, flow in self._newest_first(owner)
            if (before is None or position < before) and status in {None, flow.status}
        ]
        shown: list[T] = []
        last: int | None = None
        for position, flow in found[:limit]:
            item = show(flow)
            if item is None:
                break
            shown.append(item)
            last = position
        return Page(flows=shown, next_cursor=last if len(shown) < len(found) else None)

    def position_of(self, owner: str, flow_id: str) -> int | None:
        """Return where an owner's flow stands in the order of creation."""
        self._check("read")
        flows = self._newest_first(owner)
        return next((position for position, flow in flows if flow.flow_id == flow_id), None)

    def _newest_first(self, owner: str) -> Iterator[tuple[int, Flow]]:
        for position, states in reversed(list(enumerate(self.states.values()))):
            if states[-1].owner == owner:
                yield position, states[-1]

    def _remember(self, commit: Commit) -> None:
        key = commit.request_key
        if key is not None:
            self.keys[key.route_id, key.key] = IdempotencyRecord(
                request_hash=key.request_hash,
                flow_id=commit.flow.flow_id,
                version=commit.flow.version,
                task_id=commit.task_id,
            )

    def _check(self, work: str) -> None:
        if work in self.broken_for:
            raise StoreUnavailable("the disk is gone")
