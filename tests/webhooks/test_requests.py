"""Which documents make sense, and the words for what is wrong with the others."""

from __future__ import annotations

import pytest

from adapters.webhooks.actions import ACTIONS, read_call
from adapters.webhooks.fields import Issue
from adapters.webhooks.strict_json import OVERFLOW
from tests.webhooks.minimal import MINIMAL, command

NO_ACTION = (
    "action: Invalid discriminator value. Expected 'create_flow' | 'get_flow' | 'list_flows' | "
    "'find_latest_flow' | 'resolve_flow' | 'get_task_summary' | 'set_waiting' | 'resume_flow' | "
    "'finish_flow' | 'fail_flow' | 'request_cancel' | 'cancel_flow' | 'run_task' | 'update_task'"
)
NEEDS_RUNNING = (
    "status: status must be running when startedAt, lastEventAt, or progressSummary is provided"
)
NEEDS_END = (
    "status: status must be terminal when terminalSummary, terminalOutcome, or error is provided"
)
BLANKS = "\t\n\v\f\r \u00a0\u1680\u2000\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"


def issue(document: object) -> str:
    call = read_call(document)
    assert isinstance(call, Issue)
    return call.text


def issue_of(action: str, **given: object) -> str:
    """Return what is wrong with a minimal request when it also gives something."""
    return issue({"action": action, **MINIMAL[action], **given})


@pytest.mark.parametrize("action", ACTIONS)
def test_an_action_needs_no_more_than_its_required_fields(action: str) -> None:
    assert not isinstance(read_call({"action": action, **MINIMAL[action]}), Issue)


@pytest.mark.parametrize(
    ("action", "field"), [(action, field) for action, fields in MINIMAL.items() for field in fields]
)
def test_a_required_field_that_is_absent_is_named(action: str, field: str) -> None:
    document = {"action": action, **MINIMAL[action]}
    del document[field]
    assert issue(document).startswith(f"{field}: Invalid ")


@pytest.mark.parametrize(
    ("document", "type_name"),
    [
        ([], "array"),
        ("x", "string"),
        (5, "number"),
        (0.5, "number"),
        (OVERFLOW, "number"),
        (None, "null"),
        (True, "boolean"),
    ],
)
def test_a_body_that_is_no_object_is_refused(document: object, type_name: str) -> None:
    assert issue(document) == f"Invalid input: expected object, received {type_name}"


@pytest.mark.parametrize(
    "action", ["Create_Flow", " create_flow ", "", "lose_task", None, 1, ["create_flow"], {}]
)
def test_an_unknown_action_is_told_the_known_ones(action: object) -> None:
    assert issue({"action": action, "goal": "g"}) == NO_ACTION


def test_a_missing_action_is_told_the_known_ones() -> None:
    assert issue({}) == NO_ACTION


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "Invalid input: expected string, received null"),
        (3, "Invalid input: expected string, received number"),
        (1.5, "Invalid input: expected string, received number"),
        (OVERFLOW, "Invalid input: expected string, received number"),
        (True, "Invalid input: expected string, received boolean"),
        (["g"], "Invalid input: expected string, received array"),
        ({}, "Invalid input: expected string, received object"),
        ("", "Too small: expected string to have >=1 characters"),
        (BLANKS, "Too small: expected string to have >=1 characters"),
    ],
)
@pytest.mark.parametrize(
    ("action", "field"),
    [
        ("create_flow", "goal"),
        ("create_flow", "controllerId"),
        ("get_flow", "flowId"),
        ("get_task_summary", "flowId"),
        ("cancel_flow", "flowId"),
        ("resolve_flow", "token"),
        ("run_task", "task"),
        ("run_task", "sourceId"),
        ("run_task", "childSessionKey"),
        ("run_task", "parentTaskId"),
        ("run_task", "agentId"),
        ("run_task", "runId"),
        ("run_task", "label"),
        ("update_task", "taskId"),
    ],
)
def test_a_text_is_a_string_with_more_than_blanks(
    action: str, field: str, value: object, words: str
) -> None:
    assert issue_of(action, **{field: value}) == f"{field}: {words}"


