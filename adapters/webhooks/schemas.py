"""What each action takes, as tables: the fields in the order in which they are checked."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from attrs import field, frozen

from adapters.webhooks.fields import (
    MOST,
    UNDEFINED,
    Decoder,
    Issue,
    any_json,
    boolean,
    instant,
    integer_between,
    nullable,
    one_of,
    page_cursor,
    single_line,
    text,
)
from domain.flow.status import (
    ACTIVE,
    ENDED,
    FlowStatus,
    NotifyPolicy,
    OnTimeout,
    Runtime,
    TaskStatus,
    TerminalOutcome,
)

Values: TypeAlias = dict[str, Any]
"""What was given, by the names of the domain; what was not given is not there."""

Rule: TypeAlias = Callable[[Values], Issue | None]
"""Says what is wrong with fields that are right one by one."""


@frozen
class SchemaField:
    """A field: its name on the wire, what it takes, and its name in the domain."""

    wire: str
    decoder: Decoder
    required: bool = False
    name: str = field(init=False)

    @name.default
    def _name(self) -> str:
        return re.sub("(?=[A-Z])", "_", self.wire).lower()


@frozen
class Schema:
    """The fields of an action, and a rule for all of them together."""

    fields: tuple[SchemaField, ...]
    rule: Rule = lambda _: None
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
        taken = each.decoder(document.get(each.wire, UNDEFINED))
        if isinstance(taken, Issue):
            return Issue(f"{each.wire}: {taken.text}")
        values[each.name] = taken
    if not document.keys() <= schema.known:
        return _unrecognized(schema, document)
    issue = schema.rule(values)
    return values if issue is None else issue


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


def _timeout_needs_until(values: Values) -> Issue | None:
    if "on_timeout" not in values or values.get("until") is not None:
        return None
    return Issue("onTimeout: onTimeout needs an until")


_safe_integer: Final = integer_between(0, MOST, most="int")

FLOW_ID: Final = SchemaField("flowId", text, required=True)
REVISION: Final = SchemaField("expectedRevision", _safe_integer, required=True)
CURRENT_STEP: Final = SchemaField("currentStep", nullable(text))
STATE_JSON: Final = SchemaField("stateJson", any_json)
WAIT_JSON: Final = SchemaField("waitJson", any_json)
BLOCKED_TASK_ID: Final = SchemaField("blockedTaskId", nullable(text))
BLOCKED_SUMMARY: Final = SchemaField("blockedSummary", nullable(text))
NOTIFY_POLICY: Final = SchemaField("notifyPolicy", one_of(NotifyPolicy))
PROGRESS_SUMMARY: Final = SchemaField("progressSummary", nullable(single_line))

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
TOKEN: Final = Schema((SchemaField("token", text, required=True),))
LIST_FLOWS: Final = Schema(
    (
        SchemaField("limit", integer_between(1, MOST_LISTED, most="number")),
        SchemaField("cursor", page_cursor),
        SchemaField("status", one_of(FlowStatus)),
    )
)
CREATE_FLOW: Final = Schema(
    (
        SchemaField("controllerId", text),
        SchemaField("goal", text, required=True),
        SchemaField("status", one_of(LIVE_STATUSES)),
        NOTIFY_POLICY,
        CURRENT_STEP,
        STATE_JSON,
        WAIT_JSON,
    )
)
SET_WAITING: Final = Schema(
    (
        *(FLOW_ID, REVISION, CURRENT_STEP, STATE_JSON, WAIT_JSON),
        *(BLOCKED_TASK_ID, BLOCKED_SUMMARY),
        SchemaField("until", nullable(instant)),
        SchemaField("onTimeout", one_of(OnTimeout)),
        SchemaField("resumeLink", boolean),
    ),
    _timeout_needs_until,
)
RESUME_FLOW: Final = Schema(
    (
        FLOW_ID,
        REVISION,
        SchemaField("status", one_of((FlowStatus.QUEUED, FlowStatus.RUNNING))),
        CURRENT_STEP,
        STATE_JSON,
        SchemaField("early", boolean),
    )
)
FINISH_FLOW: Final = Schema((FLOW_ID, REVISION, STATE_JSON))
FAIL_FLOW: Final = Schema((FLOW_ID, REVISION, STATE_JSON, BLOCKED_TASK_ID, BLOCKED_SUMMARY))
REQUEST_CANCEL: Final = Schema((FLOW_ID, REVISION))
RUN_TASK: Final = Schema(
    (
        FLOW_ID,
        SchemaField("runtime", one_of(Runtime), required=True),
        SchemaField("sourceId", text),
        SchemaField("childSessionKey", text),
        SchemaField("parentTaskId", text),
        SchemaField("agentId", text),
        SchemaField("runId", text),
        SchemaField("label", text),
        SchemaField("task", text, required=True),
        SchemaField("preferMetadata", boolean),
        NOTIFY_POLICY,
        SchemaField("status", one_of(ACTIVE_STATUSES)),
        SchemaField("startedAt", _safe_integer),
        SchemaField("lastEventAt", _safe_integer),
        PROGRESS_SUMMARY,
    ),
    _timing_needs_running,
)
UPDATE_TASK: Final = Schema(
    (
        FLOW_ID,
        SchemaField("taskId", text, required=True),
        SchemaField("status", one_of(REPORTED_STATUSES), required=True),
        PROGRESS_SUMMARY,
        SchemaField("terminalSummary", nullable(single_line)),
        SchemaField("terminalOutcome", nullable(one_of(TerminalOutcome))),
        SchemaField("error", nullable(text)),
    ),
    _outcome_needs_end,
)
