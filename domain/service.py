"""One command, start to end: load, decide, save, show. The only door to the flows of an owner."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from attrs import frozen

from domain.commands import Command, CreateFlow, Issued, LoseTask, RunTask, UpdateTask
from domain.decide import Decision, decide
from domain.decide_task import meant_task
from domain.events import Event
from domain.evolve import fold
from domain.flow import Flow
from domain.outcomes import (
    Accepted,
    FlowPage,
    NotPersisted,
    Outcome,
    UnknownCursor,
    accepted,
    key_reused,
    refused,
    replayed,
)
from domain.ports import (
    Clock,
    Commit,
    FlowStore,
    NewId,
    Remembered,
    StoreUnavailable,
    WriteConflict,
)
from domain.records import Origin, RequestKey, record_all
from domain.refusals import Refusal
from domain.status import FlowStatus
from domain.views import FlowView, TaskSummary, flow_view, task_summary

ATTEMPTS: Final = 1000
"""How often a command that loses to other writers is decided again. Each loss is another's win."""


@frozen
class TaskFlows:
    """All flows of a store. Nothing can be done with it but to bind it to an owner."""

    store: FlowStore
    clock: Clock
    new_id: NewId

    def bind_session(self, owner: str) -> OwnerSession:
        """Return the handle to one owner's flows; it cannot name another."""
        return OwnerSession(self.store, self.clock, self.new_id, owner)


@frozen
class OwnerSession:
    """The flows of one owner. All its methods may raise `StoreUnavailable`."""

    store: FlowStore
    clock: Clock
    new_id: NewId
    owner: str

    def find(self, flow_id: str) -> FlowView | None:
        """Return what is shown of a flow, if the owner has it."""
        return _shown(self.store.find(self.owner, flow_id))

    def find_latest(self) -> FlowView | None:
        """Return what is shown of the flow that the owner created last."""
        return _shown(self.store.latest(self.owner))

    def resolve(self, token: str) -> FlowView | None:
        """Return the flow that a token means: a flow's id, or the owner's key for the latest."""
        return self.find_latest() if token == self.owner else self.find(token)

    def summarize_tasks(self, flow_id: str) -> TaskSummary | None:
        """Return the counts of a flow's tasks, if the owner has the flow."""
        flow = self.store.find(self.owner, flow_id)
        return None if flow is None else task_summary(flow.tasks)

    def page(
        self, *, limit: int, cursor: str | None = None, status: FlowStatus | None = None
    ) -> FlowPage:
        """Return at most `limit` flows of the owner, newest first, those behind a cursor.

        Raises:
            UnknownCursor: if it is no flow of the owner's.
        """
        before = None if cursor is None else self.store.position_of(self.owner, cursor)
        if cursor is not None and before is None:
            raise UnknownCursor
        page = self.store.page(self.owner, limit=limit, before=before, status=status)
        rest = None if page.next_cursor is None else page.flows[-1].flow_id
        return FlowPage(flows=[flow_view(flow) for flow in page.flows], next_cursor=rest)

    def execute(self, command: Command, origin: Origin) -> Outcome:
        """Bring about what a command asks for, durably, or say why not.

        Raises:
            NotPersisted: if the flow could be read and decided upon, but nothing written.
        """
        issued = Issued(command=command, owner=self.owner, at=self.clock(), new_id=self.new_id())
        for _ in range(ATTEMPTS):
            try:
                return self._attempt(issued, origin)
            except WriteConflict:
                continue
        raise StoreUnavailable("the flow is written to by too many at once")

    def _attempt(self, issued: Issued, origin: Origin) -> Outcome:
        command = issued.command
        if past := self._repeat(origin.request_key, command):
            return past
        flow = (
            None
            if isinstance(command, CreateFlow)
            else self.store.find(self.owner, command.flow_id)
        )
        decision = decide(flow, issued)
        # The same request may have been carried out since its key was looked for. Where something
        # is written that shows as a conflict, elsewhere only by looking again.
        if not _writes(decision) and (past := self._repeat(origin.request_key, command)):
            return past
        if isinstance(decision, Refusal):
            return refused(decision, command, _meant(flow, issued))
        return self._save(flow, decision, issued, origin)

    def _save(
        self, flow: Flow | None, events: tuple[Event, ...], issued: Issued, origin: Origin
    ) -> Accepted:
        after = fold(flow, events)
        if after is None:  # no flow and no events: only a command that found its flow decides none
            raise AssertionError("a decision on no flow must create one")
        task_id = _meant(flow, issued)
        if events or origin.request_key is not None:
            records = record_all(
                events,
                flow_id=after.flow_id,
                after=after.version - len(events),
                origin=origin,
                now=issued.at,
            )
            commit = Commit(
                records=records, flow=after, request_key=origin.request_key, task_id=task_id
            )
            try:
                self.store.save(commit)
            except StoreUnavailable as error:
                raise NotPersisted(flow) from error
        return accepted(after, issued.command, task_id)

    def _repeat(self, key: RequestKey | None, command: Command) -> Outcome | None:
        found = () if key is None else tuple(self._remembered(key))
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

    def _remembered(self, key: RequestKey) -> Iterator[Remembered]:
        for spelling in (key.key, *key.aliases):
            past = self.store.recall(key.route_id, spelling)
            if past is not None:
                yield past


def _shown(flow: Flow | None) -> FlowView | None:
    return None if flow is None else flow_view(flow)


def _writes(decision: Decision) -> bool:
    return not isinstance(decision, Refusal) and bool(decision)


def _meant(flow: Flow | None, issued: Issued) -> str | None:
    match issued.command:
        case RunTask() as command:
            return None if flow is None else meant_task(flow, command, issued.new_id)
        case UpdateTask() | LoseTask() as command:
            return command.task_id
        case _:
            return None