@pytest.mark.parametrize(
    ("action", "field", "given"),
    [
        ("create_flow", "currentStep", {}),
        ("set_waiting", "currentStep", {}),
        ("set_waiting", "blockedTaskId", {}),
        ("set_waiting", "blockedSummary", {}),
        ("resume_flow", "currentStep", {}),
        ("fail_flow", "blockedTaskId", {}),
        ("fail_flow", "blockedSummary", {}),
        ("run_task", "progressSummary", {"status": "running"}),
        ("update_task", "progressSummary", {}),
        ("update_task", "terminalSummary", {"status": "failed"}),
        ("update_task", "error", {"status": "failed"}),
    ],
)
def test_a_nullable_text_takes_null_and_no_other_type(
    action: str, field: str, given: dict[str, object]
) -> None:
    wrong = f"{field}: Invalid input: expected string, received object"
    blank = f"{field}: Too small: expected string to have >=1 characters"
    assert issue_of(action, **given, **{field: {}}) == wrong
    assert issue_of(action, **given, **{field: " "}) == blank
    command(action, **given, **{field: None})


@pytest.mark.parametrize(
    ("action", "field", "options"),
    [
        ("create_flow", "status", '"queued"|"running"|"waiting"|"blocked"'),
        ("create_flow", "notifyPolicy", '"done_only"|"state_changes"|"silent"'),
        ("resume_flow", "status", '"queued"|"running"'),
        ("run_task", "runtime", '"subagent"|"acp"'),
        ("run_task", "status", '"queued"|"running"'),
        ("run_task", "notifyPolicy", '"done_only"|"state_changes"|"silent"'),
        ("update_task", "status", '"running"|"succeeded"|"failed"|"timed_out"|"cancelled"'),
        (
            "list_flows",
            "status",
            '"queued"|"running"|"waiting"|"blocked"|"succeeded"|"failed"|"cancelled"',
        ),
    ],
)
@pytest.mark.parametrize("value", ["", " ", "Queued", "lost", None, 1, True, [], {}])
def test_a_choice_is_one_of_its_words(action: str, field: str, options: str, value: object) -> None:
    words = f"{field}: Invalid option: expected one of {options}"
    assert issue_of(action, **{field: value}) == words


def test_the_outcome_of_a_task_is_a_nullable_choice() -> None:
    words = 'terminalOutcome: Invalid option: expected one of "succeeded"|"blocked"'
    assert issue_of("update_task", status="failed", terminalOutcome="failed") == words
    command("update_task", status="failed", terminalOutcome=None)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "Invalid input: expected number, received null"),
        ("0", "Invalid input: expected number, received string"),
        (False, "Invalid input: expected number, received boolean"),
        ([], "Invalid input: expected number, received array"),
        (OVERFLOW, "Invalid input: expected number, received number"),
        (0.5, "Invalid input: expected int, received number"),
        (-0.5, "Invalid input: expected int, received number"),
        (-1, "Too small: expected number to be >=0"),
        (2**53, "Too big: expected int to be <=9007199254740991"),
        (1e300, "Too big: expected int to be <=9007199254740991"),
        (10**400, "Too big: expected int to be <=9007199254740991"),
    ],
)
@pytest.mark.parametrize(
    ("action", "field", "given"),
    [
        ("set_waiting", "expectedRevision", {}),
        ("resume_flow", "expectedRevision", {}),
        ("finish_flow", "expectedRevision", {}),
        ("fail_flow", "expectedRevision", {}),
        ("request_cancel", "expectedRevision", {}),
        ("run_task", "startedAt", {"status": "running"}),
        ("run_task", "lastEventAt", {"status": "running"}),
    ],
)
def test_a_number_is_a_safe_integer(
    action: str, field: str, given: dict[str, object], *, value: object, words: str
) -> None:
    assert issue_of(action, **given, **{field: value}) == f"{field}: {words}"


@pytest.mark.parametrize("value", ["true", None, 1])
def test_a_flag_is_true_or_false(value: object) -> None:
    issue = issue_of("run_task", preferMetadata=value)
    assert issue.startswith("preferMetadata: Invalid input: expected boolean, received ")


