"""What the core needs from outside, and how it fails there."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final, Generic, Protocol, TypeAlias, TypeVar

from attrs import field, frozen

from domain.application.recorded_events import RecordedEvent, RequestKey
from domain.flow.commands import FlowCommand
from domain.flow.ids import FlowId, KeyId, Owner, RouteId, TaskId
from domain.flow.state import Flow
from domain.flow.status import FlowStatus
from domain.flow.values import Timestamp

T = TypeVar("T")

Clock: TypeAlias = Callable[[], Timestamp]
"""Returns now, in milliseconds since the epoch."""

NewId: TypeAlias = Callable[[], str]
"""Returns an id that no one has seen before."""

Progress: TypeAlias = Callable[[int, int], object]
"""Takes how many parts of some work are done, and of how many; it may raise to end the work."""


class StoreUnavailable(Exception):  # noqa: N818 - reads as what callers get for an answer
    """The store cannot be read or written now; what was asked did not happen."""


class StoreBusy(StoreUnavailable):
    """A read would have to wait for a lock, in a thread that must not wait; another may."""


@frozen(kw_only=True)
class Commit:
    """What one command writes, or nothing of it.

    It was decided on the flow as it was `before`, if there was one. `events` follow one another in
    the stream of `flow`, the state after the last of them. There are none where a command was
    accepted that changes nothing: then only its request key is kept. `task_id` is the child that
    the command was about, kept with the request key for its repeats; `lists_tasks` says that it was
    about all of them.
    """

    events: tuple[RecordedEvent, ...]
    before: Flow | None
    flow: Flow
    request_key: RequestKey | None = None
    task_id: TaskId | None = None
    lists_tasks: bool = False


@frozen(kw_only=True)
class IdempotencyRecord:
    """What a request key stands for: the request that used it, and what it led to.

    `flow` is the flow as of that version, with the task, where the store has kept it.
    """

    request_hash: str
    flow_id: FlowId
    version: int
    task_id: TaskId | None
    flow: Flow | None = field(default=None, eq=False, repr=False)


FlowRef: TypeAlias = tuple[Owner, FlowId]
"""A flow, as the owner who asks for it names it."""

KeyRef: TypeAlias = tuple[RouteId, str]
"""A request key, as one of its spellings on its route."""


CorrelationRef: TypeAlias = tuple[Owner, str]
"""A correlation key of an owner's."""


@frozen(kw_only=True)
class IssuedLink:
    """Which flow a resume link is for, and the key of the route that it was made for."""

    owner: Owner
    flow_id: FlowId
    route_id: RouteId
    key_id: KeyId


@frozen
class Loaded:
    """What was found of what a batch asked for."""

    flows: Mapping[FlowRef, Flow]
    records: Mapping[KeyRef, IdempotencyRecord]


@frozen(kw_only=True)
class ListFilter:
    """What flows of a list have in common; what is None does not matter.

    `updated_since` compares the moment at which a flow's revision moved last.
    """

    status: FlowStatus | None = None
    controller_id: str | None = None
    current_step: str | None = None
    correlation_key: str | None = None
    updated_since: Timestamp | None = None


NO_FILTER: Final = ListFilter()


@frozen(kw_only=True)
class Page(Generic[T]):
    """What is shown of some flows, newest first, and the cursor of the rest if there is a rest.

    The cursor is the position of the last of them: one in the whole store, for no caller's eyes.
    """

    flows: Sequence[T]
    next_cursor: int | None


def itself(shown: T) -> T:
    """Show something as it is."""
    return shown


class FlowStore(Protocol):
    """A durable store of flows. All its methods may raise `StoreUnavailable`."""

    def find(self, owner: Owner, flow_id: FlowId) -> Flow | None:
        """Return an owner's flow; a foreign flow is not even read, and costs what none costs."""
        ...

    def find_head(self, owner: Owner, flow_id: FlowId) -> Flow | None:
        """Return the same, maybe without tasks and large values: one read, however many it has."""
        ...

    def load(self, flow_id: FlowId, version: int | None = None) -> Flow | None:
        """Return a flow as it is, or as of a stream version."""
        ...

    def load_many(
        self, wanted: Mapping[FlowRef, Sequence[FlowCommand]], keys: Collection[KeyRef]
    ) -> Loaded:
        """Return flows, each with the commands that will be decided on it, and request keys.

        A flow has at least those of its tasks with it that its commands concern. A foreign flow is
        not even read. All is as of one moment, or the keys as of a later one: who
        sees what a command did to a flow sees its request key too.
        """
        ...

    def find_named(self, keys: Collection[CorrelationRef]) -> Mapping[CorrelationRef, FlowId]:
        """Return the live flows that correlation keys name: of each at most one.

        What is returned may have ended since.
        """
        ...

    def append_many(self, commits: Sequence[Commit]) -> Sequence[bool]:
        """Write commits durably, in order and in one transaction; say of each if it was written.

        One is not, and leaves nothing, if another writer was first: its stream went on, its
        request key is taken, or it opens a flow whose correlation key names a live flow that was
        written before, be it in this batch. Then the later commits on its flow are not written
        either, and a store may leave out the earlier ones too: all that is not written is decided
        again. Whatever is raised, nothing was written; or perhaps all, if it is a disk or a server
        that ended the work and did not say how.
        """
        ...

    def latest(self, owner: Owner) -> Flow | None:
        """Return the flow that an owner created last."""
        ...

    def page(
        self,
        owner: Owner,
        *,
        limit: int,
        before: int | None,
        status: FlowStatus | None,
        show: Callable[[Flow], T],
    ) -> Page[T]:
        """Return what is shown of at most `limit` flows of an owner, created before a position.

        One flow at a time is read and shown, maybe without its tasks.
        """
        ...

    def find_json(self, owner: Owner, flow_id: FlowId) -> bytes | None:
        """Return the JSON that callers are shown of an owner's flow; else as `find`."""
        ...

    def latest_json(self, owner: Owner) -> bytes | None:
        """Return the JSON that callers are shown of the flow that an owner created last."""
        ...

    def page_json(
        self,
        owner: Owner,
        *,
        limit: int,
        before: int | None,
        only: ListFilter,
        add: Callable[[bytes], bool],
    ) -> FlowId | None:
        """Hand over the JSON of at most `limit` flows, created before a position, newest first.

        Each is read when there is room for it: the first of which `add` says that there is none is
        not part of the page. Returns the last that is, if there are flows behind it.
        """
        ...

    def find_link(self, link_hash: str) -> IssuedLink | None:
        """Return what a resume link is for, be its wait over or not, by the hash of the link."""
        ...

    def position_of(self, owner: Owner, flow_id: FlowId) -> int | None:
        """Return where an owner's flow stands in the order of creation; it never changes."""
        ...
