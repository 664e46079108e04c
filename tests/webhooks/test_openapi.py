"""The document for machines is fresh, valid and complete, and says what the code does."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from adapters.presentation.answer_codes import ANSWER_CODES
from adapters.server import errors
from adapters.server.errors import HttpError
from adapters.webhooks import responses
from adapters.webhooks.actions import ACTIONS
from adapters.webhooks.field_text import FIELD_TEXT
from adapters.webhooks.fields import Issue
from adapters.webhooks.idempotency import KEY_PATTERN, request_key
from adapters.webhooks.json_schema import JsonSchema
from adapters.webhooks.schemas import decode, request_schema
from domain.flow.ids import RouteId
from domain.flow.refusals import RefusalCode
from tests.documented import DOCUMENT, resolved, undocumented
from tests.webhooks.gateway import Gateway
from tests.webhooks.minimal import MINIMAL

FILE = Path(__file__).parents[2] / "docs" / "openapi.json"
SCHEMAS: dict[str, JsonSchema] = DOCUMENT["components"]["schemas"]
VALUES: tuple[object, ...] = (
    *(None, True, False, 0, 1, -1, 1.0, 1.5, 1000, 1001, 2**53 - 1, 2**53, 2.0**53),
    *("", " ", "\ufeff", "\u2028\t", "\x1c", "\x85", "x", " x ", "a\nb", [], ["x"], {}, {"a": 1}),
    *("queued", "running", "waiting", "blocked", "succeeded", "failed", "timed_out", "lost"),
    *(
        "resume",
        "fail",
        "2026-12-01T00:00:00Z",
        "2026-12-01T00:00:00.5+23:59",
        "2026-13-01T00:00:00Z",
    ),
    *("2026-12-01", "2026-11-31T00:00:00Z", "1969-12-31T00:00:00Z", "2026-12-01t00:00:00z"),
    *("acp", "cli", "silent", "ACP"),
)


def test_the_file_is_what_the_tables_say() -> None:
    assert json.loads(FILE.read_text("utf-8")) == DOCUMENT, "run `make docs` and commit its files"


def test_the_document_is_openapi() -> None:
    validate(json.loads(FILE.read_text("utf-8")))


def test_every_member_says_what_it_is() -> None:
    members = {name for schema in SCHEMAS.values() for name in schema.get("properties", ())}
    assert sorted(members ^ FIELD_TEXT.keys()) == []


@pytest.mark.parametrize("action", ACTIONS)
def test_a_schema_takes_what_the_decoder_takes(action: str) -> None:
    schema = ACTIONS[action].schema
    validator = Draft202012Validator(request_schema(action, schema))
    for request in requests(action):
        taken = not isinstance(decode(schema, request), Issue)
        assert validator.is_valid(request) is taken, request


def requests(action: str) -> Iterator[dict[str, object]]:
    """Make requests for an action, of which one field or two are not minimal."""
    least: dict[str, object] = {"action": action, **MINIMAL[action]}
    schema = ACTIONS[action].schema
    yield least
    yield {**least, "nobody's": 1}
    for name in least.keys() - {"action"}:
        yield {key: value for key, value in least.items() if key != name}
    for each in schema.fields:
        yield from ({**least, each.wire: value} for value in VALUES)
    taken = {
        each.wire: [it for it in VALUES if not isinstance(each.decoder.take(it), Issue)]
        for each in schema.fields
    }
    for one, other in permutations(taken, 2):
        yield from ({**least, one: taken[one][0], other: value} for value in taken[other])


@pytest.mark.parametrize(
    "key",
    [
        *("k1", '"k1"', '"k1";a=1;b', '"a b"', "x" * 255, f'"{"x" * 255}"', 'a"b', "k;a=1"),
        *("", "a b", "x" * 256, f'"{"x" * 256}"', '"', '""', '"k1', '"k"1', '"k";A', "\u00fc"),
    ],
)
def test_the_pattern_of_keys_takes_what_is_taken(key: str) -> None:
    taken = not isinstance(request_key(RouteId("r"), [key], b""), Issue)
    assert (re.search(KEY_PATTERN, key) is not None) is taken


def test_all_that_the_server_refuses_has_a_code_of_the_table() -> None:
    refused = {each.code for each in vars(errors).values() if isinstance(each, HttpError)}
    assert refused > {"request_timeout", "headers_too_large", "not_implemented"}
    assert refused - ANSWER_CODES.keys() == set()


def test_all_that_a_callers_command_is_refused_for_has_a_code_of_the_table() -> None:
    assert set(RefusalCode) - ANSWER_CODES.keys() == {
        RefusalCode.TASK_NOT_SILENT,
        RefusalCode.WAIT_NOT_DUE,
    }


def test_the_examples_fit() -> None:
    act = DOCUMENT["paths"]["/plugins/webhooks/{route}"]["post"]
    for status, answer in act["responses"].items():
        for example in resolved(answer)["content"]["application/json"].get("examples", {}).values():
            fault = undocumented("POST", "/", int(status), every_header(), dumped(example["value"]))
            assert fault is None or fault.startswith("headers"), fault
    shown = act["requestBody"]["content"]["application/json"]["examples"]
    asked = [example["value"] for example in shown.values()]
    assert {request["action"] for request in asked} == ACTIONS.keys()
    for request in asked:
        assert not isinstance(decode(ACTIONS[request["action"]].schema, request), Issue)


def test_a_flow_with_all_that_a_flow_can_have_is_documented(gateway: Gateway) -> None:
    flow_id = gateway.create(correlationKey="k", currentStep="s", stateJson=None, waitJson={})
    gateway.link(flow_id, runId="r", label="l", status="running", progressSummary="p")
    gateway.ask("cancel_flow", flowId=flow_id)
    waits = gateway.ask("set_waiting", flowId=flow_id, expectedRevision=1, until=1)
    failed = gateway.ask(
        "fail_flow", flowId=flow_id, expectedRevision=2, blockedTaskId="t", blockedSummary="b"
    )
    shown = waits["result"]["flow"].keys() | failed["result"]["flow"].keys()
    assert shown == SCHEMAS["Flow"]["properties"].keys()


@pytest.mark.parametrize(
    ("status", "member", "value", "fault"),
    [
        (418, "ok", True, "status 418"),
        (202, "ok", True, "body of 202"),
        (200, "routeId", 7, "body of 200: $.routeId"),
        (200, "strange", 7, "body of 200: $"),
        (200, "result", {"flow": {"flowId": "f"}}, "body of 200: $.result"),
    ],
)
def test_an_answer_that_is_not_documented_is_found(
    status: int, member: str, value: object, fault: str
) -> None:
    body = {"ok": True, "routeId": "zapier", "result": {"flow": None}, member: value}
    found = undocumented("POST", "/", status, [("X-Request-Id", "r")], dumped(body))
    assert found is not None
    assert found.startswith(fault)


@pytest.mark.parametrize(
    ("headers", "fault"),
    [
        ([("X-Request-Id", "r"), ("X-Strange", "1")], "headers of 200: ['x-strange']"),
        ([], "headers of 200 that are missing: ['x-request-id']"),
    ],
)
def test_headers_that_are_not_documented_are_found(
    headers: list[tuple[str, str]], fault: str
) -> None:
    body = {"ok": True, "routeId": "zapier", "result": {"flow": None}}
    assert undocumented("POST", "/", 200, headers, dumped(body)) == fault


def test_a_code_without_a_row_is_answered_by_nobody() -> None:
    with pytest.raises(KeyError, match="strange"):
        responses.unrouted("strange", "")


def every_header() -> list[tuple[str, str]]:
    return [(name, "1") for name in DOCUMENT["components"]["headers"]]


def dumped(value: object) -> bytes:
    return json.dumps(value).encode()
