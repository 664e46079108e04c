"""The only door to the flows of an owner: what it may ask, and have carried out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from attrs import Factory, frozen

from domain.application.batch import CarryOut, Submission, carry_out
from domain.application.outcomes import FlowPage, Outcome, UnknownCursor
from domain.application.ports import NO_FILTER, Clock, FlowStore, ListFilter, NewId
from domain.application.recorded_events import Actor, ActorKind, CommandMetadata
from domain.application.views import FlowView, TaskSummary, flow_view, task_summary
from domain.flow.commands import Command, CommandContext
from domain.flow.ids import FlowId, Owner
from domain.flow.state import Flow
from domain.flow.status import FlowStatus

T = TypeVar("T")


@frozen
class TaskFlows:
    """All flows of a store. Nothing can be done with it but to bind it to an owner.

    Commands are carried out at once, or by whoever is given for that.
    """

    store: FlowStore
    clock: Clock
    new_id: NewId
    carry_out: CarryOut = Factory(lambda self: partial(carry_out, self.store), takes_self=True)

    def bind_session(self, owner: Owner) -> OwnerSession:
        """Return the handle to one owner's flows; it cannot name another."""
        return OwnerSession(self.store, self.clock, self.new_id, self.carry_out, owner)

    def find_link(self, link_hash: str) -> LinkTarget | None:
        """Return what a resume link is for; having it is the right to follow it."""
        found = self.store.find_link(link_hash)
        if found is None:
            return None
        actor = Actor(kind=ActorKind.LINK, name=found.route_id, key_id=found.key_id)
        return LinkTarget(self.bind_session(found.owner), found.flow_id, actor)


@frozen
class LinkTarget:
    """The flow that a resume link is for, the handle to it, and in whose name it is followed."""

    session: OwnerSession
    flow_id: FlowId
    actor: Actor


@frozen
class OwnerSession:
    """The flows of one owner. All its methods may raise `StoreUnavailable`."""

    store: FlowStore
    clock: Clock
    new_id: NewId
    carry_out: CarryOut
    owner: Owner

    def find(self, flow_id: FlowId) -> FlowView | None:
        """Return what is shown of a flow, if the owner has it."""
        return _shown(self.store.find(self.owner, flow_id))

    def find_latest(self) -> FlowView | None:
        """Return what is shown of the flow that the owner created last."""
        return _shown(self.store.latest(self.owner))

    def resolve(self, token: str) -> FlowView | None:
        """Return the flow of a token: a flow's id, or the owner's key for the latest."""
        return self.find_latest() if token == self.owner else self.find(FlowId(token))

    def find_json(self, flow_id: FlowId) -> bytes | None:
        """Return the JSON that is shown of a flow, if the owner has it."""
        return self.store.find_json(self.owner, flow_id)

    def find_by_correlation(self, key: str) -> FlowId | None:
        """Return the live flow that a correlation key names, if the owner has it."""
        ref = (self.owner, key)
        return self.store.find_named([ref]).get(ref)

    def latest_json(self, correlation_key: str | None = None) -> bytes | None:
        """Return the JSON of the flow that the owner created last, or the last that has a key."""
        if correlation_key is None:
            return self.store.latest_json(self.owner)
        found: list[bytes] = []

        def add(text: bytes) -> bool:
            found.append(text)
            return True

        self.page_json(add, limit=1, only=ListFilter(correlation_key=correlation_key))
        return found[0] if found else None

    def resolve_json(self, token: str) -> bytes | None:
        """Return the JSON of the flow of a token; else as `resolve`."""
        return self.latest_json() if token == self.owner else self.find_json(FlowId(token))

    def page_json(
        self,
        add: Callable[[bytes], bool],
        *,
        limit: int,
        cursor: FlowId | None = None,
        only: ListFilter = NO_FILTER,
    ) -> FlowId | None:
        """Hand over the JSON of at most `limit` flows, newest first, those behind a cursor.

        The page ends before a flow of which `add` says that there is no room for it. Returns the
        cursor of the rest, if there is a rest.

        Raises:
            UnknownCursor: if the cursor is no flow of the owner's.
        """
        before = self._position(cursor)
        return self.store.page_json(self.owner, limit=limit, before=before, only=only, add=add)

    def summarize_tasks(self, flow_id: FlowId) -> TaskSummary | None:
        """Return the counts of a flow's tasks, if the owner has the flow."""
        flow = self.store.find_head(self.owner, flow_id)
        return None if flow is None else task_summary(flow.counts)

    def page(
        self,
        *,
        limit: int,
        cursor: FlowId | None = None,
        status: FlowStatus | None = None,
    ) -> FlowPage:
        """Return at most `limit` flows of the owner, newest first, those behind a cursor.

        Raises:
            UnknownCursor: if it is no flow of the owner's.
        """
        before = self._position(cursor)
        page = self.store.page(
            self.owner, limit=limit, before=before, status=status, show=flow_view
        )
        rest = page.flows[-1].flow_id if page.flows and page.next_cursor is not None else None
        return FlowPage(flows=page.flows, next_cursor=rest)

    def _position(self, cursor: FlowId | None) -> int | None:
        position = None if cursor is None else self.store.position_of(self.owner, cursor)
        if cursor is not None and position is None:
            raise UnknownCursor
        return position

    def submission(
        self, command: Command, metadata: CommandMetadata, correlation_key: str | None = None
    ) -> Submission:
        """Return a command to be carried out as the owner's: its moment is now.

        It is one on the live flow that a correlation key names, if one is given.
        """
        context = CommandContext(
            command=command,
            owner=self.owner,
            at=self.clock(),
            new_id=self.new_id(),
            caller=metadata.actor.caller,
        )
        return Submission(context, metadata, correlation_key)

    def execute(self, command: Command, metadata: CommandMetadata) -> Outcome:
        """Decide a command and write its events durably, or return why it is rejected.

        Raises:
            NotPersisted: if the flow could be read and decided upon, but nothing written.
        """
        return self.execute_together([command], metadata)[0]

    def execute_together(
        self, commands: Sequence[Command], metadata: CommandMetadata
    ) -> Sequence[Outcome]:
        """Decide commands, one after the other, and write their events in one transaction.

        Each is decided on what those before it left, and recorded as if it had come alone.

        Raises:
            NotPersisted: as `execute`; the first exception of any of them.
        """
        outcomes = list[Outcome]()
        for outcome in self.carry_out([self.submission(each, metadata) for each in commands]):
            if isinstance(outcome, Exception):
                raise outcome
            outcomes.append(outcome)
        return outcomes


def _shown(flow: Flow | None) -> FlowView | None:
    return None if flow is None else flow_view(flow)
