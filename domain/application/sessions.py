"""One command, start to end: load, decide, save, show. The only door to the flows of an owner."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeVar

from attrs import frozen

from domain.application.outcomes import (
    Accepted,
    FlowPage,
    NotPersisted,
    Outcome,
    UnknownCursor,
    accepted,
    key_reused,
    rejected,
    replayed,
)
from domain.application.ports import (
    Clock,
    Commit,
    FlowStore,
    IdempotencyRecord,
    NewId,
    StoreUnavailable,
    WriteConflict,
)
from domain.application.recorded_events import (
    CommandMetadata,
    RecordedEvent,
    RequestKey,
    to_recorded_events,
)
from domain.application.views import FlowView, TaskSummary, flow_view, task_summary
from domain.flow.commands import Command, CommandContext, CreateFlow, FlowCommand
from domain.flow.concerned import concerned
from domain.flow.decide import decide
from domain.flow.decide_task import task_of
from domain.flow.events import Event
from domain.flow.evolve import fold
from domain.flow.ids import FlowId, Owner
from domain.flow.refusals import Refusal
from domain.flow.state import Flow
from domain.flow.status import FlowStatus

T = TypeVar("T")

ATTEMPTS: Final = 1000
"""How often a command that loses to other writers is decided again. Each loss is another's win."""


@frozen
class TaskFlows:
    """All flows of a store. Nothing can be done with it but to bind it to an owner."""

    store: FlowStore
    clock: Clock
    new_id: NewId

    def bind_session(self, owner: Owner) -> OwnerSession:
        """Return the handle to one owner's flows; it cannot name another."""
        return OwnerSession(self.store, self.clock, self.new_id, owner)


