"""A small store of flows in memory: the port of the core, kept in lists and dictionaries."""

from __future__ import annotations

from collections.abc import Callable
from itertools import takewhile
from typing import TypeVar

from attrs import Factory, define

from adapters.presentation.wire_json import render_flow
from domain.application.ports import Commit, IdempotencyRecord, Page, WriteConflict
from domain.application.recorded_events import RecordedEvent
from domain.flow.concerned import ALL_TASKS, TaskSelection, with_only
from domain.flow.evolve import fold
from domain.flow.ids import FlowId, Owner, RouteId
from domain.flow.state import Flow
from domain.flow.status import FlowStatus

T = TypeVar("T")


@define
class MemoryStore:
    """A `FlowStore` whose flows are folded from their records whenever they are asked for.

    It is slow and in plain sight on purpose: what a quicker store answers is held against it. A
    subclass may watch it, or let it fail, by `_enter`, which each method of the port calls first.
    """

    streams: dict[str, list[RecordedEvent]] = Factory(dict)
    keys: dict[tuple[str, str], IdempotencyRecord] = Factory(dict)

    def find(self, owner: Owner, flow_id: FlowId, tasks: TaskSelection = ALL_TASKS) -> Flow | None:
        """Return an owner's flow."""
        self._enter("find")
        flow = self._fold(flow_id)
        return with_only(flow, tasks) if flow is not None and flow.owner == owner else None

    def load(self, flow_id: FlowId, version: int | None = None) -> Flow | None:
        """Return a flow as it is, or as of a stream version."""
        self._enter("load")
        return self._fold(flow_id, version)

    def save(self, commit: Commit) -> None:
        """Write a commit, or nothing of it."""
        self._enter("save")
        stream = self.streams.get(commit.flow.flow_id, [])
        key = commit.request_key
        taken = key is not None and (key.route_id, key.key) in self.keys
        overtaken = commit.events and commit.events[0].version != len(stream) + 1
        if taken or overtaken:
            raise WriteConflict
        self.streams[commit.flow.flow_id] = [*stream, *commit.events]
        if key is not None:
            self.keys[key.route_id, key.key] = IdempotencyRecord(
                request_hash=key.request_hash,
                flow_id=commit.flow.flow_id,
                version=commit.flow.version,
                task_id=commit.task_id,
            )

    def find_idempotency_record(self, route_id: RouteId, key: str) -> IdempotencyRecord | None:
        """Return what a request key stands for."""
        self._enter("find_idempotency_record")
        return self.keys.get((route_id, key))

    def latest(self, owner: Owner) -> Flow | None:
        """Return the flow that an owner created last."""
        self._enter("latest")
        return next((flow for _, flow in self._newest_first(owner)), None)

    def page(
        self,
        owner: Owner,
        *,
        limit: int,
        before: int | None,
        status: FlowStatus | None,
        show: Callable[[Flow], T],
    ) -> Page[T]:
        """Return at most `limit` flows of an owner, those created before a position."""
        self._enter("page")
        found = self._behind(owner, before, status)
        shown = [show(flow) for _, flow in found[:limit]]
        return Page(flows=shown, next_cursor=found[limit - 1][0] if limit < len(found) else None)

    def find_json(self, owner: Owner, flow_id: FlowId) -> bytes | None:
        """Return the JSON of an owner's flow."""
        self._enter("find_json")
        flow = self._fold(flow_id)
        return render_flow(flow) if flow is not None and flow.owner == owner else None

    def latest_json(self, owner: Owner) -> bytes | None:
        """Return the JSON of the flow that an owner created last."""
        self._enter("latest_json")
        return next((render_flow(flow) for _, flow in self._newest_first(owner)), None)

    def page_json(
        self,
        owner: Owner,
        *,
        limit: int,
        before: int | None,
        status: FlowStatus | None,
        add: Callable[[bytes], bool],
    ) -> FlowId | None:
        """Hand over the JSON of at most `limit` flows of an owner, created before a position."""
        self._enter("page_json")
        flows = [flow for _, flow in self._behind(owner, before, status)]
        count = sum(1 for _ in takewhile(lambda flow: add(render_flow(flow)), flows[:limit]))
        return flows[count - 1].flow_id if 0 < count < len(flows) else None

    def position_of(self, owner: Owner, flow_id: FlowId) -> int | None:
        """Return where an owner's flow stands in the order of creation."""
        self._enter("position_of")
        flows = self._newest_first(owner)
        return next((position for position, flow in flows if flow.flow_id == flow_id), None)

    def _enter(self, method: str) -> None:
        """Do nothing."""

    def _fold(self, flow_id: FlowId, version: int | None = None) -> Flow | None:
        return fold(None, (record.event for record in self.streams.get(flow_id, [])[:version]))

    def _behind(
        self, owner: Owner, before: int | None, status: FlowStatus | None
    ) -> list[tuple[int, Flow]]:
        return [
            (position, flow)
            for position, flow in self._newest_first(owner)
            if (before is None or position < before) and status in {None, flow.status}
        ]

    def _newest_first(self, owner: Owner) -> list[tuple[int, Flow]]:
        flows = [self._fold(FlowId(flow_id)) for flow_id in self.streams]
        placed = [
            (at, flow) for at, flow in enumerate(flows) if flow is not None and flow.owner == owner
        ]
        return placed[::-1]
