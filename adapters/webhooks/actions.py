"""The actions: what each takes, what it asks of the domain, and what it answers, as one table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from attrs import frozen

from adapters.webhooks import queries, schemas
from adapters.webhooks.fields import Issue, object_issue
from adapters.webhooks.json_schema import JsonSchema
from adapters.webhooks.outcomes import APPLIED, CANCELLED, CREATED, LINKED, UPDATED, ActionReplies
from adapters.webhooks.responses import ActionResult
from adapters.webhooks.room import Room
from adapters.webhooks.schema_rules import Values
from adapters.webhooks.schemas import Schema, decode
from adapters.webhooks.view_schemas import FLOW_LIST, FOUND_FLOW, FOUND_SUMMARY
from domain.application.sessions import OwnerSession
from domain.flow.commands import (
    CancelFlow,
    Command,
    CreateFlow,
    FailFlow,
    FinishFlow,
    RequestCancel,
    ResumeEarly,
    ResumeFlow,
    RunTask,
    SetWaiting,
    UpdateTask,
)
from domain.flow.ids import FlowId
from domain.flow.lean_frozen import lean_frozen
from domain.flow.values import KEEP, Patch


@frozen
class QueryAction:
    """An action that changes nothing.

    `ask` returns None where what it is asked for does not fit into a room for a short answer;
    `shows` is the schema of what it returns; `takes_long` says of what is given that it may take
    long however short the answer is.
    """

    name: str
    about: str
    schema: Schema
    ask: Callable[[OwnerSession, Values, Room], ActionResult | Issue | None]
    shows: JsonSchema
    takes_long: Callable[[Values], bool] = lambda _: False


@frozen
class CommandAction:
    """An action that may change a flow."""

    name: str
    about: str
    schema: Schema
    command: type[Command]
    replies: ActionReplies


Action: TypeAlias = QueryAction | CommandAction


@lean_frozen
class ActionCall:
    """A request that makes sense: the action, and what was given."""

    action: Action
    values: Values


_TABLE: Final[tuple[Action, ...]] = (
    CommandAction(
        "create_flow",
        "Opens a flow. No other live flow of the owner has its `correlationKey`.",
        schemas.CREATE_FLOW,
        CreateFlow,
        CREATED,
    ),
    QueryAction(
        "get_flow",
        "Shows a flow; `null` if this owner has no such flow.",
        schemas.ONE_FLOW,
        queries.get_flow,
        FOUND_FLOW,
    ),
    QueryAction(
        "list_flows",
        "Lists the owner's flows, newest first: up to 1,000, or `limit`, or 8 MiB of them"
        " (one at least). If there are more, `nextCursor` says where to go on under the same"
        " filters.",
        schemas.LIST_FLOWS,
        queries.list_flows,
        FLOW_LIST,
        takes_long=queries.may_skip_many,
    ),
    QueryAction(
        "find_latest_flow",
        "Shows the flow that was created last; with a `correlationKey` the last one that has it,"
        " be it live or not.",
        schemas.LATEST_FLOW,
        queries.find_latest_flow,
        FOUND_FLOW,
    ),
    QueryAction(
        "resolve_flow",
        "Shows the flow that a token names.",
        schemas.TOKEN,
        queries.resolve_flow,
        FOUND_FLOW,
    ),
    QueryAction(
        "get_task_summary",
        "Counts a flow's tasks.",
        schemas.ONE_FLOW,
        queries.get_task_summary,
        FOUND_SUMMARY,
    ),
    CommandAction(
        "set_waiting",
        "Makes the flow wait, or blocks it if `blockedTaskId` or `blockedSummary` gives a reason."
        " The wait may end by time, or by a link (ours: see *Waits that end*).",
        schemas.SET_WAITING,
        SetWaiting,
        APPLIED,
    ),
    CommandAction(
        "resume_flow",
        "Continues the flow, `queued` (default) or `running`.",
        schemas.RESUME_FLOW,
        ResumeFlow,
        APPLIED,
    ),
    CommandAction(
        "finish_flow",
        "Ends the flow as `succeeded`, with a last `stateJson` if there is one.",
        schemas.FINISH_FLOW,
        FinishFlow,
        APPLIED,
    ),
    CommandAction(
        "fail_flow",
        "Ends the flow as `failed`; `stateJson`, `blockedTaskId` and `blockedSummary` may say why.",
        schemas.FAIL_FLOW,
        FailFlow,
        APPLIED,
    ),
    CommandAction(
        "request_cancel",
        "Sets the cancel intent and nothing else. From then on no task may be added.",
        schemas.REQUEST_CANCEL,
        RequestCancel,
        APPLIED,
    ),
    CommandAction(
        "cancel_flow",
        "Cancels the flow, or answers 202 `cancel_pending` while child tasks are active;"
        " the end of the last one then cancels it. Of very many tasks the newest are"
        " shown, and `tasksOmitted` counts the others.",
        schemas.ONE_FLOW,
        CancelFlow,
        CANCELLED,
    ),
    CommandAction(
        "run_task",
        "Links a child task. The same `runId`, `runtime` and `childSessionKey` again find"
        " the task and fill in what was missing.",
        schemas.RUN_TASK,
        RunTask,
        LINKED,
    ),
    CommandAction(
        "update_task",
        "Reports that a child task runs, progresses, or has ended.",
        schemas.UPDATE_TASK,
        UpdateTask,
        UPDATED,
    ),
)
ACTIONS: Final = {action.name: action for action in _TABLE}

_NO_ACTION: Final = Issue(
    "action: Invalid discriminator value. Expected " + " | ".join(f"'{name}'" for name in ACTIONS)
)


def read_call(document: object) -> ActionCall | Issue:
    """Return the action that a document asks for with what it gives, or its first issue."""
    if not isinstance(document, dict):
        return object_issue(document)
    name = document.get("action")
    action = ACTIONS.get(name) if isinstance(name, str) else None
    if action is None:
        return _NO_ACTION
    values = decode(action.schema, document)
    return values if isinstance(values, Issue) else ActionCall(action, values)


def make_command(
    mutation: CommandAction,
    values: Values,
    controller_id: str,
    *,
    separate_approver: bool = False,
    link_hash: Patch[str | None] = KEEP,
) -> Command:
    """Return the command of a mutation; a new flow's controller is the route's by default.

    `separate_approver` is the route's, and `link_hash` of a link that is made for the caller.
    """
    given = {name: value for name, value in values.items() if name not in {"early", "resume_link"}}
    if mutation.command is CreateFlow:
        made = {"controller_id": controller_id, **given, "separate_approver": separate_approver}
        return CreateFlow(**made)
    given = {"flow_id": FlowId(""), **given}
    given.pop("correlation_key", None)
    if mutation.command is SetWaiting:
        return SetWaiting(**given, link_hash=link_hash, separate_approver=separate_approver)
    return (ResumeEarly if values.get("early") else mutation.command)(**given)


def correlation_of(mutation: CommandAction, values: Values) -> str | None:
    """Return the correlation key that names a command's flow in the place of its id."""
    return None if mutation.command is CreateFlow else values.get("correlation_key")
