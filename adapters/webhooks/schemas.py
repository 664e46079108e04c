"""What each action takes, as tables: the fields in the order in which they are checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from attrs import field, frozen

from adapters.webhooks.fields import (
    MOST,
    UNDEFINED,
    Issue,
    Kind,
    any_json,
    boolean,
    cursor,
    line,
    nullable,
    one_of,
    text,
    whole_number,
)
from domain.flow.status import (
    ACTIVE,
    ENDED,
    FlowStatus,
    NotifyPolicy,
    Runtime,
    TaskStatus,
    TerminalOutcome,
)

Values: TypeAlias = dict[str, Any]
"""What was given, by the names of the domain; what was not given is not there."""

Rule: TypeAlias = Callable[[Values], Issue | None]
"""Says what is wrong with fields that are right one by one."""


@frozen
class Field:
    """A field: its name on the wire, its name in the domain, and what it takes."""

    wire: str
    name: str
    kind: Kind
    required: bool = False


def _no_issue(_: Values) -> Issue | None:
    return None


@frozen
class Schema:
    """The fields of an action, and a rule for all of them together."""

    fields: tuple[Field, ...]
    rule: Rule = _no_issue
    known: frozenset[str] = field(init=False)

    @known.default
    def _known(self) -> frozenset[str]:
        return frozenset({"action", *(field.wire for field in self.fields)})


def decode(schema: Schema, document: Mapping[str, object]) -> Values | Issue:
    """Return what a request gives, or its first issue: of its fields, its keys, their rule."""
    values = {}
    for each in schema.fields:
        if each.wire not in document and not each.required:
            continue
        taken = each.kind(document.get(each.wire, UNDEFINED))
        if isinstance(taken, Issue):
            return Issue(f"{each.wire}: {taken.text}")
        values[each.name] = taken
    if not document.keys() <= schema.known:
        return _unrecognized(schema, document)
    return schema.rule(values) or values


def _unrecognized(schema: Schema, document: Mapping[str, object]) -> Issue:
    unknown = [f'"{key}"' for key in document if key not in schema.known]
    return Issue(f"Unrecognized key{'s' if len(unknown) > 1 else ''}: {', '.join(unknown)}")


def _timing_needs_running(values: Values) -> Issue | None:
    timing = {"started_at", "last_event_at", "progress_summary"}
    if values.keys().isdisjoint(timing) or values.get("status") is TaskStatus.RUNNING:
        return None
    return Issue(
        "status: status must be running when startedAt, lastEventAt, or progressSummary is provided"
    )


def _outcome_needs_end(values: Values) -> Issue | None:
    outcome = {"terminal_summary", "terminal_outcome", "error"}
    if values.keys().isdisjoint(outcome) or values["status"] in ENDED:
        return None
    return Issue(
        "status: status must be terminal when terminalSummary, terminalOutcome, or error is"
        " provided"
    )


_safe_integer: Final = whole_number(0, MOST, most="int")

FLOW_ID: Final = Field("flowId", "flow_id", text, required=True)
REVISION: Final = Field("expectedRevision", "expected_revision", _safe_integer, required=True)
CURRENT_STEP: Final = Field("currentStep", "current_step", nullable(text))
STATE_JSON: Final = Field("stateJson", "state_json", any_json)
WAIT_JSON: Final = Field("waitJson", "wait_json", any_json)
BLOCKED_TASK_ID: Final = Field("blockedTaskId", "blocked_task_id", nullable(text))
BLOCKED_SUMMARY: Final = Field("blockedSummary", "blocked_summary", nullable(text))
NOTIFY_POLICY: Final = Field("notifyPolicy", "notify_policy", one_of(NotifyPolicy))
PROGRESS_SUMMARY: Final = Field("progressSummary", "progress_summary", nullable(line))

LIVE_STATUSES: Final = (
    FlowStatus.QUEUED,
    FlowStatus.RUNNING,
    FlowStatus.WAITING,
    FlowStatus.BLOCKED,
)
ACTIVE_STATUSES: Final = tuple(status for status in TaskStatus if status in ACTIVE)
REPORTED_STATUSES: Final = (
    TaskStatus.RUNNING,
    TaskStatus.SUCCEEDED,
    TaskStatus.FAILED,
    TaskStatus.TIMED_OUT,
    TaskStatus.CANCELLED,
)
MOST_LISTED: Final = 1000

NO_FIELDS: Final = Schema(())
ONE_FLOW: Final = Schema((FLOW_ID,))
TOKEN: Final = Schema((Field("token", "token", text, required=True),))
LIST_FLOWS: Final = Schema(
    (
        Field("limit", "limit", whole_number(1, MOST_LISTED, most="number")),
        Field("cursor", "cursor", cursor),
        Field("status", "status", one_of(FlowStatus)),
    )
)
CREATE_FLOW: Final = Schema(
    (
        Field("controllerId", "controller_id", text),
        Field("goal", "goal", text, required=True),
        Field("status", "status", one_of(LIVE_STATUSES)),
        NOTIFY_POLICY,
        CURRENT_STEP,
        STATE_JSON,
        WAIT_JSON,
    )
)
SET_WAITING: Final = Schema(
    (FLOW_ID, REVISION, CURRENT_STEP, STATE_JSON, WAIT_JSON, BLOCKED_TASK_ID, BLOCKED_SUMMARY)
)
RESUME_FLOW: Final = Schema(
    (
        FLOW_ID,
        REVISION,
        Field("status", "status", one_of((FlowStatus.QUEUED, FlowStatus.RUNNING))),
        CURRENT_STEP,
        STATE_JSON,
    )
)
FINISH_FLOW: Final = Schema((FLOW_ID, REVISION, STATE_JSON))
FAIL_FLOW: Final = Schema((FLOW_ID, REVISION, STATE_JSON, BLOCKED_TASK_ID, BLOCKED_SUMMARY))
REQUEST_CANCEL: Final = Schema((FLOW_ID, REVISION))
RUN_TASK: Final = Schema(
    (
        FLOW_ID,
        Field("runtime", "runtime", one_of(Runtime), required=True),
        Field("sourceId", "source_id", text),
        Field("childSessionKey", "child_session_key", text),
        Field("parentTaskId", "parent_task_id", text),
        Field("agentId", "agent_id", text),
        Field("runId", "run_id", text),
        Field("label", "label", text),
        Field("task", "task", text, required=True),
        Field("preferMetadata", "prefer_metadata", boolean),
        NOTIFY_POLICY,
        Field("status", "status", one_of(ACTIVE_STATUSES)),
        Field("startedAt", "started_at", _safe_integer),
        Field("lastEventAt", "last_event_at", _safe_integer),
        PROGRESS_SUMMARY,
    ),
    _timing_needs_running,
)
UPDATE_TASK: Final = Schema(
    (
        FLOW_ID,
        Field("taskId", "task_id", text, required=True),
        Field("status", "status", one_of(REPORTED_STATUSES), required=True),
        PROGRESS_SUMMARY,
        Field("terminalSummary", "terminal_summary", nullable(line)),
        Field("terminalOutcome", "terminal_outcome", nullable(one_of(TerminalOutcome))),
        Field("error", "error", nullable(text)),
    ),
    _outcome_needs_end,
)
