"""The kit's store in memory, which notes what it is asked, and lets others write in between."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from attrs import Factory, define

from adapters.testing import memory
from domain.application.ports import Commit, IdempotencyRecord, Page, StoreUnavailable
from domain.flow.ids import FlowId, Owner, RouteId
from domain.flow.state import Flow
from domain.flow.status import FlowStatus

T = TypeVar("T")


@define
class MemoryStore(memory.MemoryStore):
    """A store in memory that can be watched and disturbed.

    `asked` lists the methods that were called. `meanwhile` holds what other writers do, one entry
    right before each save. The methods named in `broken` fail.
    """

    asked: list[str] = Factory(list)
    meanwhile: list[Callable[[], object]] = Factory(list)
    broken: set[str] = Factory(set)

    def find(self, owner: Owner, flow_id: FlowId) -> Flow | None:
        """Return an owner's flow."""
        self._enter("find")
        return super().find(owner, flow_id)

    def load(self, flow_id: FlowId, version: int | None = None) -> Flow | None:
        """Return a flow as it is, or as of a stream version."""
        self._enter("load")
        return super().load(flow_id, version)

    def save(self, commit: Commit) -> None:
        """Write a commit, or nothing of it."""
        if self.meanwhile:
            self.meanwhile.pop(0)()
        self._enter("save")
        super().save(commit)

    def find_idempotency_record(self, route_id: RouteId, key: str) -> IdempotencyRecord | None:
        """Return what a request key stands for."""
        self._enter("recall")
        return super().find_idempotency_record(route_id, key)

    def latest(self, owner: Owner) -> Flow | None:
        """Return the flow that an owner created last."""
        self._enter("latest")
        return super().latest(owner)

    def page(
        self,
        owner: Owner,
        *,
        limit: int,
        before: int | None,
        status: FlowStatus | None,
        show: Callable[[Flow], T | None],
    ) -> Page[T]:
        """Return at most `limit` flows of an owner, those created before a position."""
        self._enter("page")
        return super().page(owner, limit=limit, before=before, status=status, show=show)

    def position_of(self, owner: Owner, flow_id: FlowId) -> int | None:
        """Return where an owner's flow stands in the order of creation."""
        self._enter("position_of")
        return list(self.streams).index(flow_id) if super().find(owner, flow_id) else None

    def _enter(self, method: str) -> None:
        self.asked.append(method)
        if method in self.broken:
            raise StoreUnavailable(f"{method} does not work now")
