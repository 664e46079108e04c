"""Given some events, when a command comes, then these events or this refusal: without a store."""

from __future__ import annotations

from attrs import frozen

from domain.commands import Command, Issued
from domain.decide import Decision, decide
from domain.events import Event, FlowCreated, TaskEnded, TaskLinked
from domain.evolve import evolve, fold
from domain.flow import Flow
from domain.refusals import Refusal, RefusalCode
from domain.status import FlowStatus, NotifyPolicy, Runtime, TaskStatus

FLOW = "flow-1"
OWNER = "agent:main:main"
STRANGER = "agent:main:other"
THEN = 1_700_000_000_000
"""The moment of all that was given."""
NOW = THEN + 1_000
"""The moment of the command."""

CREATED = FlowCreated(
    at=THEN,
    flow_id=FLOW,
    owner=OWNER,
    controller_id="webhooks/zapier",
    goal="ship it",
    status=FlowStatus.QUEUED,
    notify_policy=NotifyPolicy.DONE_ONLY,
)
CREATED_FLOW = Flow(
    flow_id=FLOW,
    owner=OWNER,
    controller_id="webhooks/zapier",
    goal="ship it",
    status=FlowStatus.QUEUED,
    notify_policy=NotifyPolicy.DONE_ONLY,
    created_at=THEN,
    updated_at=THEN,
    latest_at=THEN,
)


def linked(task_id: str, status: TaskStatus = TaskStatus.QUEUED) -> TaskLinked:
    """Return the fact that a plain child became part of the flow."""
    return TaskLinked(
        at=THEN,
        task_id=task_id,
        runtime=Runtime.SUBAGENT,
        task="work",
        status=status,
        agent_id="main",
        notify_policy=NotifyPolicy.DONE_ONLY,
        created_at=THEN,
        last_event_at=THEN,
    )


def ended(task_id: str, status: TaskStatus = TaskStatus.SUCCEEDED) -> TaskEnded:
    """Return the fact that a child ended."""
    return TaskEnded(at=THEN, task_id=task_id, status=status)


@frozen
class Given:
    """A flow as it stands, or none."""

    found: Flow | None

    @property
    def flow(self) -> Flow:
        """The flow, where there is one."""
        assert self.found is not None
        return self.found

    def when(
        self, command: Command, *, at: int = NOW, owner: str = OWNER, new_id: str = "new-1"
    ) -> Decided:
        """Decide a command."""
        issued = Issued(command=command, owner=owner, at=at, new_id=new_id)
        return Decided(self.found, decide(self.found, issued))


@frozen
class Decided:
    """What became of a command."""

    before: Flow | None
    decision: Decision

    @property
    def events(self) -> tuple[Event, ...]:
        """What it brought about."""
        assert not isinstance(self.decision, Refusal), self.decision
        return self.decision

    @property
    def flow(self) -> Flow:
        """The flow thereafter."""
        after = fold(self.before, self.events)
        assert after is not None
        return after

    @property
    def refusal(self) -> tuple[RefusalCode, str]:
        """Why it brought about nothing."""
        assert isinstance(self.decision, Refusal), self.decision
        return self.decision.code, self.decision.reason

    def then(self, *events: Event) -> Given:
        """Assert what it brought about, and go on from there."""
        assert self.events == events
        return Given(self.flow)


def given(*events: Event) -> Given:
    """Begin with what happened before: nothing, or a creation and more."""
    found: Flow | None = None
    for event in events:
        found = evolve(found, event)
    return Given(found)
