"""A store that fails, loses a race or dies at a write of choice."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from enum import Enum
from typing import TypeVar, assert_never

from attrs import define, field, frozen

from domain.application.ports import (
    Commit,
    CorrelationRef,
    FlowRef,
    FlowStore,
    IssuedLink,
    KeyRef,
    ListFilter,
    Loaded,
    Page,
    StoreUnavailable,
)
from domain.flow.commands import FlowCommand
from domain.flow.ids import FlowId, Owner
from domain.flow.state import Flow
from domain.flow.status import FlowStatus

T = TypeVar("T")


class WriteFault(Enum):
    """What goes wrong."""

    UNAVAILABLE = "unavailable"
    """The store says that it cannot write: `StoreUnavailable`."""
    CONFLICT = "conflict"
    """The store says that another writer was first."""
    DEATH = "death"
    """The process ends there and then: `Died`, and nothing works any more."""


class Moment(Enum):
    """When it goes wrong: before a write, or after it and before it is confirmed."""

    BEFORE = "before"
    AFTER = "after"


@frozen
class Failure:
    """What goes wrong at a write: the `at`-th from when it was planned, counted from 1."""

    fault: WriteFault
    moment: Moment = Moment.BEFORE
    at: int = 1


class Died(BaseException):
    """The process is dead; what it did after its last write is lost with it."""


@define
class FailingStore:
    """A `FlowStore` in front of another, which fails as planned.

    After its death nothing works but `inner`, which is what the next process finds.
    """

    inner: FlowStore
    _planned: list[Failure] = field(factory=list, init=False)
    _writes: int = field(default=0, init=False)
    _dead: bool = field(default=False, init=False)

    def plan(self, *failures: Failure) -> None:
        """Let writes from now on fail, in place of earlier plans."""
        self._planned, self._writes = list(failures), 0

    def find(self, owner: Owner, flow_id: FlowId) -> Flow | None:
        """Return an owner's flow."""
        return self._alive().find(owner, flow_id)

    def find_head(self, owner: Owner, flow_id: FlowId) -> Flow | None:
        """Return an owner's flow, maybe without its tasks."""
        return self._alive().find_head(owner, flow_id)

    def load(self, flow_id: FlowId, version: int | None = None) -> Flow | None:
        """Return a flow as it is, or as of a stream version."""
        return self._alive().load(flow_id, version)

    def load_many(
        self, wanted: Mapping[FlowRef, Sequence[FlowCommand]], keys: Collection[KeyRef]
    ) -> Loaded:
        """Return flows and request keys."""
        return self._alive().load_many(wanted, keys)

    def find_named(self, keys: Collection[CorrelationRef]) -> Mapping[CorrelationRef, FlowId]:
        """Return the live flows that correlation keys name."""
        return self._alive().find_named(keys)

    def append_many(self, commits: Sequence[Commit]) -> Sequence[bool]:
        """Write commits, unless that is to fail."""
        inner = self._alive()
        self._writes += 1
        due = [failure for failure in self._planned if failure.at == self._writes]
        lost = [False] * len(commits)
        if self._fails(due, Moment.BEFORE):
            return lost
        written = inner.append_many(commits)
        return lost if self._fails(due, Moment.AFTER) else written

    def latest(self, owner: Owner) -> Flow | None:
        """Return the flow that an owner created last."""
        return self._alive().latest(owner)

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
        return self._alive().page(owner, limit=limit, before=before, status=status, show=show)

    def find_json(self, owner: Owner, flow_id: FlowId) -> bytes | None:
        """Return the JSON of an owner's flow."""
        return self._alive().find_json(owner, flow_id)

    def latest_json(self, owner: Owner) -> bytes | None:
        """Return the JSON of the flow that an owner created last."""
        return self._alive().latest_json(owner)

    def page_json(
        self,
        owner: Owner,
        *,
        limit: int,
        before: int | None,
        only: ListFilter,
        add: Callable[[bytes], bool],
    ) -> FlowId | None:
        """Hand over the JSON of at most `limit` flows of an owner."""
        alive = self._alive()
        return alive.page_json(owner, limit=limit, before=before, only=only, add=add)

    def find_link(self, link_hash: str) -> IssuedLink | None:
        """Return what a resume link is for, by the hash of the link."""
        return self._alive().find_link(link_hash)

    def position_of(self, owner: Owner, flow_id: FlowId) -> int | None:
        """Return where an owner's flow stands in the order of creation."""
        return self._alive().position_of(owner, flow_id)

    def _alive(self) -> FlowStore:
        if self._dead:
            raise Died
        return self.inner

    def _fails(self, due: Sequence[Failure], moment: Moment) -> bool:
        """Raise what is due, or say whether it is a conflict."""
        return any(self._is_conflict(each.fault) for each in due if each.moment is moment)

    def _is_conflict(self, fault: WriteFault) -> bool:
        match fault:
            case WriteFault.UNAVAILABLE:
                raise StoreUnavailable("this failure was planned")
            case WriteFault.CONFLICT:
                return True
            case WriteFault.DEATH:
                self._dead = True
                raise Died
            case _:
                assert_never(fault)
