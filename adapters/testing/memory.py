"""A small store of flows in memory: the port of the core, kept in lists and dictionaries."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import takewhile
from typing import TypeVar

from attrs import Factory, define

from adapters.presentation.wire_json import render_flow
from domain.application.ports import (
    Commit,
    CorrelationRef,
    FlowRef,
    IdempotencyRecord,
    IssuedLink,
    KeyRef,
    ListFilter,
    Loaded,
    Page,
)
from domain.application.recorded_events import RecordedEvent
from domain.flow.commands import FlowCommand
from domain.flow.concerned import concerned, with_only
from domain.flow.evolve import fold
from domain.flow.ids import FlowId, Owner
from domain.flow.state import Flow, is_named
from domain.flow.status import FlowStatus
from domain.replay.projections import link_rows

T = TypeVar("T")


@define
class MemoryStore:
    """A `FlowStore` whose flows are folded from their records whenever they are asked for.

    It is slow and in plain sight on purpose: what a quicker store answers is held against it. A
    subclass may watch it, or let it fail, by `_enter`, which each method of the port calls first.
    """

    streams: dict[str, list[RecordedEvent]] = Factory(dict)
    keys: dict[KeyRef, IdempotencyRecord] = Factory(dict)

    def find(self, owner: Owner, flow_id: FlowId) -> Flow | None:
        """Return an owner's flow."""
        self._enter("find")
        return self._owned(owner, flow_id)

    def load(self, flow_id: FlowId, version: int | None = None) -> Flow | None:
        """Return a flow as it is, or as of a stream version."""
        self._enter("load")
        return self._fold(flow_id, version)

    def find_head(self, owner: Owner, flow_id: FlowId) -> Flow | None:
        """Return an owner's flow; nothing is spared without its tasks."""
        return self.find(owner, flow_id)

    def load_many(
        self, wanted: Mapping[FlowRef, Sequence[FlowCommand]], keys: Collection[KeyRef]
    ) -> Loaded:
        """Return flows and request keys."""
        self._enter("load_many")
        flows = {
            ref: with_only(flow, concerned(*commands))
            for ref, commands in wanted.items()
            if (flow := self._owned(*ref)) is not None
        }
        return Loaded(flows, {ref: self.keys[ref] for ref in keys if ref in self.keys})

    def find_named(self, keys: Collection[CorrelationRef]) -> Mapping[CorrelationRef, FlowId]:
        """Return the live flows that correlation keys name."""
        self._enter("find_named")
        return {ref: flow.flow_id for ref in keys if (flow := self._named(*ref)) is not None}

    def append_many(self, commits: Sequence[Commit]) -> Sequence[bool]:
        """Write commits; say of each if it was written, or lost to another writer."""
        self._enter("append_many")
        overtaken: set[FlowId] = set()
        written: list[bool] = []
        for commit in commits:
            flow_id = commit.flow.flow_id
            written.append(flow_id not in overtaken and self._append(commit))
            overtaken |= set() if written[-1] else {flow_id}
        return written

    def _append(self, commit: Commit) -> bool:
        stream = self.streams.get(commit.flow.flow_id, [])
        key = commit.request_key
        taken = key is not None and (key.route_id, key.key) in self.keys
        name = commit.flow.correlation_key
        taken |= not stream and name is not None and bool(self._named(commit.flow.owner, name))
        if taken or commit.flow.version - len(commit.events) != len(stream):
            return False
        self.streams[commit.flow.flow_id] = [*stream, *commit.events]
        if key is not None:
            self.keys[key.route_id, key.key] = IdempotencyRecord(
                request_hash=key.request_hash,
                flow_id=commit.flow.flow_id,
                version=commit.flow.version,
                task_id=commit.task_id,
            )
        return True

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
        found = self._behind(owner, before, ListFilter(status=status))
        shown = [show(flow) for _, flow in found[:limit]]
        return Page(flows=shown, next_cursor=found[limit - 1][0] if limit < len(found) else None)

    def find_json(self, owner: Owner, flow_id: FlowId) -> bytes | None:
        """Return the JSON of an owner's flow."""
        self._enter("find_json")
        flow = self._owned(owner, flow_id)
        return None if flow is None else render_flow(flow)

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
        only: ListFilter,
        add: Callable[[bytes], bool],
    ) -> FlowId | None:
        """Hand over the JSON of at most `limit` flows of an owner, created before a position."""
        self._enter("page_json")
        flows = [flow for _, flow in self._behind(owner, before, only)]
        count = sum(1 for _ in takewhile(lambda flow: add(render_flow(flow)), flows[:limit]))
        return flows[count - 1].flow_id if 0 < count < len(flows) else None

    def find_link(self, link_hash: str) -> IssuedLink | None:
        """Return what a resume link is for, by the hash of the link."""
        self._enter("find_link")
        for stream in self.streams.values():
            flow = fold(None, (record.event for record in stream))
            for row in link_rows(stream):
                if row.link_hash == link_hash and flow is not None:
                    return IssuedLink(
                        owner=flow.owner,
                        flow_id=row.flow_id,
                        route_id=row.route_id,
                        key_id=row.key_id,
                    )
        return None

    def position_of(self, owner: Owner, flow_id: FlowId) -> int | None:
        """Return where an owner's flow stands in the order of creation."""
        self._enter("position_of")
        flows = self._newest_first(owner)
        return next((position for position, flow in flows if flow.flow_id == flow_id), None)

    def _enter(self, method: str) -> None:
        """Do nothing."""

    def _owned(self, owner: Owner, flow_id: FlowId) -> Flow | None:
        flow = self._fold(flow_id)
        return flow if flow is not None and flow.owner == owner else None

    def _fold(self, flow_id: FlowId, version: int | None = None) -> Flow | None:
        return fold(None, (record.event for record in self.streams.get(flow_id, [])[:version]))

    def _named(self, owner: Owner, key: str) -> Flow | None:
        flows = (flow for _, flow in self._newest_first(owner))
        return next((flow for flow in flows if is_named(flow, key)), None)

    def _behind(self, owner: Owner, before: int | None, only: ListFilter) -> list[tuple[int, Flow]]:
        return [
            (position, flow)
            for position, flow in self._newest_first(owner)
            if (before is None or position < before) and _is_listed(flow, only)
        ]

    def _newest_first(self, owner: Owner) -> list[tuple[int, Flow]]:
        flows = [self._fold(FlowId(flow_id)) for flow_id in self.streams]
        placed = [
            (at, flow) for at, flow in enumerate(flows) if flow is not None and flow.owner == owner
        ]
        return placed[::-1]


def _is_listed(flow: Flow, only: ListFilter) -> bool:
    return (
        only.status in {None, flow.status}
        and only.controller_id in {None, flow.controller_id}
        and only.current_step in {None, flow.current_step}
        and only.correlation_key in {None, flow.correlation_key}
        and (only.updated_since is None or flow.updated_at >= only.updated_since)
    )
