"""What each changing action answers, whatever became of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import orjson
from attrs import evolve, frozen

from adapters.presentation.wire_json import flow_json, task_json
from adapters.webhooks.json_schema import (
    NO,
    TEXT,
    YES,
    JsonSchema,
    an_object,
    list_of,
    or_null,
    ref,
)
from adapters.webhooks.responses import (
    PERSIST_FAILED,
    REPLAYED,
    Response,
    cancel_pending,
    persist_failed,
    refusal,
    success,
)
from adapters.webhooks.room import LIST, Room
from domain.application.outcomes import (
    CANCEL_PENDING_REASON,
    KEY_REUSED,
    Accepted,
    NotPersisted,
    Outcome,
    Rejected,
)
from domain.application.ports import StoreUnavailable
from domain.application.views import FlowView, TaskView
from domain.flow.ids import RouteId
from domain.flow.refusals import RefusalCode
from domain.flow.status import WAITS


@frozen
class ActionReplies:
    """The answers of one family of actions.

    `accepted` makes a whole response, `refused` the result of a refusal, in the room given;
    `unsaved` is the sentence for a store that failed, which is shown like a refusal. `shows` is the
    schema of the result of a success, `shows_refused` that of a refusal.
    """

    accepted: Callable[[RouteId, Accepted, Room], Response]
    refused: Callable[[Rejected, Room], dict[str, Any]]
    unsaved: str
    shows: JsonSchema
    shows_refused: JsonSchema


def outcome_response(
    replies: ActionReplies, route_id: RouteId, outcome: Outcome, room: Room
) -> Response:
    """Answer what became of a command; one that had been carried out before, as it was then."""
    if isinstance(outcome, Accepted):
        response = replies.accepted(route_id, outcome, room)
        return evolve(response, headers=REPLAYED) if outcome.is_replay else response
    missing = outcome.code == RefusalCode.NOT_FOUND
    return refusal(
        outcome.code,
        "TaskFlow not found." if missing else outcome.reason,
        route_id=route_id,
        result={} if outcome.code == KEY_REUSED else replies.refused(outcome, room),
    )


def with_link(replies: ActionReplies, path: str) -> ActionReplies:
    """Return the answers of an action that made a link, which is shown where it can be followed.

    Of a link only its hash is kept: a repeat cannot show it again.
    """

    def accepted(route_id: RouteId, outcome: Accepted, _: Room) -> Response:
        usable = outcome.flow.status in WAITS and not outcome.is_replay
        shown = {"applied": True, **_flow(outcome, "flow"), "resumeLink": path if usable else None}
        return success(route_id, shown)

    return evolve(replies, accepted=accepted)


def unsaved_response(
    replies: ActionReplies, route_id: RouteId, error: StoreUnavailable, room: Room
) -> Response:
    """Answer that the store failed; the flow is shown as it is, where it could be read."""
    flow, tasks = (error.flow, error.tasks) if isinstance(error, NotPersisted) else (None, ())
    unsaved = Rejected(code=PERSIST_FAILED, reason=replies.unsaved, flow=flow, tasks=tasks)
    return persist_failed(route_id, replies.unsaved, replies.refused(unsaved, room))


def _done(word: str) -> Callable[[RouteId, Accepted, Room], Response]:
    return lambda route_id, accepted, _: success(
        route_id, {word: True, **_flow(accepted, "flow"), **_task(accepted)}
    )


def _not_done(word: str) -> Callable[[Rejected, Room], dict[str, Any]]:
    return lambda refused, _: {word: False, "code": refused.code, **_flow(refused, "current")}


def _cancelled(route_id: RouteId, accepted: Accepted, room: Room) -> Response:
    shown = _with_tasks(accepted.flow, accepted.tasks, room)
    if not accepted.cancel_pending:
        return success(route_id, {"found": True, "cancelled": True, **shown})
    pending = {"found": True, "cancelled": False, "reason": CANCEL_PENDING_REASON}
    return cancel_pending(route_id, {**pending, **shown})


def _not_cancelled(refused: Rejected, room: Room) -> dict[str, Any]:
    flow = refused.flow
    shown = {} if flow is None else _with_tasks(flow, refused.tasks, room)
    return {**_found(refused), "cancelled": False, "reason": refused.reason, **shown}


def _with_tasks(flow: FlowView, tasks: Sequence[TaskView], room: Room) -> dict[str, Any]:
    """Show a flow and its newest tasks, and how many there was no room for."""
    shown_flow = room.spend(orjson.dumps(flow_json(flow)))
    omitted = len(tasks) - room.add_first(map(task_json, tasks))
    rest = {"tasksOmitted": omitted} if omitted else {}
    return {"flow": shown_flow, "tasks": LIST, **rest}


def _not_linked(refused: Rejected, _: Room) -> dict[str, Any]:
    reason = refused.reason
    return {**_found(refused), "created": False, "reason": reason, **_flow(refused, "flow")}


def _not_updated(refused: Rejected, _: Room) -> dict[str, Any]:
    shown = {**_flow(refused, "flow"), **_task(refused)}
    return {**_found(refused), "updated": False, "reason": refused.reason, **shown}


def _found(refused: Rejected) -> dict[str, Any]:
    return {"found": refused.code != RefusalCode.NOT_FOUND}


def _flow(outcome: Outcome, key: str) -> dict[str, Any]:
    return {} if outcome.flow is None else {key: flow_json(outcome.flow)}


def _task(outcome: Outcome) -> dict[str, Any]:
    return {} if outcome.task is None else {"task": task_json(outcome.task)}


_FLOW_UNSAVED: Final = "TaskFlow persistence failed."
_TASK_UNSAVED: Final = "Task persistence failed."

_SHOWN_FLOW: Final = {"flow": ref("Flow")}
_SHOWN_TASK: Final = {"task": ref("Task")}
_SHOWN_TASKS: Final = {**_SHOWN_FLOW, "tasks": list_of(ref("Task"))}
_OMITTED: Final = {"tasksOmitted": {"type": "integer"}}
_FOUND: Final = {"found": {"type": "boolean"}}
_PENDING: Final = {"found": YES, "cancelled": NO, "reason": TEXT, **_SHOWN_TASKS}
SHOWS_PENDING: Final = an_object("FlowCancelPending", _PENDING, _OMITTED)

CREATED: Final = ActionReplies(
    _done("created"),
    _not_done("created"),
    _FLOW_UNSAVED,
    an_object("FlowCreated", {"created": YES, **_SHOWN_FLOW}),
    an_object("FlowNotCreated", {"created": NO, "code": TEXT}, {"current": ref("Flow")}),
)
APPLIED: Final = ActionReplies(
    _done("applied"),
    _not_done("applied"),
    _FLOW_UNSAVED,
    an_object("FlowChanged", {"applied": YES, **_SHOWN_FLOW}, {"resumeLink": or_null(TEXT)}),
    an_object("FlowNotChanged", {"applied": NO, "code": TEXT}, {"current": ref("Flow")}),
)
CANCELLED: Final = ActionReplies(
    _cancelled,
    _not_cancelled,
    "Flow persistence failed.",
    an_object("FlowCancelled", {"found": YES, "cancelled": YES, **_SHOWN_TASKS}, _OMITTED),
    an_object(
        "FlowNotCancelled",
        {**_FOUND, "cancelled": NO, "reason": TEXT},
        {**_SHOWN_TASKS, **_OMITTED},
    ),
)
LINKED: Final = ActionReplies(
    _done("created"),
    _not_linked,
    _TASK_UNSAVED,
    an_object("TaskLinked", {"created": YES, **_SHOWN_FLOW, **_SHOWN_TASK}),
    an_object("TaskNotLinked", {**_FOUND, "created": NO, "reason": TEXT}, _SHOWN_FLOW),
)
UPDATED: Final = ActionReplies(
    _done("updated"),
    _not_updated,
    _TASK_UNSAVED,
    an_object("TaskUpdated", {"updated": YES, **_SHOWN_FLOW, **_SHOWN_TASK}),
    an_object(
        "TaskNotUpdated",
        {**_FOUND, "updated": NO, "reason": TEXT},
        {**_SHOWN_FLOW, **_SHOWN_TASK},
    ),
)
