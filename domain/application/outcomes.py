"""The outcomes of a command, as they are shown: accepted, rejected, or not persisted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

from attrs import evolve, field, frozen

from domain.application.ports import StoreUnavailable
from domain.application.views import FlowView, TaskView, flow_view, task_view, task_views
from domain.flow.commands import CancelFlow, Command
from domain.flow.decide_task import task_of
from domain.flow.ids import FlowId, TaskId
from domain.flow.refusals import Refusal
from domain.flow.state import Flow, cancel_pending
from domain.flow.task import find_task

KEY_REUSED: Final = "idempotency_key_reused"
CANCEL_PENDING: Final = "cancel_pending"
CANCEL_PENDING_REASON: Final = "One or more child tasks are still active."


@frozen(kw_only=True)
class Accepted:
    """A command was carried out: the flow after it, for a cancellation its tasks, and its task.

    `is_replay` says that it had been carried out before; the rest is as it was then.
    """

    flow: FlowView
    tasks: Sequence[TaskView]
    task: TaskView | None
    cancel_pending: bool = False
    is_replay: bool = field(default=False, eq=False)


@frozen(kw_only=True)
class Rejected:
    """A command was refused: why, with the flow, for a cancellation its tasks, and its task."""

    code: str
    reason: str
    flow: FlowView | None = None
    tasks: Sequence[TaskView] = ()
    task: TaskView | None = None


Outcome: TypeAlias = Accepted | Rejected


@frozen(kw_only=True)
class FlowPage:
    """What is shown of some flows, newest first, and the cursor of the rest if there is a rest.

    APPSEC: the cursor is the id of the last of them, which the owner knows: a number of the store's
    would count the flows of other owners.
    """

    flows: Sequence[FlowView]
    next_cursor: FlowId | None


class UnknownCursor(Exception):  # noqa: N818 - names the fault of a request, not one of ours
    """What was given as a cursor is no flow of the owner's."""


class NotPersisted(StoreUnavailable):
    """A decision could not be written; the flow, if there was one, is as it was."""

    def __init__(self, flow: Flow | None) -> None:
        """Keep what is shown of the flow as it was before the decision."""
        super().__init__("the decision could not be written")
        self.flow = None if flow is None else flow_view(flow)
        self.tasks = () if flow is None else task_views(flow)


def accepted(flow: Flow, command: Command, task_id: TaskId | None) -> Accepted:
    """Show the flow after a command."""
    return Accepted(
        flow=flow_view(flow),
        tasks=_tasks(flow, command),
        task=_task(flow, task_id),
        cancel_pending=cancel_pending(flow),
    )


def replayed(flow: Flow, command: Command, task_id: TaskId | None) -> Accepted:
    """Show the flow as it was after a command that was carried out before."""
    return evolve(accepted(flow, command, task_id), is_replay=True)


def rejected(refusal: Refusal, command: Command) -> Rejected:
    """Show why a command was refused."""
    flow = refusal.flow
    if flow is None:
        return Rejected(code=refusal.code, reason=refusal.reason)
    return Rejected(
        code=refusal.code,
        reason=refusal.reason,
        flow=flow_view(flow),
        tasks=_tasks(flow, command),
        task=_task(flow, task_of(flow, command)),
    )


def key_reused() -> Rejected:
    """Show that a request key stands for another request."""
    return Rejected(code=KEY_REUSED, reason="The idempotency key was used for another request.")


def _tasks(flow: Flow, command: Command) -> tuple[TaskView, ...]:
    return task_views(flow) if isinstance(command, CancelFlow) else ()


def _task(flow: Flow, task_id: TaskId | None) -> TaskView | None:
    task = None if task_id is None else find_task(flow.tasks, task_id)
    return None if task is None else task_view(task, flow.flow_id)
