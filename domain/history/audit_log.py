"""The auditor's port of a store: its events as they are stored, and the rows derived from them.

Nothing here trusts the store: an entry may be damaged or forged.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Protocol

from attrs import frozen

from domain.application.ports import Page
from domain.application.recorded_events import RecordedEvent
from domain.flow.ids import FlowId, KeyId, Owner, RouteId, TaskId
from domain.flow.state import Flow
from domain.flow.status import FlowStatus
from domain.flow.values import Timestamp


class UnreadableEvent(Exception):  # noqa: N818 - reads as what is said of a stored event
    """Stored bytes that are not what we wrote; the sentence names the event."""


class UnknownName(UnreadableEvent):
    """A stored event whose name is none of ours."""


@frozen(kw_only=True)
class LogEntry:
    """A stored event as it lies in the store.

    `position` is its place in the whole log, `version` that in its flow's stream, both counted
    from 1; `name` is its permanent name and `state` its bytes, never re-written.
    """

    position: int
    flow_id: FlowId
    version: int
    name: str
    state: bytes


@frozen(kw_only=True)
class IndexRow:
    """What the owners' index says of a flow; `position` is that of its creation in the log.

    `until` is the moment at which its wait ends by itself.
    """

    owner: Owner
    position: int
    status: str
    silent_since: Timestamp | None
    until: Timestamp | None = None


@frozen(kw_only=True)
class RequestKeyRow:
    """What a store says that a request key stands for: a flow as of a version, perhaps a task."""

    route_id: RouteId
    key: str
    request_hash: str
    flow_id: FlowId
    version: int
    task_id: TaskId | None


@frozen(kw_only=True)
class LinkRow:
    """What a store says that a resume link is for, by its hash, and with which key it was made."""

    link_hash: str
    flow_id: FlowId
    route_id: RouteId
    key_id: KeyId


@frozen(kw_only=True)
class StoredFlow:
    """All that a store has of one flow, read at one moment; what is missing is None.

    `snapshot` is the flow that the cache holds, or the sentence of why it cannot be read;
    `older_snapshots` are the versions of those beside it, of which a healthy store has none.
    `has_tasks_of` says whether the rows of its tasks are those of a flow, and `shows` whether the
    row of what callers are shown is; `is_found_as` whether lists, and its correlation key, find it
    as what it is. `links` are None where the store keeps none.
    """

    entries: Sequence[LogEntry]
    snapshot: Flow | str | None
    index: IndexRow | None
    older_snapshots: Sequence[int] = ()
    has_tasks_of: Callable[[Flow], bool] | None = None
    shows: Callable[[Flow], bool] | None = None
    is_found_as: Callable[[Flow], bool] | None = None
    links: Collection[LinkRow] | None = None


class AuditLog(Protocol):
    """A store opened to be audited: read-only, also beside the process that writes to it."""

    def size(self) -> int:
        """Return the position of the last event in the log, 0 if there is none."""
        ...

    def entries(self, start: int = 1, stop: int | None = None) -> Iterator[LogEntry]:
        """Return the events of the log from one position to another (both included), in order."""
        ...

    def stream(self, flow_id: FlowId) -> Sequence[LogEntry]:
        """Return the events of a flow, in order."""
        ...

    def entry(self, flow_id: FlowId, version: int) -> LogEntry | None:
        """Return one event of a flow."""
        ...

    def read(self, entry: LogEntry) -> RecordedEvent:
        """Return what an entry says.

        Raises:
            UnreadableEvent: if its bytes are not what we wrote; `UnknownName` if they have no name.
        """
        ...

    def flow_ids(self) -> Iterator[FlowId]:
        """Return the id of every flow that has an event, a snapshot or an index row, once each."""
        ...

    def examine(self, flow_id: FlowId) -> StoredFlow:
        """Return all that the store has of a flow, read at one moment."""
        ...

    def request_keys(self) -> Iterator[RequestKeyRow]:
        """Return what each request key stands for, in the order of routes and keys."""
        ...

    def request_key(self, route_id: RouteId, key: str) -> RequestKeyRow | None:
        """Return what a request key stands for."""
        ...

    def load(self, flow_id: FlowId, version: int | None = None) -> Flow | None:
        """Return a flow as the gateway would, or as of a stream version."""
        ...

    def page(
        self, owner: Owner | None, *, limit: int, before: int | None, status: FlowStatus | None
    ) -> Page[Flow]:
        """Return at most `limit` flows, newest first, of one owner or of all, in outline.

        They are without their JSON values and tasks.
        """
        ...
