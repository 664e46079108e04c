"""The flow of scenarios, its owner, and events to begin with."""

from __future__ import annotations

from typing import Final

from domain.flow.events import FlowCreated, TaskEnded, TaskLinked
from domain.flow.ids import FlowId, Owner, TaskId
from domain.flow.state import Flow
from domain.flow.status import FlowStatus, NotifyPolicy, Runtime, TaskStatus

FLOW: Final = FlowId("flow-1")
OWNER: Final = Owner("agent:main:main")
STRANGER: Final = Owner("agent:main:other")
THEN: Final = 1_700_000_000_000
"""The moment of all that was given."""
NOW: Final = THEN + 1_000
"""The moment of the command."""

CREATED: Final = FlowCreated(
    at=THEN,
    flow_id=FLOW,
    owner=OWNER,
    controller_id="webhooks/zapier",
    goal="ship it",
    status=FlowStatus.QUEUED,
    notify_policy=NotifyPolicy.DONE_ONLY,
)
CREATED_FLOW: Final = Flow(
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
"""What `CREATED` adds up to."""


def linked(task_id: TaskId, status: TaskStatus = TaskStatus.QUEUED) -> TaskLinked:
    """Return the event that links a plain child."""
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


def ended(task_id: TaskId, status: TaskStatus = TaskStatus.SUCCEEDED) -> TaskEnded:
    """Return the event that ends a child."""
    return TaskEnded(at=THEN, task_id=task_id, status=status)