@frozen
class OwnerSession:
    """The flows of one owner. All its methods may raise `StoreUnavailable`."""

    store: FlowStore
    clock: Clock
    new_id: NewId
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

    def latest_json(self) -> bytes | None:
        """Return the JSON that is shown of the flow that the owner created last."""
        return self.store.latest_json(self.owner)

    def resolve_json(self, token: str) -> bytes | None:
        """Return the JSON of the flow of a token; else as `resolve`."""
        return self.latest_json() if token == self.owner else self.find_json(FlowId(token))

    def page_json(
        self,
        add: Callable[[bytes], bool],
        *,
        limit: int,
        cursor: FlowId | None = None,
        status: FlowStatus | None = None,
    ) -> FlowId | None:
        """Hand over the JSON of at most `limit` flows, newest first, those behind a cursor.

        The page ends before a flow of which `add` says that there is no room for it. Returns the
        cursor of the rest, if there is a rest.

        Raises:
            UnknownCursor: if the cursor is no flow of the owner's.
        """
        before = self._position(cursor)
        return self.store.page_json(self.owner, limit=limit, before=before, status=status, add=add)

    def summarize_tasks(self, flow_id: FlowId) -> TaskSummary | None:
        """Return the counts of a flow's tasks, if the owner has the flow."""
        flow = self.store.find(self.owner, flow_id)
        return None if flow is None else task_summary(flow.tasks)

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

    def execute(self, command: Command, origin: CommandMetadata) -> Outcome:
        """Decide a command and write its events durably, or return why it is rejected.

        Raises:
            NotPersisted: if the flow could be read and decided upon, but nothing written.
        """
        context = CommandContext(
            command=command, owner=self.owner, at=self.clock(), new_id=self.new_id()
        )
        return _until_first(lambda: self._attempt(context, origin))

    def execute_together(
        self, flow_id: FlowId, commands: Sequence[FlowCommand], origin: CommandMetadata
    ) -> Sequence[Outcome]:
        """Decide commands on one flow, one after the other, and write them in one commit.

        Each is decided on the state after the one before it, and recorded as if it had come alone;
        the others do not depend on one that is rejected. They have no request key, and link no
        tasks.
        """
        at, new_id = self.clock(), self.new_id()
        contexts = [
            CommandContext(command=each, owner=self.owner, at=at, new_id=new_id)
            for each in commands
        ]
        return _until_first(lambda: self._attempt_together(flow_id, contexts, origin))

    def _attempt_together(
        self, flow_id: FlowId, contexts: Sequence[CommandContext], origin: CommandMetadata
    ) -> Sequence[Outcome]:
        flow = self.store.find(self.owner, flow_id)
        outcomes: list[Outcome] = []
        recorded: list[RecordedEvent] = []
        for context in contexts:
            decision = decide(flow, context)
            if isinstance(decision, Refusal):
                outcomes.append(rejected(decision, context.command))
                continue
            flow = _after(flow, decision)
            recorded += _recorded(decision, flow, context, origin)
            outcomes.append(accepted(flow, context.command, None))
        if flow is not None and recorded:
            self.store.save(Commit(events=tuple(recorded), flow=flow))
        return outcomes

    def _attempt(self, context: CommandContext, origin: CommandMetadata) -> Outcome:
        command = context.command
        if past := self._repeat(origin.request_key, command):
            return past
        flow = (
            None
            if isinstance(command, CreateFlow)
            else self.store.find(self.owner, command.flow_id, concerned(command))
        )
        decision = decide(flow, context)
        # The same request may have been carried out since its key was looked for. Where something
        # is written that shows as a conflict, elsewhere only by looking again.
        is_refused = isinstance(decision, Refusal)
        if (is_refused or not decision) and (past := self._repeat(origin.request_key, command)):
            return past
        if isinstance(decision, Refusal):
            return rejected(decision, command)
        return self._save(flow, decision, context, origin)

    def _save(
        self,
        flow: Flow | None,
        events: tuple[Event, ...],
        context: CommandContext,
        origin: CommandMetadata,
    ) -> Accepted:
        after = _after(flow, events)
        task_id = task_of(after, context.command, events)
        if events or origin.request_key is not None:
            commit = Commit(
                events=_recorded(events, after, context, origin),
                flow=after,
                request_key=origin.request_key,
                task_id=task_id,
            )
            try:
                self.store.save(commit)
            except StoreUnavailable as error:
                raise NotPersisted(flow) from error
        return accepted(after, context.command, task_id)

    def _repeat(self, key: RequestKey | None, command: Command) -> Outcome | None:
        found = () if key is None else tuple(self._idempotency_records(key))
        if key is None or not found:
            return None
        past = next((past for past in found if past.request_hash == key.request_hash), None)
        if past is None:
            return key_reused()
        flow = self.store.load(past.flow_id, past.version)
        # A route that was bound to another owner since then must not see its former owner's flow.
        if flow is None or flow.owner != self.owner:
            return key_reused()
        return replayed(flow, command, past.task_id)

    def _idempotency_records(self, key: RequestKey) -> Iterator[IdempotencyRecord]:
        for spelling in (key.key, *key.aliases):
            past = self.store.find_idempotency_record(key.route_id, spelling)
            if past is not None:
                yield past


def _until_first(attempt: Callable[[], T]) -> T:
    """Return the result of an attempt, the first that loses to no other writer."""
    for _ in range(ATTEMPTS):
        try:
            return attempt()
        except WriteConflict:
            continue
    raise StoreUnavailable("the flow is written to by too many at once")


def _after(flow: Flow | None, events: tuple[Event, ...]) -> Flow:
    after = fold(flow, events)
    if after is None:  # no flow and no events: only a command that found its flow decides none
        raise AssertionError("a decision on no flow must create one")
    return after


def _recorded(
    events: tuple[Event, ...], after: Flow, context: CommandContext, origin: CommandMetadata
) -> tuple[RecordedEvent, ...]:
    return to_recorded_events(
        events,
        flow_id=after.flow_id,
        after=after.version - len(events),
        origin=origin,
        now=context.at,
    )


def _shown(flow: Flow | None) -> FlowView | None:
    return None if flow is None else flow_view(flow)