@pytest.mark.parametrize(
    ("action", "field"),
    [
        ("create_flow", "stateJson"),
        ("create_flow", "waitJson"),
        ("set_waiting", "stateJson"),
        ("set_waiting", "waitJson"),
        ("resume_flow", "stateJson"),
        ("finish_flow", "stateJson"),
        ("fail_flow", "stateJson"),
    ],
)
def test_json_holds_no_number_beyond_doubles(action: str, field: str) -> None:
    assert issue_of(action, **{field: OVERFLOW}) == f"{field}: Invalid input"
    assert issue_of(action, **{field: {"a": [OVERFLOW]}}) == f"{field}: Invalid input"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"limit": 0}, "limit: Too small: expected number to be >=1"),
        ({"limit": 1001}, "limit: Too big: expected number to be <=1000"),
        ({"limit": "5"}, "limit: Invalid input: expected number, received string"),
        ({"limit": 1.5}, "limit: Invalid input: expected int, received number"),
        ({"cursor": 5}, "cursor: Invalid input: expected string, received number"),
        ({"cursor": None}, "cursor: Invalid input: expected string, received null"),
        ({"offset": 1}, 'Unrecognized key: "offset"'),
    ],
)
def test_a_list_is_bounded_and_its_cursor_is_ours(given: dict[str, object], words: str) -> None:
    assert issue_of("list_flows", **given) == words


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"goal": "g", "extra": 1}, 'Unrecognized key: "extra"'),
        ({"zeta": 1, "goal": "g", "alpha": 2}, 'Unrecognized keys: "zeta", "alpha"'),
        ({"extra": 1}, "goal: Invalid input: expected string, received undefined"),
        (
            {"goal": "", "notifyPolicy": "y", "status": "x"},
            "goal: Too small: expected string to have >=1 characters",
        ),
        (
            {"controllerId": "", "goal": ""},
            "controllerId: Too small: expected string to have >=1 characters",
        ),
        ({"goal": "g", "__proto__": {}}, 'Unrecognized key: "__proto__"'),
        ({"goal": "g", "Goal": "h"}, 'Unrecognized key: "Goal"'),
        ({"goal": "g", "flowId": "x"}, 'Unrecognized key: "flowId"'),
    ],
)
def test_only_the_first_issue_is_told_fields_before_unknown_keys(
    document: dict[str, object], words: str
) -> None:
    assert issue({"action": "create_flow", **document}) == words


@pytest.mark.parametrize(
    ("action", "field"),
    [
        ("set_waiting", "status"),
        ("set_waiting", "notifyPolicy"),
        ("resume_flow", "waitJson"),
        ("resume_flow", "blockedTaskId"),
        ("finish_flow", "currentStep"),
        ("finish_flow", "blockedSummary"),
        ("fail_flow", "currentStep"),
        ("request_cancel", "stateJson"),
        ("cancel_flow", "expectedRevision"),
        ("run_task", "deliveryStatus"),
        ("find_latest_flow", "flowId"),
        ("resolve_flow", "flowId"),
        ("update_task", "expectedRevision"),
    ],
)
def test_a_field_of_another_action_is_unknown(action: str, field: str) -> None:
    assert issue_of(action, **{field: "x"}) == f'Unrecognized key: "{field}"'


@pytest.mark.parametrize(
    "given",
    [
        {"startedAt": 1},
        {"status": "queued", "lastEventAt": 1},
        {"progressSummary": "x"},
        {"progressSummary": None},
    ],
)
def test_timing_is_told_of_running_tasks_only(given: dict[str, object]) -> None:
    assert issue_of("run_task", **given) == NEEDS_RUNNING
    assert issue_of("run_task", **given, extra=1) == 'Unrecognized key: "extra"'


@pytest.mark.parametrize(
    "given", [{"terminalSummary": "x"}, {"terminalOutcome": "blocked"}, {"error": None}]
)
def test_an_outcome_is_told_of_ended_tasks_only(given: dict[str, object]) -> None:
    assert issue_of("update_task", **given) == NEEDS_END
    for ended in ("succeeded", "failed", "timed_out", "cancelled"):
        command("update_task", **{**given, "status": ended})
