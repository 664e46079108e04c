"""What each action takes, as tables: the fields in the order in which they are checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

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
    text_up_to,
)
from adapters.webhooks.json_schema import JsonSchema, an_object
from adapters.webhooks.schema_rules import SchemaRule, Values, one_name_of, only_beside
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


@frozen
class SchemaField:
    """A field: its name on the wire, what it takes, and its name in the domain.

    One that is required is not beside the field that may stand in its place.
    """

    wire: str
    decoder: Decoder
    required: bool = False
    replaced_by: str | None = None
    name: str = field(init=False)

    @name.default
    def _name(self) -> str:
        return re.sub("(?=[A-Z])", "_", self.wire).lower()


@frozen
class Schema:
    """The fields of an action, and the rules for all of them together."""

    fields: tuple[SchemaField, ...]
    rules: tuple[SchemaRule, ...] = ()
    known: frozenset[str] = field(init=False)

    @known.default
    def _known(self) -> frozenset[str]:
        return frozenset({"action", *(field.wire for field in self.fields)})


def request_schema(action: str, schema: Schema) -> JsonSchema:
    """Return the schema of the requests that ask for an action."""
    fields = {each.wire: each.decoder.schema for each in schema.fields}
    required = {
        each.wire: fields.pop(each.wire)
        for each in schema.fields
        if each.required and each.replaced_by is None
    }
    title = "".join(word.capitalize() for word in action.split("_"))
    known = an_object(title, {"action": {"const": action}, **required}, fields)
    for rule in schema.rules:
        known |= rule.schema
    return known


def decode(schema: Schema, document: Mapping[str, object]) -> Values | Issue:
    """Return what a request gives, or its first issue: of its fields, its keys, their rule."""
    values = {}
    for each in schema.fields:
        is_needed = each.required and each.replaced_by not in document
        if each.wire not in document and not is_needed:
            continue
        taken = each.decoder.take(document.get(each.wire, UNDEFINED))
        if isinstance(taken, Issue):
            return Issue(f"{each.wire}: {taken.text}")
        values[each.name] = taken
    if not document.keys() <= schema.known:
        return _unrecognized(schema, document)
    for rule in schema.rules:
        if not rule.holds(document, values):
            return rule.issue
    return values


def _unrecognized(schema: Schema, document: Mapping[str, object]) -> Issue:
    unknown = [f'"{key}"' for key in document if key not in schema.known]
    return Issue(f"Unrecognized key{'s' if len(unknown) > 1 else ''}: {', '.join(unknown)}")


_safe_integer: Final = integer_between(0, MOST, most="int")

MOST_IN_KEY: Final = 256
CORRELATION_KEY: Final = SchemaField("correlationKey", text_up_to(MOST_IN_KEY))


FLOW_ID: Final = SchemaField("flowId", text, required=True, replaced_by=CORRELATION_KEY.wire)
FLOW: Final = (FLOW_ID, CORRELATION_KEY)
"""The flow that an action is on: by its id, or the live one that a correlation key names."""
ONE_NAME: Final = one_name_of(FLOW_ID.wire, CORRELATION_KEY.wire)
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

LATEST_FLOW: Final = Schema((CORRELATION_KEY,))
ONE_FLOW: Final = Schema(FLOW, (ONE_NAME,))
TOKEN: Final = Schema(
    (
        SchemaField("token", text, required=True, replaced_by=CORRELATION_KEY.wire),
        CORRELATION_KEY,
    ),
    (one_name_of("token", CORRELATION_KEY.wire),),
)
LIST_FLOWS: Final = Schema(
    (
        SchemaField("limit", integer_between(1, MOST_LISTED, most="number")),
        SchemaField("cursor", page_cursor),
        SchemaField("status", one_of(FlowStatus)),
        SchemaField("controllerId", text),
        SchemaField("currentStep", text),
        CORRELATION_KEY,
        SchemaField("updatedSince", instant),
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
        CORRELATION_KEY,
    )
)
TIMEOUT_NEEDS_UNTIL: Final = SchemaRule(
    lambda sent, _: "onTimeout" not in sent or "until" in sent,
    Issue("onTimeout: onTimeout needs an until"),
    "`onTimeout`: only beside an `until`.",
    {"dependentRequired": {"onTimeout": ["until"]}},
)
SET_WAITING: Final = Schema(
    (
        *(*FLOW, REVISION, CURRENT_STEP, STATE_JSON, WAIT_JSON),
        *(BLOCKED_TASK_ID, BLOCKED_SUMMARY),
        SchemaField("until", nullable(instant)),
        SchemaField("onTimeout", one_of(OnTimeout)),
        SchemaField("resumeLink", boolean),
    ),
    (ONE_NAME, TIMEOUT_NEEDS_UNTIL),
)
RESUME_FLOW: Final = Schema(
    (
        *FLOW,
        REVISION,
        SchemaField("status", one_of((FlowStatus.QUEUED, FlowStatus.RUNNING))),
        CURRENT_STEP,
        STATE_JSON,
        SchemaField("early", boolean),
    ),
    (ONE_NAME,),
)
FINISH_FLOW: Final = Schema((*FLOW, REVISION, STATE_JSON), (ONE_NAME,))
FAIL_FLOW: Final = Schema(
    (*FLOW, REVISION, STATE_JSON, BLOCKED_TASK_ID, BLOCKED_SUMMARY), (ONE_NAME,)
)
REQUEST_CANCEL: Final = Schema((*FLOW, REVISION), (ONE_NAME,))
RUN_TASK: Final = Schema(
    (
        *FLOW,
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
    (
        ONE_NAME,
        only_beside(
            ("startedAt", "lastEventAt", "progressSummary"),
            (TaskStatus.RUNNING,),
            "status: status must be running when startedAt, lastEventAt, or progressSummary is"
            " provided",
        ),
    ),
)
UPDATE_TASK: Final = Schema(
    (
        *FLOW,
        SchemaField("taskId", text, required=True),
        SchemaField("status", one_of(REPORTED_STATUSES), required=True),
        PROGRESS_SUMMARY,
        SchemaField("terminalSummary", nullable(single_line)),
        SchemaField("terminalOutcome", nullable(one_of(TerminalOutcome))),
        SchemaField("error", nullable(text)),
    ),
    (
        ONE_NAME,
        only_beside(
            ("terminalSummary", "terminalOutcome", "error"),
            [status for status in REPORTED_STATUSES if status in ENDED],
            "status: status must be terminal when terminalSummary, terminalOutcome, or error is"
            " provided",
        ),
    ),
)
